//! Networks and ports, as far as protection is judged by them.

use std::net::{IpAddr, Ipv4Addr};

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

/// A range of at least so many addresses is nobody's own.
const WIDE_RANGE_ADDRESSES: u64 = 1 << 16;

/// How many strangers a network lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Breadth {
    /// An office, a host, a private network.
    Narrow,
    /// A public network wider than an office has.
    Wide,
    /// Everybody.
    World,
}

/// Whether a range of ports holds one that datastores listen on.
pub(crate) fn reaches_datastore(from: u64, to: u64) -> bool {
    DATASTORE_PORTS.iter().any(|(first, last)| *first <= to && from <= *last)
}

/// The same for ports as they are written: `5432`, `3000-3400`, `*`.
pub(crate) fn port_text_reaches_datastore(ports: &str) -> bool {
    let ports = ports.trim();
    if ports == "*" {
        return true;
    }
    let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
    match (from.trim().parse(), to.trim().parse()) {
        (Ok(from), Ok(to)) => reaches_datastore(from, to),
        _ => false,
    }
}

/// How broad a network in CIDR notation is; an address alone is a host. `None` for what is no network.
pub(crate) fn breadth(network: &str) -> Option<Breadth> {
    let (address, prefix) = match network.split_once('/') {
        Some((address, prefix)) => (address, prefix.parse::<u8>().ok()?),
        None => (network, u8::MAX),
    };
    let is_ipv6 = address.parse::<IpAddr>().ok()?.is_ipv6();
    let office = if is_ipv6 { OFFICE_IPV6_PREFIX } else { OFFICE_IPV4_PREFIX };
    Some(match prefix {
        0 => Breadth::World,
        prefix if prefix < office && !is_private(network) => Breadth::Wide,
        _ => Breadth::Narrow,
    })
}

/// How broad a range of IPv4 addresses is, first to last.
pub(crate) fn range_breadth(first: &str, last: &str) -> Option<Breadth> {
    let first: Ipv4Addr = first.trim().parse().ok()?;
    let last: Ipv4Addr = last.trim().parse().ok()?;
    let count = u64::from(u32::from(last)).checked_sub(u64::from(u32::from(first)))? + 1;
    Some(match count {
        count if count >= 1 << 31 => Breadth::World,
        count if count >= WIDE_RANGE_ADDRESSES && !is_private_address(first) => Breadth::Wide,
        _ => Breadth::Narrow,
    })
}

/// The prefix length of a network in CIDR notation.
pub(crate) fn prefix(network: &str) -> Option<u8> {
    let (_, prefix) = network.split_once('/')?;
    prefix.parse().ok()
}

/// Whether a network lies where only the own machines are.
pub(crate) fn is_private(network: &str) -> bool {
    let address = network.split_once('/').map_or(network, |(address, _)| address);
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => is_private_address(address),
        Ok(IpAddr::V6(address)) => {
            (address.segments()[0] & 0xfe00) == 0xfc00 || address.is_loopback()
        }
        Err(_) => false,
    }
}

/// Whether an address is one that everybody can send to.
pub(crate) fn is_of_the_internet(address: &str) -> bool {
    let Ok(parsed) = address.parse::<IpAddr>() else { return false };
    let is_link_local = matches!(parsed, IpAddr::V6(v6) if (v6.segments()[0] & 0xffc0) == 0xfe80);
    !parsed.is_unspecified() && !is_link_local && !is_private(address)
}

fn is_private_address(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared_space = first == 100 && (64..128).contains(&second);
    address.is_private() || address.is_loopback() || address.is_link_local() || is_shared_space
}

/// The stable name of a network that holds everybody.
pub(crate) fn world_name(network: &str) -> &str {
    match prefix(network) {
        Some(0) if network.contains(':') => "::/0",
        Some(0) => "0.0.0.0/0",
        _ => network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_told_by_breadth() {
        for (network, expected) in [
            ("0.0.0.0/0", Some(Breadth::World)),
            ("::/0", Some(Breadth::World)),
            ("198.51.100.0/23", Some(Breadth::Wide)),
            ("198.51.100.0/24", Some(Breadth::Narrow)),
            ("198.51.100.7", Some(Breadth::Narrow)),
            ("10.0.0.0/8", Some(Breadth::Narrow)),
            ("2001:db8::/31", Some(Breadth::Wide)),
            ("Internet", None),
        ] {
            assert_eq!(breadth(network), expected, "{network}");
        }
        assert_eq!(range_breadth("0.0.0.0", "255.255.255.255"), Some(Breadth::World));
        assert_eq!(range_breadth("198.51.0.0", "198.51.255.255"), Some(Breadth::Wide));
        assert_eq!(range_breadth("0.0.0.0", "0.0.0.0"), Some(Breadth::Narrow));
        assert_eq!(range_breadth("198.51.100.9", "198.51.100.1"), None);
    }

    #[test]
    fn ports_are_read_as_they_are_written() {
        assert!(port_text_reaches_datastore("3000-3400"));
        assert!(port_text_reaches_datastore("*"));
        assert!(!port_text_reaches_datastore("443"));
        assert!(!port_text_reaches_datastore("https"));
    }
}
