//! What people know and no log says: which data is sensitive, who belongs together, whom to trust.
//!
//! A versioned input of the detector. It is adopted at a checkpoint, never in the middle of a replay.

use std::net::IpAddr;

use dataward_event::audit_event::{Actor, Datastore, Sensitivity};
use dataward_event::change::Control;
use dataward_event::exposure::Known;
use dataward_event::finding::Approval;
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;
use serde::{Deserialize, Serialize};

use crate::plan::{ApprovedChange, Maintenance};
use crate::reads::evidence::Channel;
use crate::reads::verdict::{AnnouncedChange, Disposition, Verdict};
use crate::state::since_3;

/// Everything that is known, as the context file states it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Context {
    /// Whom to trust.
    pub trusted: Trusted,
    /// Datastores; the first entry that fits a datastore counts.
    pub datastores: Vec<DatastoreContext>,
    /// Actors; the first entry that fits an actor counts.
    pub actors: Vec<ActorContext>,
    /// Changes that were approved; the first one that covers a change counts.
    #[serde(default, deserialize_with = "since_3")]
    pub approved_changes: Vec<ApprovedChange>,
    /// When sources are expected to be silent.
    #[serde(default, deserialize_with = "since_3")]
    pub maintenance: Vec<Maintenance>,
    /// How many alerts of unusual reads are wanted.
    #[serde(default, deserialize_with = "since_3")]
    pub alerts_per_day: AlertsPerDay,
    /// Changes of what is read that were announced; the first one that covers a read counts.
    #[serde(default, deserialize_with = "since_3")]
    pub announced_changes: Vec<AnnouncedChange>,
    /// What people have said of findings; the last word on one counts.
    #[serde(default, deserialize_with = "since_3")]
    pub verdicts: Vec<Verdict>,
}

/// How many alerts of unusual reads a day are wanted for each thousand active actors, by channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertsPerDay {
    /// What goes on now.
    pub acute: Number,
    /// What has grown slowly.
    pub drift: Number,
    /// Work at odd hours.
    pub off_hours: Number,
}

/// A number of the file, kept in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Number(u32);

/// A number that is none of these.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0} is no number from 0 to 1000")]
pub struct NotANumber(f64);

impl Number {
    /// A whole number.
    pub const fn whole(number: u16) -> Self {
        Self(number as u32 * 1_000)
    }

    /// The number.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }
}

impl TryFrom<f64> for Number {
    type Error = NotANumber;

    fn try_from(number: f64) -> Result<Self, NotANumber> {
        let is_number = (0.0..=1_000.0).contains(&number);
        // In this range it fits.
        if is_number {
            Ok(Self((number * 1_000.0).round() as u32))
        } else {
            Err(NotANumber(number))
        }
    }
}

impl From<Number> for f64 {
    fn from(number: Number) -> Self {
        number.value()
    }
}

impl Default for AlertsPerDay {
    /// One for each thousand actors in the channels that tell of attacks; none of odd hours, which explain and rank.
    fn default() -> Self {
        Self { acute: Number::whole(1), drift: Number::whole(1), off_hours: Number::whole(0) }
    }
}

impl AlertsPerDay {
    /// How many of a channel.
    pub fn of(&self, channel: Channel) -> f64 {
        match channel {
            Channel::Acute => self.acute.value(),
            Channel::Drift => self.drift.value(),
            Channel::OffHours => self.off_hours.value(),
            // What needs no statistics has no budget.
            Channel::Policy => 1_000.0,
        }
    }
}

/// Who and what is our own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trusted {
    /// Accounts, tenants or projects beside a datastore's own: their actors are not foreign.
    pub accounts: Vec<String>,
    /// Networks from which reads are expected. Where none is named, no network is unexpected.
    pub networks: Vec<Network>,
    /// Regions into which data may be copied.
    #[serde(default, deserialize_with = "since_3")]
    pub regions: Vec<String>,
}

/// What is known of one datastore, or of all whose uid or name begins alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatastoreContext {
    /// Its uid or its name; with `*` at the end, what they begin with.
    pub name: String,
    /// How sensitive its data is. Without it the data classes decide.
    #[serde(default)]
    pub sensitivity: Option<SensitivityName>,
    /// What kinds of data are in it.
    #[serde(default)]
    pub data_classes: Vec<DataClass>,
    /// How many rows it holds.
    #[serde(default)]
    pub rows: Option<u64>,
    /// How many bytes it holds.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// How many objects it holds.
    #[serde(default)]
    pub objects: Option<u64>,
    /// It is meant for everybody: its openness is no finding.
    #[serde(default)]
    pub expected_public: bool,
    /// Whether it can be reached from outside; without it only events tell.
    #[serde(default)]
    pub reachable: Option<bool>,
    /// How many people's data it holds.
    #[serde(default, deserialize_with = "since_3")]
    pub subjects: Option<u64>,
    /// Who answers for it.
    #[serde(default, deserialize_with = "since_3")]
    pub owner: Option<String>,
    /// What it is used for: `production`.
    #[serde(default, deserialize_with = "since_3")]
    pub environment: Option<String>,
    /// Networks from which it is expected to be read, instead of the trusted ones.
    #[serde(default, deserialize_with = "since_3")]
    pub networks: Vec<Network>,
}

