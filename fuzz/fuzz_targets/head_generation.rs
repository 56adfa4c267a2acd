//! See `tests::fuzz::head_generation`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::head_generation(bytes));
