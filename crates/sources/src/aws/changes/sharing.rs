//! Copies that are given to others: snapshots and images.

use dataward_event::change::Direction;
use serde_json::Value;

use super::document::{at, items, text_at, texts};
use super::{Call, Found, foreign_account};
use crate::catalogue_rows::{self as rows, EmittedRow};

/// What shares images for a seller.
const MARKETPLACE: &str = "assets.marketplace.amazonaws.com";

/// The two rows of one kind of copy, and what its event calls everybody.
struct Share {
    public: EmittedRow,
    foreign: EmittedRow,
}

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    let snapshot = Share { public: rows::EC2_SNAPSHOT_PUBLIC, foreign: rows::EC2_SNAPSHOT_FOREIGN };
    let image = Share { public: rows::EC2_IMAGE_PUBLIC, foreign: rows::EC2_IMAGE_FOREIGN };
    match (call.service, call.operation) {
        ("ec2", "ModifySnapshotAttribute") => {
            permissions(call, found, &snapshot, "createVolumePermission");
        }
        // Images are sold by giving them to their buyers.
        ("ec2", "ModifyImageAttribute") if call.invoked_by == Some(MARKETPLACE) => {}
        ("ec2", "ModifyImageAttribute") => permissions(call, found, &image, "launchPermission"),
        ("ec2", "ResetSnapshotAttribute") => {
            found.changes.whole(&snapshot.public, []);
        }
        ("ec2", "ResetImageAttribute") => {
            found.changes.whole(&image.public, []);
        }
        ("rds", "ModifyDBSnapshotAttribute" | "ModifyDBClusterSnapshotAttribute") => {
            restore_attribute(call, found);
        }
        _ => {}
    }
}

/// EC2's `add` and `remove` of groups, accounts and organisations.
fn permissions(call: &Call<'_>, found: &mut Found, share: &Share, attribute: &str) {
    let request = call.request();
    for (verb, direction) in [("add", Direction::Weakened), ("remove", Direction::Strengthened)] {
        for item in items(at(request, &[attribute, verb])) {
            for grantee in grantees(item) {
                push(call, found, share, direction, &grantee);
            }
        }
    }
    // The flat form of older clients.
    let direction = match text_at(request, &["operationType"]).as_deref() {
        Some("add") => Direction::Weakened,
        Some("remove") => Direction::Strengthened,
        _ => return,
    };
    let flat = ["userIdSet", "userId", "groupSet", "userGroup"];
    for value in flat.iter().flat_map(|key| items(request.get(*key))) {
        for grantee in grantees(value) {
            push(call, found, share, direction, &grantee);
        }
    }
}

fn grantees(item: &Value) -> Vec<String> {
    if let Value::String(text) = item {
        return vec![text.clone()];
    }
    ["group", "userId", "organizationArn", "organizationalUnitArn"]
        .iter()
        .filter_map(|key| text_at(item, &[key]))
        .collect()
}

/// RDS's `valuesToAdd` and `valuesToRemove` of the attribute `restore`.
fn restore_attribute(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    if text_at(request, &["attributeName"]).is_some_and(|name| name != "restore") {
        return;
    }
    let share = Share { public: rows::RDS_SNAPSHOT_PUBLIC, foreign: rows::RDS_SNAPSHOT_FOREIGN };
    for (key, direction) in
        [("valuesToAdd", Direction::Weakened), ("valuesToRemove", Direction::Strengthened)]
    {
        for grantee in texts(request.get(key)) {
            push(call, found, &share, direction, &grantee);
        }
    }
}

fn push(call: &Call<'_>, found: &mut Found, share: &Share, direction: Direction, grantee: &str) {
    if grantee == "all" {
        found.changes.push(&share.public, direction, "group all");
    } else if foreign_account(grantee, call.account).is_some() {
        found.changes.push(&share.foreign, direction, format!("account {grantee}"));
    } else if grantee.starts_with("arn:") {
        // An organisation or a part of one: it may be our own, which the event does not tell.
        let direction =
            if direction == Direction::Weakened { Direction::Unknown } else { direction };
        found.changes.push(&share.foreign, direction, format!("organization {grantee}"));
    }
}
