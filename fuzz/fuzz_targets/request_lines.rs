//! See `tests::fuzz::request_lines`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::request_lines(bytes));
