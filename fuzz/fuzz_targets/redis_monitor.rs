//! Any bytes as a record of `redis.monitor`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("redis.monitor", payload));
