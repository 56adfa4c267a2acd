//! See `tests::fuzz::response_lines`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::response_lines(bytes));
