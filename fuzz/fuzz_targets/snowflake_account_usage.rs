//! Any bytes as a record of `snowflake.account_usage`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("snowflake.account_usage", payload));