/// What is known of one actor, or of all whose uid or name begins alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorContext {
    /// The uid or the name; with `*` at the end, what they begin with.
    pub name: String,
    /// With whom the actor is compared.
    pub peer_group: String,
}

/// A kind of personal or secret data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataClass {
    /// Passwords, tokens, keys.
    Credentials,
    /// Health.
    Health,
    /// Card and account numbers.
    Payment,
    /// Names, addresses, mail.
    Contact,
    /// Where somebody was.
    Location,
    /// What devices and programs report.
    Telemetry,
}

/// [`Sensitivity`] as the file spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensitivityName {
    /// Meant for everybody.
    Public,
    /// Meant for the company.
    Internal,
    /// Meant for few.
    Confidential,
    /// Its loss must be notified.
    Restricted,
}

/// A network as `address/prefix`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no network: write it as address/prefix, as in 198.51.100.0/24")]
pub struct NotANetwork(String);

impl DataClass {
    /// The name in the file and in alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Health => "health",
            Self::Payment => "payment",
            Self::Contact => "contact",
            Self::Location => "location",
            Self::Telemetry => "telemetry",
        }
    }

    /// How sensitive data of this class is where nobody says so.
    pub const fn sensitivity(self) -> Sensitivity {
        match self {
            Self::Credentials | Self::Health | Self::Payment => Sensitivity::Restricted,
            Self::Contact | Self::Location => Sensitivity::Confidential,
            Self::Telemetry => Sensitivity::Internal,
        }
    }
}

impl From<SensitivityName> for Sensitivity {
    fn from(name: SensitivityName) -> Self {
        match name {
            SensitivityName::Public => Self::Public,
            SensitivityName::Internal => Self::Internal,
            SensitivityName::Confidential => Self::Confidential,
            SensitivityName::Restricted => Self::Restricted,
        }
    }
}

impl Context {
    /// A hash of everything in it: which version it is.
    pub fn hash(&self) -> String {
        UidBuilder::new("context").bytes(&crate::state::encode(self)).finish()
    }

    /// What is known of a datastore.
    pub fn datastore(&self, datastore: &Datastore<'_>) -> Option<&DatastoreContext> {
        let name = datastore.name.as_deref();
        self.datastores.iter().find(|entry| fits(&entry.name, &datastore.uid, name))
    }

    /// The peer group of an actor.
    pub fn peer_group(&self, uid: Option<&str>, name: Option<&str>) -> Option<&str> {
        let uid = uid.unwrap_or_default();
        let entry = self.actors.iter().find(|entry| fits(&entry.name, uid, name));
        entry.map(|entry| entry.peer_group.as_str())
    }

    /// Whether an account is one of our own.
    pub fn trusts_account(&self, account: &str) -> bool {
        self.trusted.accounts.iter().any(|trusted| trusted == account)
    }

    /// Whether an address lies in a network from which reads of a datastore are expected: one of its own, else one of
    /// the trusted ones. Without any such network, or without an address, nothing is unexpected.
    pub fn expects_address(&self, entry: Option<&DatastoreContext>, address: Option<&str>) -> bool {
        let Some(address) = address.and_then(|text| text.parse::<IpAddr>().ok()) else {
            return true;
        };
        let own = entry.map(|entry| &entry.networks).filter(|own| !own.is_empty());
        let networks = own.unwrap_or(&self.trusted.networks);
        networks.is_empty() || networks.iter().any(|network| network.contains(address))
    }

    /// The approval of a change that was `made` then, as far as it counts at `at`.
    pub fn approval(
        &self,
        actor: &Actor<'_>,
        datastore: &Datastore<'_>,
        control: Control,
        made: EventTime,
        at: EventTime,
    ) -> Option<Approval> {
        let mut approved = self.approved_changes.iter();
        approved.find_map(|change| change.covers(actor, datastore, control, made, at))
    }

    /// What somebody has said of a finding.
    pub fn verdict(&self, finding: &str) -> Option<&Verdict> {
        self.verdicts.iter().rfind(|verdict| verdict.finding == finding)
    }

