//! Any bytes as a record of `elasticsearch.audit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("elasticsearch.audit", payload));
