//! See `tests::fuzz::differential_server`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::differential_server(bytes));
