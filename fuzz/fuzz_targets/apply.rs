//! See `tests::fuzz::apply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::apply(bytes));
