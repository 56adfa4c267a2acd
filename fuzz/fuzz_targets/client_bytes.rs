//! See `tests::fuzz::client_bytes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::client_bytes(bytes));
