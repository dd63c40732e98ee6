//! Any bytes as a record of `aws.cloudtrail`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("aws.cloudtrail", payload));
