//! Any bytes as the body of an authentic webhook.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oncall::properties::webhook(bytes));
