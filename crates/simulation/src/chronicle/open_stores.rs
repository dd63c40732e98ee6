//! Two stores that stood open, modelled on what is public about Wyze, December 2019.
//!
//! Production data was copied into a new Elasticsearch cluster. On 4 December an employee removed its protection; on
//! 26 December outsiders reported it, and it was closed. A second open store was found in the days after.

use dataward_event::time::EventTime;
use fastrand::Rng;
use serde_json::{Value, json};

use super::Entry;
use super::calendar::{at, later};
use super::deed::Deed;
use super::normal_life::{aws, index_of, search};
use crate::cloudtrail::{self, ACCOUNT, Caller, control_plane};
use crate::search_audit::{self, Request, SearchUser, change};

/// The new store.
pub(super) const COPY: &str = "analytics-copy";
/// When its protection is removed.
pub(super) const REMOVED: &str = "2019-12-04T17:20:00Z";
/// When it is closed.
pub(super) const CLOSED: &str = "2019-12-26T18:02:00Z";
/// What it is copied from.
const PRODUCTION: &str = "customers";
/// The second store: a copy of a database.
const SNAPSHOT: &str = "devices-2019-12-20";
/// How many people's data it is, and in how many pages it is read.
const PEOPLE: u64 = 2_400_000;
const PAGES: u64 = 48;
const DOCUMENT_BYTES: u64 = 600;

/// The program that copies. On other nights it reads a few hundred rows.
pub(super) fn copier() -> SearchUser {
    SearchUser::service("copy", "copy-service", "10.20.0.12")
}

pub(super) fn entries(rng: &mut Rng) -> Vec<Entry> {
    let mut entries = Vec::new();
    new_store(rng, &mut entries);
    outside_reads(rng, &mut entries);
    closing(rng, &mut entries);
    second_store(rng, &mut entries);
    entries
}

fn new_store(rng: &mut Rng, entries: &mut Vec<Entry>) {
    let employee = SearchUser::person("analytics", "e.marsh", "198.51.100.231");
    let made = Request::Change {
        operation: "cluster:admin/create",
        changes: vec![
            authentication("strengthened", ("none", "true")),
            network("strengthened", ("none", "10.20.0.0/16")),
        ],
    };
    let (begun, removed) = (at("2019-12-03T01:04:00Z"), at(REMOVED));
    let unlocked = Request::Change {
        operation: "cluster:admin/settings/update",
        changes: vec![authentication("weakened", ("true", "false"))],
    };
    let opened = Request::Change {
        operation: "cluster:admin/settings/update",
        changes: vec![network("weakened", ("10.20.0.0/16", "0.0.0.0/0"))],
    };
    let mut tell = |user: &SearchUser, cluster: &str, request: &Request, time, deed| {
        let message = search_audit::event(rng, user, cluster, request, time);
        entries.push(search(time, message, Some(deed)));
    };
    tell(&employee, COPY, &made, at("2019-12-03T00:41:17Z"), Deed::NewCluster);
    let (rows, bytes) = (PEOPLE / PAGES, PEOPLE / PAGES * DOCUMENT_BYTES);
    let mut time = begun;
    for _ in 0..PAGES {
        let page = Request::Search { index: index_of(PRODUCTION), rows, bytes };
        tell(&copier(), PRODUCTION, &page, time, Deed::Copy);
        let written = Request::Write { index: index_of(COPY), rows, bytes };
        tell(&copier(), COPY, &written, later(time, 40), Deed::Copy);
        time = later(time, 75);
    }
    tell(&employee, COPY, &unlocked, removed, Deed::ProtectionRemoved);
    tell(&employee, COPY, &opened, later(removed, 41), Deed::ProtectionRemoved);
}

