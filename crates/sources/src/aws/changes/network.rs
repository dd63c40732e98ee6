//! Who can reach a port of a datastore: security groups.

use std::borrow::Cow;
use std::net::IpAddr;

use dataward_event::change::Direction;
use serde_json::Value;

use super::document::{at, bool_at, count_at, items, text_at};
use super::{Call, Found};
use crate::catalogue_rows::{self as rows, EmittedRow};

/// Ports that datastores listen on, as inclusive ranges.
#[rustfmt::skip]
const DATASTORE_PORTS: [(u64, u64); 34] = [
    (1433, 1434), (1521, 1521), (2181, 2181), (2379, 2380), (3050, 3050), (3306, 3306),
    (5432, 5433), (5439, 5439), (5601, 5601), (5984, 5984), (6379, 6380), (7000, 7001),
    (7473, 7474), (7687, 7687), (8086, 8086), (8087, 8087), (8123, 8123), (8529, 8529),
    (9000, 9000), (9042, 9042), (9092, 9098), (9160, 9160), (9200, 9200), (9300, 9300),
    (10255, 10255), (11211, 11211), (15432, 15432), (16379, 16379), (26257, 26257), (26379, 26379),
    (27017, 27019), (28015, 28015), (33060, 33060), (50000, 50000),
];

/// A public network with a shorter prefix is too wide to be an office.
const OFFICE_IPV4_PREFIX: u8 = 24;
const OFFICE_IPV6_PREFIX: u8 = 32;

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
        let network = match prefix(&self.network) {
            Some(0) if self.network.contains(':') => "::/0",
            Some(0) => "0.0.0.0/0",
            _ => &self.network,
        };
        match self.ports {
            None => format!("{network} {} all", self.protocol),
            Some((from, to)) if from == to => format!("{network} {} {from}", self.protocol),
            Some((from, to)) => format!("{network} {} {from}-{to}", self.protocol),
        }
    }

    /// The row that the rule belongs to; `None` for a rule that opens no datastore to strangers.
    fn row(&self) -> Option<&'static EmittedRow> {
        let reaches_datastore = match (self.protocol.as_str(), self.ports) {
            ("icmp" | "icmpv6" | "1" | "58", _) => false,
            (_, None) => true,
            (_, Some((from, to))) => {
                DATASTORE_PORTS.iter().any(|(first, last)| *first <= to && from <= *last)
            }
        };
        if !reaches_datastore {
            return None;
        }
        let prefix = prefix(&self.network)?;
        if prefix == 0 {
            return Some(&rows::EC2_INGRESS_WORLD);
        }
        let office =
            if self.network.contains(':') { OFFICE_IPV6_PREFIX } else { OFFICE_IPV4_PREFIX };
        (prefix < office && !is_private(&self.network)).then_some(&rows::EC2_INGRESS_WIDE)
    }
}

fn prefix(network: &str) -> Option<u8> {
    let (_, prefix) = network.split_once('/')?;
    prefix.parse().ok()
}

fn is_private(network: &str) -> bool {
    let address = network.split_once('/').map_or(network, |(address, _)| address);
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let [first, second, ..] = address.octets();
            let is_shared_space = first == 100 && (64..128).contains(&second);
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || is_shared_space
        }
        Ok(IpAddr::V6(address)) => {
            (address.segments()[0] & 0xfe00) == 0xfc00 || address.is_loopback()
        }
        Err(_) => false,
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
        ("rds", "AuthorizeDBSecurityGroupIngress") => legacy(call, found, Direction::Weakened),
        ("rds", "RevokeDBSecurityGroupIngress") => legacy(call, found, Direction::Strengthened),
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

/// Security groups of RDS itself, from before there were VPCs.
fn legacy(call: &Call<'_>, found: &mut Found, direction: Direction) {
    let network = ["cIDRIP", "cidrip", "cIDRIp"]
        .iter()
        .find_map(|key| text_at(call.request(), &[key]))
        .filter(|network| {
            prefix(network).is_some_and(|prefix| prefix <= 8) && !is_private(network)
        });
    if let Some(network) = network {
        found.changes.push(&rows::RDS_SECURITY_GROUP, direction, network);
    }
}
