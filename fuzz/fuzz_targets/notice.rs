//! Any bytes as the body of an authentic notice.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oncall::properties::notice(bytes));
