//! Who can reach a datastore: firewall rules, network rules, security groups.

use std::borrow::Cow;

use super::Call;
use crate::catalogue_rows::{EmittedRow, azure as rows};
use crate::changes::Changes;
use crate::network::{Breadth, breadth, port_text_reaches_datastore, range_breadth, world_name};
use crate::node::Node;

/// The rows of the firewall rules of a product: for strangers in general, and for all of Azure.
struct Firewall {
    servers: &'static str,
    open: &'static EmittedRow,
    azure: &'static EmittedRow,
}

#[rustfmt::skip]
const FIREWALLS: &[Firewall] = &[
    Firewall { servers: "MICROSOFT.SQL/SERVERS", open: &rows::SQL_FIREWALL_OPEN, azure: &rows::SQL_FIREWALL_AZURE },
    Firewall { servers: "MICROSOFT.DBFORPOSTGRESQL/FLEXIBLESERVERS", open: &rows::POSTGRES_FIREWALL, azure: &rows::POSTGRES_FIREWALL },
    Firewall { servers: "MICROSOFT.DBFORPOSTGRESQL/SERVERS", open: &rows::POSTGRES_FIREWALL, azure: &rows::POSTGRES_FIREWALL },
    Firewall { servers: "MICROSOFT.DBFORMYSQL/FLEXIBLESERVERS", open: &rows::MYSQL_FIREWALL, azure: &rows::MYSQL_FIREWALL },
    Firewall { servers: "MICROSOFT.DBFORMYSQL/SERVERS", open: &rows::MYSQL_FIREWALL, azure: &rows::MYSQL_FIREWALL },
    Firewall { servers: "MICROSOFT.CACHE/REDIS", open: &rows::REDIS_FIREWALL, azure: &rows::REDIS_FIREWALL },
];

/// Words that stand for every address.
const EVERYBODY: [&str; 4] = ["*", "internet", "any", "0.0.0.0"];

pub(super) fn read(call: &Call<'_>, changes: &mut Changes) {
    if let Some((servers, verb)) = call.operation.split_once("/FIREWALLRULES/")
        && let Some(firewall) = FIREWALLS.iter().find(|firewall| firewall.servers == servers)
    {
        firewall_rule(call, firewall, verb, changes);
    }
    match call.operation {
        "MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE" => storage_rules(call, changes),
        "MICROSOFT.STORAGE/STORAGEACCOUNTS/PRIVATEENDPOINTCONNECTIONS/DELETE"
        | "MICROSOFT.STORAGE/STORAGEACCOUNTS/PRIVATEENDPOINTCONNECTIONS/WRITE" => {
            private_endpoint(call, changes);
        }
        "MICROSOFT.DOCUMENTDB/DATABASEACCOUNTS/WRITE" => cosmos(call, changes),
        "MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/SECURITYRULES/WRITE"
        | "MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/SECURITYRULES/DELETE" => {
            security_rule(call, changes);
        }
        "MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/WRITE" => security_rules(call, changes),
        "MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/DELETE" if call.is_told() => {
            changes.whole(&rows::NSG_WORLD, []);
        }
        _ => {}
    }
}

/// A rule is known by its name: its deletion tells nothing else.
fn firewall_rule(call: &Call<'_>, firewall: &Firewall, verb: &str, changes: &mut Changes) {
    let opened = format!("rule {}", call.resource.name());
    if verb == "DELETE" {
        if call.is_told() {
            changes.strengthened(firewall.open, opened);
        }
        return;
    }
    let Some(properties) = call.request.at(&["properties"]) else { return };
    let text = |keys: [&str; 2]| keys.iter().find_map(|key| properties.text(&[key]));
    let (Some(first), Some(last)) =
        (text(["startIpAddress", "startIP"]), text(["endIpAddress", "endIP"]))
    else {
        return;
    };
    let change = if first == "0.0.0.0" && last == "0.0.0.0" {
        changes.weakened(firewall.azure, opened)
    } else {
        let is_open = range_breadth(&first, &last).is_some_and(|b| b > Breadth::Narrow);
        changes.flag(firewall.open, is_open, opened)
    };
    change.after = Some(Cow::Owned(format!("{first}-{last}")));
}

/// `networkAcls.ipRules` is a whole list.
fn storage_rules(call: &Call<'_>, changes: &mut Changes) {
    let path = ["properties", "networkAcls", "ipRules"];
    if !call.request.has(&path) {
        return;
    }
    let networks = call.request.list(&path).iter();
    let opened = networks.filter_map(|rule| {
        let network = rule.text(&["value"]).or_else(|| rule.text(&["iPAddressOrRange"]))?;
        let is_wide = breadth(&network)? > Breadth::Narrow;
        is_wide.then(|| world_name(&network).to_owned())
    });
    changes.whole(&rows::STORAGE_NETWORK_RULE, opened.collect::<Vec<_>>());
}