    /// Whether people expect the reads of an actor in a channel, which are told of by a finding. The last word on a finding counts,
    /// also where it was said of the actor's others.
    pub fn expects(&self, actor: &Actor<'_>, channel: Channel, finding: &str, second: i64) -> bool {
        let last = |verdict: &&Verdict| self.verdict(&verdict.finding) == Some(*verdict);
        let is_attack = self
            .verdict(finding)
            .is_some_and(|verdict| verdict.disposition == Disposition::Confirmed);
        let mut standing = self.verdicts.iter().filter(last);
        !is_attack && standing.any(|verdict| verdict.expects(actor, channel, finding, second))
    }

    /// Whether a silence at a time was planned.
    pub fn excuses_silence(
        &self,
        source: &str,
        datastore: Option<&Datastore<'_>>,
        due: EventTime,
    ) -> bool {
        self.maintenance.iter().any(|plan| plan.excuses(source, datastore, due))
    }
}

impl DatastoreContext {
    /// How sensitive its data is, by its own statement or by its data classes.
    pub fn sensitivity(&self) -> Option<Sensitivity> {
        let by_class = || self.data_classes.iter().map(|class| class.sensitivity()).max();
        self.sensitivity.map(Sensitivity::from).or_else(by_class)
    }

    /// Whether it can be reached from outside.
    pub fn reachable(&self) -> Known {
        match self.reachable {
            Some(true) => Known::Yes,
            Some(false) => Known::No,
            None => Known::Unknown,
        }
    }
}

impl Network {
    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix);
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix);
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        let parsed = || {
            let (address, prefix) = match text.split_once('/') {
                Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
                None => (text.as_str(), None),
            };
            let address: IpAddr = address.parse().ok()?;
            let bits = if address.is_ipv4() { 32 } else { 128 };
            let prefix = prefix.unwrap_or(bits);
            (prefix <= bits).then_some(Self { address, prefix })
        };
        parsed().ok_or_else(|| NotANetwork(text.clone()))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        format!("{}/{}", network.address, network.prefix)
    }
}

/// Whether a name of the file means something of this uid and name.
pub(crate) fn fits(pattern: &str, uid: &str, name: Option<&str>) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => uid.starts_with(begin) || name.is_some_and(|name| name.starts_with(begin)),
        None => uid == pattern || name == Some(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Result<Network, NotANetwork> {
        Network::try_from(text.to_owned())
    }

    #[test]
    fn networks_hold_what_they_should() {
        let held = |network_text: &str, address: &str| {
            network(network_text).unwrap().contains(address.parse().unwrap())
        };
        assert!(held("198.51.100.0/24", "198.51.100.77"));
        assert!(!held("198.51.100.0/24", "198.51.101.1"));
        assert!(held("0.0.0.0/0", "203.0.113.1"));
        assert!(held("203.0.113.1", "203.0.113.1"));
        assert!(held("2001:db8::/32", "2001:db8::1"));
        assert!(!held("2001:db8::/32", "198.51.100.1"));
        for text in ["", "office", "198.51.100.0/33", "198.51.100.0/", "2001:db8::/129"] {
            assert!(network(text).unwrap_err().to_string().contains(text));
        }
    }

    #[test]
    fn the_data_classes_decide_where_nobody_states_the_sensitivity() {
        let mut entry = DatastoreContext {
            name: "customers*".to_owned(),
            data_classes: vec![DataClass::Telemetry, DataClass::Contact],
            ..DatastoreContext::default()
        };
        assert_eq!(entry.sensitivity(), Some(Sensitivity::Confidential));
        entry.sensitivity = Some(SensitivityName::Public);
        assert_eq!(entry.sensitivity(), Some(Sensitivity::Public));
        entry.data_classes.clear();
        entry.sensitivity = None;
        assert_eq!(entry.sensitivity(), None);
    }

    #[test]
    fn the_first_entry_that_fits_counts() {
        let group = |name: &str, peer_group: &str| ActorContext {
            name: name.to_owned(),
            peer_group: peer_group.to_owned(),
        };
        let context = Context {
            actors: vec![group("j.doe", "support"), group("arn:aws:iam::1:user/*", "staff")],
            ..Context::default()
        };
        assert_eq!(
            context.peer_group(Some("arn:aws:iam::1:user/j.doe"), Some("j.doe")),
            Some("support")
        );
        assert_eq!(context.peer_group(Some("arn:aws:iam::1:user/b"), None), Some("staff"));
        assert_eq!(context.peer_group(None, None), None);
    }
}
