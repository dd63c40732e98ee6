//! Any bytes as a record of `opensearch.audit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("opensearch.audit", payload));
