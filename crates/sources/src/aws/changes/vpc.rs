//! Networks: what stands between the internet and a machine besides its security groups.

use std::borrow::Cow;

use dataward_event::audit_event::DatastoreForm;
use dataward_event::change::Direction;
use serde_json::Value;

use super::document::{at, bool_at, count_at, embedded, items, text_at};
use super::{Call, Found, policy};
use crate::catalogue_rows as rows;
use crate::network::{Breadth, breadth, reaches_datastore, world_name};

/// First ports of the ranges from which systems take the near end of a connection: rules for them let answers in.
const EPHEMERAL_FIRST: [u64; 3] = [1024, 32768, 49152];
const EPHEMERAL_LAST: [u64; 3] = [60999, 61000, 65535];

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    match call.operation {
        "CreateNetworkAclEntry" | "ReplaceNetworkAclEntry" | "DeleteNetworkAclEntry" => {
            network_acl(call, found);
        }
        "CreateRoute" | "ReplaceRoute" | "DeleteRoute" => route(call, found),
        "ModifyNetworkInterfaceAttribute" | "ModifyInstanceAttribute" => {
            let groups: Vec<String> = items(request.get("groupSet"))
                .into_iter()
                .filter_map(|group| text_at(group, &["groupId"]))
                .collect();
            if !groups.is_empty() {
                // What these groups admit stands in events of their own.
                found.changes.whole_unknown(&rows::EC2_ATTACHED_GROUPS).after =
                    Some(Cow::Owned(groups.join(", ")));
            }
        }
        "AssociateAddress" => {
            // Which machine it is, and what runs on it, the event does not tell.
            let change =
                found.changes.push(&rows::EC2_PUBLIC_ADDRESS, Direction::Unknown, "address");
            change.after = text_at(request, &["publicIp"])
                .or_else(|| text_at(request, &["allocationId"]))
                .map(Cow::Owned);
        }
        "EnableSnapshotBlockPublicAccess" => snapshot_block(call, found),
        "ModifyVpcBlockPublicAccessOptions" => {
            let request =
                at(request, &["ModifyVpcBlockPublicAccessOptionsRequest"]).unwrap_or(request);
            let mode = ["InternetGatewayBlockMode", "internetGatewayBlockMode"]
                .iter()
                .find_map(|key| text_at(request, &[key]));
            let Some(mode) = mode else { return };
            let is_weak = mode == "off";
            found.changes.flag(&rows::EC2_VPC_BLOCK, is_weak, "internet_gateway").after =
                Some(Cow::Owned(mode));
            found.of_account(call, true);
        }
        "ModifyVpcEndpoint" => endpoint_policy(call, found),
        "LockSnapshot" | "UnlockSnapshot" => snapshot_lock(call, found),
        _ => {}
    }
}

/// Rules of a network's list are known by their number: only the call that sets one says what it admits.
fn network_acl(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    if bool_at(request, &["egress"]) == Some(true) {
        return;
    }
    let Some(number) = text_at(request, &["ruleNumber"]) else { return };
    let is_weak = call.operation != "DeleteNetworkAclEntry" && admits_world(request);
    if is_weak || call.operation != "CreateNetworkAclEntry" {
        found.changes.flag(&rows::EC2_NETWORK_ACL, is_weak, format!("rule {number}"));
    }
}

fn admits_world(request: &Value) -> bool {
    let networks = ["cidrBlock", "ipv6CidrBlock"];
    let is_world = networks
        .iter()
        .filter_map(|key| text_at(request, &[key]))
        .any(|network| breadth(&network) == Some(Breadth::World));
    let is_allowed = text_at(request, &["ruleAction"]).as_deref() == Some("allow");
    let ports =
        (count_at(request, &["portRange", "from"]), count_at(request, &["portRange", "to"]));
    let protocol = ["aclProtocol", "protocol"].iter().find_map(|key| text_at(request, &[key]));
    let is_reached = match (protocol.as_deref(), ports) {
        (Some("1" | "58" | "icmp" | "icmpv6"), _) => false,
        (Some("-1" | "all"), _) => true,
        (_, (Some(first), Some(last))) => {
            let is_ephemeral = EPHEMERAL_FIRST.contains(&first) && EPHEMERAL_LAST.contains(&last);
            !is_ephemeral && reaches_datastore(first, last)
        }
        _ => false,
    };
    is_allowed && is_world && is_reached
}

/// A route for the whole internet. Whether a datastore stands behind the table, the event does not tell.
fn route(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let destination = ["destinationCidrBlock", "destinationIpv6CidrBlock"]
        .iter()
        .find_map(|key| text_at(request, &[key]))
        .filter(|network| breadth(network) == Some(Breadth::World));
    let Some(destination) = destination else { return };
    let gateway = text_at(request, &["gatewayId"]).unwrap_or_default();
    let is_weak = call.operation != "DeleteRoute" && gateway.starts_with("igw-");
    if is_weak || call.operation != "CreateRoute" {
        let opened = world_name(&destination).to_owned();
        let change = found.changes.flag(&rows::EC2_INTERNET_ROUTE, is_weak, opened);
        change.after = (!gateway.is_empty()).then_some(Cow::Owned(gateway));
    }
}

/// The weaker state of the guard refuses new sharing only; from the stronger one that is a step back.
fn snapshot_block(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let request = at(request, &["EnableSnapshotBlockPublicAccessRequest"]).unwrap_or(request);
    let state = ["State", "state"].iter().find_map(|key| text_at(request, &[key]));
    let direction = if state.as_deref() == Some("block-new-sharing") {
        Direction::Unknown
    } else {
        Direction::Strengthened
    };
    found.changes.push(&rows::EC2_SNAPSHOT_BLOCK, direction, "block_public_access").after =
        state.map(Cow::Owned);
    found.of_account(call, true);
}

/// The policy of an endpoint limits what may be reached through it; the default one limits nothing.
fn endpoint_policy(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let request = at(request, &["ModifyVpcEndpointRequest"]).unwrap_or(request);
    let is_reset = bool_at(request, &["ResetPolicy"]) == Some(true);
    let document = request.get("PolicyDocument").and_then(embedded);
    let is_weak = match document {
        _ if is_reset => true,
        Some(document) => policy::admits_everything(&document),
        None => return,
    };
    found.changes.flag(&rows::EC2_ENDPOINT_POLICY, is_weak, "policy");
    let arn =
        text_at(request, &["VpcEndpointId"]).and_then(|id| ec2_arn(call, "vpc-endpoint", &id));
    if let Some(arn) = arn {
        found.of_guard("AWS::EC2::VPCEndpoint", arn);
    }
}

fn snapshot_lock(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let request = ["LockSnapshotRequest", "UnlockSnapshotRequest"]
        .iter()
        .find_map(|key| at(request, &[key]))
        .unwrap_or(request);
    let is_weak = call.operation == "UnlockSnapshot";
    found.changes.flag(&rows::EC2_SNAPSHOT_LOCK, is_weak, "lock");
    let arn = text_at(request, &["SnapshotId"]).and_then(|id| ec2_arn(call, "snapshot", &id));
    if let Some(arn) = arn {
        found.of_resource("AWS::EC2::Snapshot", arn, DatastoreForm::Snapshot);
    }
}

/// The ARN of a resource of a call whose request is wrapped.
fn ec2_arn(call: &Call<'_>, resource: &str, id: &str) -> Option<String> {
    let (account, region) = (call.account?, call.region?);
    Some(format!("arn:aws:ec2:{region}:{account}:{resource}/{id}"))
}
