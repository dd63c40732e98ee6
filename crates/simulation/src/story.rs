//! What is produced into the simulated topics: protection taken away and restored by many hands, between ordinary
//! traffic and rubbish.

use dataward_event::position::Partition;
use dataward_event::time::{EventTime, KafkaTime};
use dataward_sources::source::Source;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::clock::BEGINNING;
use crate::cloudtrail::{Traffic, bucket_name, control_plane, with_bucket};
use crate::incident::{Deed, removal_of_protection};
use crate::topic_log::{LogRecord, PartitionLog, TopicLog};

/// The topic of CloudTrail records.
pub const CLOUDTRAIL_TOPIC: &str = "audit.cloudtrail";
/// The topic of everything.
pub const MIXED_TOPIC: &str = "audit.mixed";

/// The event time between the beginnings of two phases, in seconds.
const PHASE_SECONDS: i64 = 780;
/// The event time of a phase, in seconds: within the lateness bound, in any order.
const SPREAD_SECONDS: i64 = 540;
/// As many unreadable records as raise an alert.
const RUBBISH: usize = 130;
/// What another producer calls the settings of its clusters, and what is opened in them.
const SETTINGS: [&str; 2] = ["readers", "writers"];
const THINGS: [&str; 4] = ["everyone", "444455556666", "0.0.0.0/0:9200", ""];

/// A log from a seed.
pub fn story(seed: u64) -> TopicLog {
    let mut rng = Rng::with_seed(seed);
    let phases = rng.usize(1..4);
    let mut log = TopicLog { phases, ..TopicLog::default() };
    let topics = [(CLOUDTRAIL_TOPIC, Source::AwsCloudtrail), (MIXED_TOPIC, Source::Auto)];
    for (topic, source) in &topics[rng.usize(..2)..] {
        for number in 0..rng.i32(1..4) {
            // The first partition of a topic is there from the beginning; others may be added.
            let is_late = number > 0 && rng.u8(..4) == 0;
            let from_phase = if is_late { rng.usize(..phases) } else { 0 };
            log.partitions
                .insert(Partition::new(*topic, number), PartitionLog::new(*source, from_phase));
        }
    }
    let mut teller = Teller {
        traffic: Traffic::new(rng.u64(..), 12, 4),
        deeds: removal_of_protection(),
        rng,
        told: 0,
    };
    for phase in 0..phases {
        teller.tell_phase(phase, &mut log);
    }
    log
}

struct Teller {
    rng: Rng,
    traffic: Traffic,
    deeds: Vec<Deed>,
    told: u64,
}

impl Teller {
    fn tell_phase(&mut self, phase: usize, log: &mut TopicLog) {
        let names: Vec<Partition> = log
            .partitions
            .iter()
            .filter(|(_, log)| log.from_phase <= phase)
            .map(|(partition, _)| partition.clone())
            .collect();
        let mut earlier: Vec<(Source, LogRecord)> = Vec::new();
        for _ in 0..self.rng.usize(5..60) {
            let name = &names[self.rng.usize(..names.len())];
            let Some(partition) = log.partitions.get_mut(name) else { continue };
            let record = match self.rng.u32(..100) {
                // A producer that sends again, into the same partition or another one.
                0..8 => {
                    let of_source: Vec<&(Source, LogRecord)> =
                        earlier.iter().filter(|(source, _)| *source == partition.source).collect();
                    match of_source.len() {
                        0 => self.record(phase, partition.source),
                        count => of_source[self.rng.usize(..count)].1.clone(),
                    }
                }
                8..13 => LogRecord { is_hole: true, ..self.record(phase, partition.source) },
                _ => self.record(phase, partition.source),
            };
            if !record.is_hole {
                earlier.push((partition.source, record.clone()));
            }
            partition.records.push(record);
        }
        if self.rng.u8(..12) == 0 {
            let name = &names[self.rng.usize(..names.len())];
            if let Some(partition) = log.partitions.get_mut(name) {
                for _ in 0..RUBBISH {
                    let payload = self.rubbish();
                    let time = self.time(phase);
                    let record = self.wrap(phase, time, payload);
                    partition.records.push(record);
                }
            }
        }
    }

    fn time(&mut self, phase: usize) -> EventTime {
        // Whole seconds: several events happen at the same time.
        let seconds = PHASE_SECONDS * i64::try_from(phase).unwrap_or(0);
        let within = self.rng.i64(0..SPREAD_SECONDS);
        BEGINNING
            .as_clock::<dataward_event::time::EventClock>()
            .plus_micros((seconds + within).saturating_mul(1_000_000))
    }

    fn record(&mut self, phase: usize, source: Source) -> LogRecord {
        let time = self.time(phase);
        let payload = match self.rng.u32(..100) {
            0..8 => self.rubbish(),
            8..16 => Some(self.file(phase, source)),
            _ => Some(self.event(time, source).into_bytes()),
        };
        self.wrap(phase, time, payload)
    }

