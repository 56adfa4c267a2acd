//! See `tests::fuzz::differential_client`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::differential_client(bytes));
