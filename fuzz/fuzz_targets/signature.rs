//! Any bytes as the headers and the body of a request.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oncall::properties::signature(bytes));
