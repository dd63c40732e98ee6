//! The binary from outside: what a user sees, on files and on a real broker.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod config;
mod damage;
mod datastores;
mod demo;
mod doctor;
mod explain;
mod exposures;
mod kill;
mod metrics;
mod normalize_and_replay;
mod old_archives;
mod outages;
mod outages_disk;
mod outages_secret;
mod outages_topic;
mod poison;
mod query;
mod readers;
mod real_servers;
mod rules;
mod run;
mod samples;
mod scan;
mod schema;
mod sources;
mod standby;
mod story_kill;
mod support;
mod timeline;
mod warmup;
