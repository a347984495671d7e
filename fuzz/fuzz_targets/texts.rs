//! Any bytes as every text that strangers can write.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oncall::properties::texts(bytes));