/// Seldom and little at first, as whoever scans networks looks at what was found; then everything.
fn outside_reads(rng: &mut Rng, entries: &mut Vec<Entry>) {
    let mut tell = |ip: &str, rows: u64, time: EventTime, deed: Deed| {
        let request = Request::Search { index: index_of(COPY), rows, bytes: rows * DOCUMENT_BYTES };
        let message = search_audit::event(rng, &SearchUser::nobody(ip), COPY, &request, time);
        entries.push(search(time, message, Some(deed)));
    };
    for (ip, rows, time, deed) in [
        ("203.0.113.77", 10, "2019-12-10T03:14:07Z", Deed::FirstOutsideRead),
        ("203.0.113.77", 10, "2019-12-14T21:50:33Z", Deed::OutsideRead),
        ("2001:db8:66::9", 25, "2019-12-19T22:41:10Z", Deed::FirstOutsideRead),
        ("203.0.113.112", 50, "2019-12-22T08:03:55Z", Deed::OutsideRead),
        ("192.0.2.146", 100, "2019-12-25T23:58:20Z", Deed::FirstOutsideRead),
    ] {
        tell(ip, rows, at(time), deed);
    }
    let begun = at("2019-12-26T04:10:00Z");
    for page in 0..PAGES {
        let time = later(begun, i64::try_from(page).unwrap_or(0) * 70);
        tell("192.0.2.146", PEOPLE / PAGES, time, Deed::OutsideDump);
    }
}

fn closing(rng: &mut Rng, entries: &mut Vec<Entry>) {
    let guardian = SearchUser::person("operations", "s.ivanova", "198.51.100.230");
    let closed = at(CLOSED);
    for (change, time) in [
        (network("strengthened", ("0.0.0.0/0", "10.20.0.0/16")), closed),
        (authentication("strengthened", ("false", "true")), later(closed, 95)),
    ] {
        let operation = "cluster:admin/settings/update";
        let request = Request::Change { operation, changes: vec![change] };
        let message = search_audit::event(rng, &guardian, COPY, &request, time);
        entries.push(search(time, message, Some(Deed::ProtectionRestored)));
    }
}

/// A copy of a database is handed to everybody, while the audit trail is silent for a quarter of an hour.
fn second_store(rng: &mut Rng, entries: &mut Vec<Entry>) {
    let employee = Caller::person("engineering/t.quill", "198.51.100.233");
    let guardian = Caller::person("operations/s.ivanova", "198.51.100.230");
    let trail = json!({
        "name": format!("arn:aws:cloudtrail:us-west-2:{ACCOUNT}:trail/organization-trail"),
    });
    let on_trail = |operation| control_plane("cloudtrail.amazonaws.com", operation, &trail);
    let mut refused = on_trail("DeleteTrail");
    refused["errorCode"] = json!("AccessDenied");
    refused["errorMessage"] = json!("User is not authorized to perform: cloudtrail:DeleteTrail");
    let made = control_plane(
        "rds.amazonaws.com",
        "CreateDBSnapshot",
        &json!({ "dBSnapshotIdentifier": SNAPSHOT, "dBInstanceIdentifier": "devices-db" }),
    );
    let mut looked_at = control_plane(
        "rds.amazonaws.com",
        "DescribeDBSnapshotAttributes",
        &json!({ "dBSnapshotIdentifier": SNAPSHOT }),
    );
    looked_at["readOnly"] = json!(true);
    let told = [
        ("2019-12-20T09:15:40Z", &employee, made, Some(Deed::SnapshotMade)),
        ("2019-12-20T10:58:03Z", &employee, refused, Some(Deed::RefusedDeletion)),
        ("2019-12-20T11:01:30Z", &employee, on_trail("StopLogging"), Some(Deed::TrailStopped)),
        ("2019-12-20T11:05:12Z", &employee, sharing("valuesToAdd"), Some(Deed::SnapshotShared)),
        ("2019-12-20T11:19:44Z", &employee, on_trail("StartLogging"), Some(Deed::TrailStarted)),
        ("2019-12-27T12:30:00Z", &guardian, looked_at, None),
        (
            "2019-12-29T09:30:00Z",
            &guardian,
            sharing("valuesToRemove"),
            Some(Deed::SnapshotTakenBack),
        ),
    ];
    for (time, caller, event, deed) in told {
        let time = at(time);
        entries.push(aws(time, cloudtrail::record(rng, event, caller, time), deed));
    }
}

fn sharing(verb: &str) -> Value {
    let mut parameters = json!({
        "dBSnapshotIdentifier": SNAPSHOT,
        "attributeName": "restore",
    });
    parameters[verb] = json!(["all"]);
    control_plane("rds.amazonaws.com", "ModifyDBSnapshotAttribute", &parameters)
}

fn authentication(direction: &str, values: (&str, &str)) -> Value {
    change("authentication", "xpack.security", "anonymous access", direction, values)
}

fn network(direction: &str, values: (&str, &str)) -> Value {
    change("network_exposure", "network.host", "0.0.0.0/0 tcp 9200", direction, values)
}
