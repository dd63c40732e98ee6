//! Any bytes as a record of `databricks.audit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("databricks.audit", payload));