fn private_endpoint(call: &Call<'_>, changes: &mut Changes) {
    use dataward_event::change::Direction;
    let opened = format!("endpoint {}", call.resource.name());
    if !call.is_told() {
        return;
    }
    let is_deleted = call.operation.ends_with("/DELETE");
    let direction = if is_deleted { Direction::Unknown } else { Direction::Strengthened };
    changes.push(&rows::STORAGE_PRIVATE_ENDPOINT, direction, opened);
}

/// An account without filter and rules is open to everybody who has a key.
fn cosmos(call: &Call<'_>, changes: &mut Changes) {
    let Some(properties) = call.request.at(&["properties"]) else { return };
    let public = properties.text(&["publicNetworkAccess"]);
    let rules = properties.list(&["ipRules"]);
    let has_filter = properties.flag(&["isVirtualNetworkFilterEnabled"]);
    let names_network = public.is_some() || has_filter.is_some() || properties.has(&["ipRules"]);
    if !names_network {
        return;
    }
    let mut opened = Vec::new();
    if public.as_deref().is_none_or(|public| public == "Enabled") {
        if public.is_some() && has_filter == Some(false) && rules.is_empty() {
            opened.push("0.0.0.0/0".to_owned());
        }
        for rule in rules {
            let network = rule.text(&["ipAddressOrRange"]).unwrap_or_default();
            match breadth(&network) {
                _ if network == "0.0.0.0" => opened.push("azure services".to_owned()),
                Some(Breadth::World | Breadth::Wide) => {
                    opened.push(world_name(&network).to_owned());
                }
                _ => {}
            }
        }
    }
    changes.whole(&rows::COSMOS_NETWORK, opened);
}

fn security_rule(call: &Call<'_>, changes: &mut Changes) {
    let name = call.resource.name();
    if call.operation.ends_with("/DELETE") {
        if call.is_told() {
            changes.strengthened(&rows::NSG_WORLD, format!("rule {name}"));
        }
        return;
    }
    let Some(properties) = call.request.at(&["properties"]) else { return };
    let opened = format!("rule {name}");
    let (row, is_open) = match opened_by(properties) {
        Some(row) => (row, true),
        None => (&rows::NSG_WORLD, false),
    };
    let change = changes.flag(row, is_open, opened);
    let ports = texts(properties, "destinationPortRange", "destinationPortRanges").join(",");
    let sources = texts(properties, "sourceAddressPrefix", "sourceAddressPrefixes").join(",");
    change.after = Some(Cow::Owned(format!("{sources} {ports}")));
}

/// A group with all of its rules.
fn security_rules(call: &Call<'_>, changes: &mut Changes) {
    let path = ["properties", "securityRules"];
    if !call.request.has(&path) {
        return;
    }
    let opened = call.request.list(&path).iter().filter_map(|rule| {
        let row = opened_by(rule.at(&["properties"])?)?;
        let name = rule.text(&["name"])?.to_ascii_lowercase();
        Some((row, format!("rule {name}")))
    });
    changes.whole_of(&rows::NSG_WORLD, opened.collect::<Vec<_>>());
}

/// The row of a rule that lets strangers reach a datastore.
fn opened_by(rule: &Node<'_>) -> Option<&'static EmittedRow> {
    let is = |key: &str, value: &str| {
        rule.text(&[key]).is_some_and(|text| text.eq_ignore_ascii_case(value))
    };
    if !is("access", "Allow") || !is("direction", "Inbound") || is("protocol", "Icmp") {
        return None;
    }
    let ports = texts(rule, "destinationPortRange", "destinationPortRanges");
    if !ports.iter().any(|ports| port_text_reaches_datastore(ports)) {
        return None;
    }
    let sources = texts(rule, "sourceAddressPrefix", "sourceAddressPrefixes");
    let breadths = sources.iter().filter_map(|source| {
        let is_everybody = EVERYBODY.contains(&source.to_ascii_lowercase().as_str());
        if is_everybody { Some(Breadth::World) } else { breadth(source) }
    });
    match breadths.max()? {
        Breadth::World => Some(&rows::NSG_WORLD),
        Breadth::Wide => Some(&rows::NSG_WIDE),
        Breadth::Narrow => None,
    }
}

/// A value in the singular, or several in the plural.
fn texts(node: &Node<'_>, one: &str, many: &str) -> Vec<String> {
    let one = node.text(&[one]).map(Cow::into_owned);
    one.into_iter().chain(node.texts(&[many]).map(Cow::into_owned)).collect()
}
