//! See `tests::fuzz::server_bytes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::server_bytes(bytes));
