//! Any bytes as a record of `aws.s3_access`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("aws.s3_access", payload));
