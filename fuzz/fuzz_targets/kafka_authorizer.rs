//! Any bytes as a record of `kafka.authorizer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("kafka.authorizer", payload));
