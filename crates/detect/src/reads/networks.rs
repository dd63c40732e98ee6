//! From which networks an actor comes.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// How many networks are remembered: the one that was not used for longest goes first.
const NETWORKS_MAX: usize = 8;
/// For how long a network is new, in seconds.
const NEW_SECONDS: i64 = 86_400;

/// The networks an actor came from lately.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Networks {
    known: Vec<Known>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Known {
    network: u64,
    first: i64,
    last: i64,
}

/// How an event's network stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    /// It was never seen before this event.
    pub is_first: bool,
    /// It was first seen less than a day ago.
    pub is_new: bool,
    /// The second in which it was first seen.
    pub first: i64,
}

/// The network of an address, as a number: its /24, of IPv6 its /48.
pub fn network_of(address: &str) -> Option<u64> {
    match address.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => Some(u64::from(address.to_bits() >> 8)),
        // Beyond what an IPv4 network can be: those have 24 bits.
        IpAddr::V6(address) => Some((address.to_bits() >> 80) as u64 | 1 << 48),
    }
}

/// A network as people write it.
pub fn written(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        Err(_) => address.to_owned(),
    }
}

impl Networks {
    /// How many networks are remembered.
    pub const fn count(&self) -> usize {
        self.known.len()
    }

    /// Takes in that an event came from a network. The first network of all is not new.
    pub fn meet(&mut self, network: u64, second: i64) -> Met {
        let is_start = self.known.is_empty();
        if let Some(known) = self.known.iter_mut().find(|known| known.network == network) {
            known.last = known.last.max(second);
            let is_new = second - known.first < NEW_SECONDS;
            return Met { is_first: false, is_new, first: known.first };
        }
        if self.known.len() >= NETWORKS_MAX {
            let oldest = self.known.iter().enumerate().min_by_key(|(_, known)| known.last);
            if let Some((place, _)) = oldest {
                self.known.remove(place);
            }
        }
        let first = if is_start { second - NEW_SECONDS } else { second };
        self.known.push(Known { network, first, last: second });
        Met { is_first: !is_start, is_new: !is_start, first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_new_for_a_day_and_the_first_one_is_not() {
        let mut networks = Networks::default();
        assert!(!networks.meet(1, 0).is_new);
        assert_eq!(networks.meet(2, 100), Met { is_first: true, is_new: true, first: 100 });
        assert_eq!(networks.meet(2, 80_000), Met { is_first: false, is_new: true, first: 100 });
        assert!(!networks.meet(2, 86_500).is_new && !networks.meet(1, 90_000).is_new);
        for network in 10..30 {
            networks.meet(network, 100_000);
        }
        assert_eq!(networks.known.len(), NETWORKS_MAX);
    }

    #[test]
    fn networks_are_those_of_addresses() {
        assert_eq!(network_of("203.0.113.7"), network_of("203.0.113.200"));
        assert_eq!(network_of("203.0.113.7"), network_of("::ffff:203.0.113.9"));
        assert_ne!(network_of("203.0.113.7"), network_of("203.0.112.7"));
        assert_eq!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:ffff::1"));
        assert_ne!(network_of("2001:db8:1::1"), network_of("2001:db8:2::1"));
        assert_eq!((network_of("AWS Internal"), network_of("")), (None, None));
        assert_eq!(written("203.0.113.7"), "203.0.113.0/24");
        assert_eq!(written("2001:db8:1:2::1"), "2001:db8:1::/48");
    }
}
