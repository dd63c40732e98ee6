//! Who can reach a port of a datastore: security groups.

use std::borrow::Cow;

use dataward_event::change::Direction;
use serde_json::Value;

use super::document::{at, bool_at, count_at, items, text_at};
use super::{Call, Found, foreign_account};
use crate::catalogue_rows::{self as rows, EmittedRow};
use crate::network::{Breadth, breadth, is_private, prefix, reaches_datastore, world_name};

/// One rule: who, how, where to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    network: String,
    protocol: String,
    /// `None` is every port.
    ports: Option<(u64, u64)>,
}

impl Rule {
    /// The stable name of the opened thing.
    fn opened(&self) -> String {
        let network = world_name(&self.network);
        match self.ports {
            None => format!("{network} {} all", self.protocol),
            Some((from, to)) if from == to => format!("{network} {} {from}", self.protocol),
            Some((from, to)) => format!("{network} {} {from}-{to}", self.protocol),
        }
    }

    /// The row that the rule belongs to; `None` for a rule that opens no datastore to strangers.
    fn row(&self) -> Option<&'static EmittedRow> {
        let is_reached = match (self.protocol.as_str(), self.ports) {
            ("icmp" | "icmpv6" | "1" | "58", _) => false,
            (_, None) => true,
            (_, Some((from, to))) => reaches_datastore(from, to),
        };
        match breadth(&self.network)? {
            _ if !is_reached => None,
            Breadth::World => Some(&rows::EC2_INGRESS_WORLD),
            Breadth::Wide => Some(&rows::EC2_INGRESS_WIDE),
            Breadth::Narrow => None,
        }
    }
}

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match (call.service, call.operation) {
        ("ec2", "AuthorizeSecurityGroupIngress") => {
            push_rules(found, &request_rules(call.request()), Direction::Weakened);
        }
        ("ec2", "RevokeSecurityGroupIngress") => revoke(call, found),
        ("ec2", "ModifySecurityGroupRules") => modify_rules(call, found),
        ("ec2", "DeleteSecurityGroup") => {
            found.changes.whole(&rows::EC2_INGRESS_WORLD, []);
        }
        ("rds", "AuthorizeDBSecurityGroupIngress") => {
            legacy(call, found, &rows::RDS_SECURITY_GROUP, true);
        }
        ("rds", "RevokeDBSecurityGroupIngress") => {
            legacy(call, found, &rows::RDS_SECURITY_GROUP, false);
        }
        _ => {}
    }
}

fn push_rules(found: &mut Found, rules: &[Rule], direction: Direction) {
    for rule in rules {
        if let Some(row) = rule.row() {
            found.changes.push(row, direction, rule.opened());
        }
    }
}

/// The rules that a request names, in the nested form and in the flat one.
fn request_rules(request: &Value) -> Vec<Rule> {
    let mut rules = Vec::new();
    for permission in items(request.get("ipPermissions")) {
        let networks = items(permission.get("ipRanges"))
            .into_iter()
            .chain(items(permission.get("ipv6Ranges")))
            .filter_map(network_of);
        rules.extend(networks.map(|network| rule(permission, network)));
    }
    if rules.is_empty() {
        rules.extend(network_of(request).map(|network| rule(request, network)));
    }
    rules
}

fn network_of(range: &Value) -> Option<String> {
    ["cidrIp", "cidrIpv6", "cidrIpv4", "CidrIpv4", "CidrIpv6"]
        .iter()
        .find_map(|key| text_at(range, &[key]))
}

fn rule(ports: &Value, network: String) -> Rule {
    let text = |keys: [&str; 2]| keys.iter().find_map(|key| text_at(ports, &[key]));
    let count = |keys: [&str; 2]| keys.iter().find_map(|key| count_at(ports, &[key]));
    let protocol = text(["ipProtocol", "IpProtocol"]).unwrap_or_else(|| "-1".to_owned());
    let protocol = match protocol.as_str() {
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        _ => protocol.to_ascii_lowercase(),
    };
    let is_all = protocol == "-1" || protocol == "all";
    let range = (count(["fromPort", "FromPort"]), count(["toPort", "ToPort"]));
    let ports = match range {
        (Some(0), Some(65535)) => None,
        (Some(from), Some(to)) if !is_all => Some((from, to)),
        (Some(from), None) if !is_all => Some((from, from)),
        _ => None,
    };
    Rule { network, protocol: if is_all { "all".to_owned() } else { protocol }, ports }
}

fn revoke(call: &Call<'_>, found: &mut Found) {
    let mut rules = request_rules(call.request());
    if rules.is_empty() {
        // Named by rule ids only: newer answers repeat what was revoked.
        let revoked = at(call.response(), &["revokedSecurityGroupRuleSet"]);
        rules = items(revoked)
            .into_iter()
            .filter(|rule| bool_at(rule, &["isEgress"]) != Some(true))
            .filter_map(|ports| network_of(ports).map(|network| rule(ports, network)))
            .collect();
    }
    push_rules(found, &rules, Direction::Strengthened);
}

fn modify_rules(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let request = at(request, &["ModifySecurityGroupRulesRequest"]).unwrap_or(request);
    let group = text_at(request, &["GroupId"]).or_else(|| text_at(request, &["groupId"]));
    for change in items(request.get("SecurityGroupRule")) {
        let id = text_at(change, &["SecurityGroupRuleId"]).unwrap_or_default();
        let new = at(change, &["SecurityGroupRule"]).unwrap_or(change);
        let Some(network) = network_of(new) else { continue };
        let rule = rule(new, network);
        match rule.row() {
            Some(row) => {
                found.changes.weakened(row, rule.opened());
            }
            None => {
                // What the rule opened before is not told: it may have been narrowed.
                let change = found.changes.push(
                    &rows::EC2_INGRESS_WORLD,
                    Direction::Unknown,
                    format!("rule {id}"),
                );
                change.after = Some(Cow::Owned(rule.opened()));
            }
        }
    }
    if let (Some(group), Some(account), Some(region)) = (group, call.account, call.region) {
        let uid = format!("arn:aws:ec2:{region}:{account}:security-group/{group}");
        found.of_guard("AWS::EC2::SecurityGroup", uid);
    }
}

/// Security groups of a service itself, from before there were VPCs.
pub(super) fn legacy(call: &Call<'_>, found: &mut Found, row: &EmittedRow, is_weak: bool) {
    let network = ["cIDRIP", "cidrip", "cIDRIp"]
        .iter()
        .find_map(|key| text_at(call.request(), &[key]))
        .filter(|network| {
            prefix(network).is_some_and(|prefix| prefix <= 8) && !is_private(network)
        });
    if let Some(network) = network {
        found.changes.flag(row, is_weak, network);
    }
}

/// Calls that let another account connect by an endpoint of its own, and that take this back: `[authorize, revoke]`.
pub(super) fn account_access(
    call: &Call<'_>,
    found: &mut Found,
    row: &EmittedRow,
    [authorize, revoke]: [&str; 2],
) {
    let account = text_at(call.request(), &["account"]);
    let opened = account
        .filter(|account| foreign_account(account, call.account).is_some())
        .map(|account| format!("account {account}"));
    let is_weak = call.operation == authorize;
    if let Some(opened) = opened.filter(|_| is_weak || call.operation == revoke) {
        found.changes.flag(row, is_weak, opened);
    }
}
