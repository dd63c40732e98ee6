//! A stolen role, modelled on what is public about Capital One, March 2019.
//!
//! The credentials of a firewall's role were taken from its instance. From a network that had never used it, the role
//! listed the buckets and copied what was in them. No setting was changed: only how much was read gives it away.

use fastrand::Rng;
use serde_json::json;

use super::Entry;
use super::calendar::{at, later};
use super::deed::Deed;
use super::normal_life::aws;
use crate::cloudtrail::{self, Caller, control_plane, object_call};

const BUCKETS: usize = 30;
const OBJECTS_OF_A_BUCKET: usize = 12;

/// The role where it belongs. For weeks it reads a few small objects of one bucket a day.
pub(super) fn owner() -> Caller {
    Caller::instance("web-firewall-role", 0x0a39_1c3e_77b2_04d5, "10.20.0.7")
}

pub(super) fn entries(rng: &mut Rng) -> Vec<Entry> {
    let thief = owner().from("203.0.113.201");
    let mut time = at("2020-01-06T02:38:10Z");
    let mut listing = control_plane("s3.amazonaws.com", "ListBuckets", &json!({}));
    listing["readOnly"] = json!(true);
    let message = cloudtrail::record(rng, listing, &thief, time);
    let mut entries = vec![aws(time, message, Some(Deed::BucketsListed))];
    time = later(time, 50);
    for number in 1..=BUCKETS {
        let bucket = format!("applications-{number:02}");
        let names: Vec<String> = (0..OBJECTS_OF_A_BUCKET)
            .map(|_| format!("{}/{:08x}.csv.gz", rng.u16(2005..2020), rng.u32(..)))
            .collect();
        let mut tell = |operation: &str, key: &str, bytes: u64| {
            let event = object_call(rng, operation, &bucket, key, bytes);
            let message = cloudtrail::record(rng, event, &thief, time);
            entries.push(aws(time, message, Some(Deed::BucketsCopied)));
            time = later(time, 1);
        };
        tell("ListObjects", "", 4_200);
        for (place, name) in names.iter().enumerate() {
            // From 40 to 110 megabytes.
            let megabytes = 40 + (number * 17 + place * 29) % 71;
            tell("GetObject", name, megabytes as u64 * 1_000_000);
        }
    }
    entries
}
