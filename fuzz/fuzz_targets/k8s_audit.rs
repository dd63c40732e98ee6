//! Any bytes as a record of `k8s.audit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("k8s.audit", payload));