    fn wrap(&mut self, phase: usize, time: EventTime, payload: Option<Vec<u8>>) -> LogRecord {
        let delay = self.rng.i64(0..2_000_000);
        let kafka_time: KafkaTime = time.plus_micros(delay).as_clock();
        let key = self.rng.bool().then(|| b"actor".to_vec());
        LogRecord { phase, kafka_time, key, payload, is_hole: false }
    }

    /// What no source can read, or what holds nothing.
    fn rubbish(&mut self) -> Option<Vec<u8>> {
        match self.rng.u32(..7) {
            0 => None,
            1 => Some(Vec::new()),
            2 => Some(b"{\"Records\":[]}".to_vec()),
            3 => Some(b"{\"eventName\":\"PutBucketPo".to_vec()),
            4 => Some(vec![0xff, 0xfe, self.rng.u8(..)]),
            5 => Some(b"[[[1,2],{}]]".to_vec()),
            _ => Some(format!("rubbish {}", self.rng.u32(..)).into_bytes()),
        }
    }

    /// A record of several events, one of which may be unreadable.
    fn file(&mut self, phase: usize, source: Source) -> Vec<u8> {
        let mut events: Vec<String> = Vec::new();
        for _ in 0..self.rng.usize(2..6) {
            let time = self.time(phase);
            let is_bad = self.rng.u8(..6) == 0;
            events.push(if is_bad { "{\"no\":1}".to_owned() } else { self.event(time, source) });
        }
        format!("{{\"Records\":[{}]}}", events.join(",")).into_bytes()
    }

    fn event(&mut self, time: EventTime, source: Source) -> String {
        self.told += 1;
        match self.rng.u32(..100) {
            0..35 => self.traffic.message(time).payload,
            35..65 if source == Source::Auto => self.ocsf_change(time),
            35..50 => {
                let deed = self.deeds[self.rng.usize(..self.deeds.len())].clone();
                self.traffic.told_by(deed.person, deed.ip, deed.event, time).payload
            }
            _ => {
                let event = self.turn();
                let person = ["a.weber", "b.okafor", "c.lindt"][self.rng.usize(..3)];
                self.traffic.told_by(person, "203.0.113.9", event, time).payload
            }
        }
    }

    /// Something that is switched off and on again, by several people at once.
    fn turn(&mut self) -> Value {
        let bucket = bucket_name(self.rng.usize(..2));
        let trail = json!({ "name": "arn:aws:cloudtrail:us-west-2:111122223333:trail/one" });
        let block = |on: bool| {
            json!({ "publicAccessBlock": "", "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": on, "IgnorePublicAcls": true,
                "BlockPublicPolicy": on, "RestrictPublicBuckets": true,
            } })
        };
        let (service, operation, parameters) = match self.rng.u32(..6) {
            0 => ("cloudtrail.amazonaws.com", "StopLogging", trail),
            1 => ("cloudtrail.amazonaws.com", "StartLogging", trail),
            2 => (
                "s3.amazonaws.com",
                "DeleteBucketPublicAccessBlock",
                with_bucket(json!({ "publicAccessBlock": "" }), &bucket),
            ),
            3 => (
                "s3.amazonaws.com",
                "DeleteBucketPolicy",
                with_bucket(json!({ "policy": "" }), &bucket),
            ),
            _ => {
                let block = block(self.rng.bool());
                ("s3.amazonaws.com", "PutBucketPublicAccessBlock", with_bucket(block, &bucket))
            }
        };
        let mut event = control_plane(service, operation, &parameters);
        if self.rng.u8(..8) == 0 {
            event["errorCode"] = json!("AccessDenied");
        }
        event
    }

    /// A change as another producer states it: several things at once, whole settings, attempts.
    fn ocsf_change(&mut self, time: EventTime) -> String {
        let rng = &mut self.rng;
        let controls = ["access_policy", "network_exposure", "audit_logging", "sharing"];
        let control = controls[rng.usize(..controls.len())];
        let whole = rng.u8(..3) == 0;
        let changes: Vec<Value> = (0..rng.usize(1..4))
            .map(|_| {
                let directions = ["weakened", "weakened", "strengthened", "neutral"];
                json!({
                    "control": control,
                    "setting": SETTINGS[rng.usize(..SETTINGS.len())],
                    "opened": THINGS[rng.usize(..THINGS.len())],
                    "direction": directions[rng.usize(..directions.len())],
                    "whole": whole,
                })
            })
            .collect();
        let datastore = format!("cluster-{}", rng.u8(..3));
        json!({
            "class_uid": 6003,
            "activity_id": 3,
            "time": time.millis(),
            "status_id": if rng.u8(..8) == 0 { 2 } else { 1 },
            "metadata": { "uid": format!("ocsf-{}-{:08x}", self.told, rng.u32(..)), "version": "1.8.0" },
            "actor": { "user": { "uid": "u-17", "name": "deploy" } },
            "api": { "operation": "UpdateSettings", "service": { "name": "search" } },
            "src_endpoint": { "ip": "198.51.100.77" },
            "resources": [{ "uid": datastore, "name": datastore }],
            "unmapped": { "dataward": { "changes": changes } },
        })
        .to_string()
    }
}
