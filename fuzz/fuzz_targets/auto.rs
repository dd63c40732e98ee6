//! Any bytes as a record of `auto`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("auto", payload));
