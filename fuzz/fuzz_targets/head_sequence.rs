//! See `tests::fuzz::head_sequence`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::head_sequence(bytes));
