//! Any bytes as a record of `azure.activity`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("azure.activity", payload));
