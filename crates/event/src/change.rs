//! A change of protection: which control of a datastore, from what to what, and in which direction.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One kind of protection. A closed set of thirteen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Control {
    /// Nobody reads without proving identity.
    Authentication,
    /// Who can open a connection at all.
    NetworkExposure,
    /// The guard above policies that keeps a mistake from becoming public.
    PublicAccessBlock,
    /// Who is authorised: resource policies, roles, grants, ACLs.
    AccessPolicy,
    /// Trust that crosses to another account, tenant or cluster, copies included.
    Sharing,
    /// Ciphertext on disk, and whose key.
    EncryptionAtRest,
    /// TLS required.
    EncryptionInTransit,
    /// Keys and secrets stay usable and own.
    KeyAvailability,
    /// The record of access and change is produced, complete and kept.
    AuditLogging,
    /// Somebody or something evaluates that record.
    Monitoring,
    /// Rows, columns or fields hidden from some readers.
    DataMasking,
    /// Data survives deletion and ransom.
    RecoveryProtection,
    /// The preventive rule above the account or project.
    OrgGuardrail,
}

impl Control {
    /// All thirteen, in the order of the vocabulary.
    pub const ALL: [Self; 13] = [
        Self::Authentication,
        Self::NetworkExposure,
        Self::PublicAccessBlock,
        Self::AccessPolicy,
        Self::Sharing,
        Self::EncryptionAtRest,
        Self::EncryptionInTransit,
        Self::KeyAvailability,
        Self::AuditLogging,
        Self::Monitoring,
        Self::DataMasking,
        Self::RecoveryProtection,
        Self::OrgGuardrail,
    ];

    /// The name in schemas, rows and alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::NetworkExposure => "network_exposure",
            Self::PublicAccessBlock => "public_access_block",
            Self::AccessPolicy => "access_policy",
            Self::Sharing => "sharing",
            Self::EncryptionAtRest => "encryption_at_rest",
            Self::EncryptionInTransit => "encryption_in_transit",
            Self::KeyAvailability => "key_availability",
            Self::AuditLogging => "audit_logging",
            Self::Monitoring => "monitoring",
            Self::DataMasking => "data_masking",
            Self::RecoveryProtection => "recovery_protection",
            Self::OrgGuardrail => "org_guardrail",
        }
    }

    /// The control of this name, if it is one of the thirteen.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|control| control.as_str() == name)
    }

    /// What kind of window a weakening of this control opens.
    pub const fn window_kind(self) -> WindowKind {
        match self {
            Self::Authentication
            | Self::NetworkExposure
            | Self::PublicAccessBlock
            | Self::AccessPolicy
            | Self::Sharing
            | Self::DataMasking => WindowKind::Confidentiality,
            Self::AuditLogging | Self::Monitoring => WindowKind::Blind,
            Self::EncryptionAtRest
            | Self::EncryptionInTransit
            | Self::KeyAvailability
            | Self::RecoveryProtection
            | Self::OrgGuardrail => WindowKind::Fragility,
        }
    }
}

/// What a weakened control puts at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WindowKind {
    /// Somebody may read who should not.
    Confidentiality,
    /// What happens is no longer recorded or no longer looked at.
    Blind,
    /// The data, its keys or the guard rails around it are easier to lose.
    Fragility,
}

impl WindowKind {
    /// The name in rows and alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confidentiality => "confidentiality",
            Self::Blind => "blind",
            Self::Fragility => "fragile",
        }
    }
}

/// Whether protection became less or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Less protection than a protected datastore has.
    Weakened,
    /// Protection restored or added.
    Strengthened,
    /// A change that moves protection neither way.
    Neutral,
    /// The event alone does not tell: it depends on what was set before.
    Unknown,
}

impl Direction {
    /// The name in rows and alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weakened => "weakened",
            Self::Strengthened => "strengthened",
            Self::Neutral => "neutral",
            Self::Unknown => "unknown",
        }
    }

    /// The direction of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Weakened, Self::Strengthened, Self::Neutral, Self::Unknown]
            .into_iter()
            .find(|direction| direction.as_str() == name)
    }
}

/// The setting of a neutral change of [`Control::Sharing`] that tells of a copy *to* another datastore. `opened` is the uid
/// of the copy; `after`, where the event tells it, where the copy goes, as [`copy_place`] writes it.
pub const COPY_TO: &str = "copy_to";

/// The same of a datastore that is made *from* another one. `opened` is the uid of what it is made from; `before`, where
/// the event tells it, where that lies.
pub const COPY_FROM: &str = "copy_from";

/// Where the other end of a copy lies, as one text: `provider/account/region`, an empty part where nobody tells.
pub fn copy_place(provider: Option<&str>, account: Option<&str>, region: Option<&str>) -> String {
    [provider, account, region].map(Option::unwrap_or_default).join("/")
}

/// One change of one control, as the values of an event state it.
///
/// The state of a setting is the set of things that are open in it. An event opens things (`Weakened`), closes them
/// (`Strengthened`), or, where it carries the `whole` setting, says by what it names which things are open from now on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Change<'a> {
    /// The row of the control catalogue that judged the event; empty where the source itself stated the change.
    pub catalogue_row: Cow<'a, str>,
    /// The control.
    pub control: Control,
    /// The setting of the product, in the product's words: `bucket_policy`, `publiclyAccessible`.
    pub setting: Cow<'a, str>,
    /// What was opened or closed: a principal, a network and port, an account, a flag. Empty with `whole`: nothing is open.
    pub opened: Cow<'a, str>,
    /// The value before, where the event tells.
    pub before: Option<Cow<'a, str>>,
    /// The value after, where the event tells.
    pub after: Option<Cow<'a, str>>,
    /// Less or more protection.
    pub direction: Direction,
    /// The event carries the whole setting: what it does not name is closed by it.
    pub whole: bool,
}

impl Change<'_> {
    /// The same change, borrowing nothing.
    pub fn into_owned(self) -> Change<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Change {
            catalogue_row: own(self.catalogue_row),
            control: self.control,
            setting: own(self.setting),
            opened: own(self.opened),
            before: self.before.map(own),
            after: self.after.map(own),
            direction: self.direction,
            whole: self.whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for control in Control::ALL {
            assert_eq!(Control::parse(control.as_str()), Some(control));
        }
        assert_eq!(Control::parse("firewall"), None);
        assert_eq!(Direction::parse("weakened"), Some(Direction::Weakened));
    }
}
