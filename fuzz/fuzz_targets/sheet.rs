//! Any bytes as the cells of a roster and of its members tab.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oncall::properties::sheet(bytes));
