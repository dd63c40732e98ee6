//! The kinds of evidence, and the channels in which they speak.

use serde::{Deserialize, Serialize};

/// What belongs together: within a family the strongest counts, families add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// How much was read: four windows, of one datastore and of all.
    Volume,
    /// How many objects were read that never were before.
    NewObjects,
    /// Work at hours that are not the actor's.
    OffHours,
    /// A datastore that the actor never read, or many of them.
    NewStore,
    /// Data copied out in one go.
    Export,
    /// A datastore that the actor never wrote to.
    NewWrite,
    /// A network that the actor never came from.
    NewNetwork,
}

/// What is context more than proof counts so much at most, in nats: a network; in the channel `acute` an odd hour; a new
/// datastore of which nearly nothing was read, or to which nearly nothing was written.
pub const CONTEXT_NATS_MAX: f64 = 4.0;

/// How many families there are.
pub const FAMILIES: usize = 7;

/// Where findings speak: each has a budget of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Something is going on now.
    Acute,
    /// Something has grown slowly.
    Drift,
    /// Somebody works at odd hours.
    OffHours,
    /// What needs no statistics: an export by somebody who never exports, most of a datastore.
    Policy,
}

/// How many channels there are.
pub const CHANNELS: usize = 4;

impl Family {
    /// All families, in the order of their index.
    pub const ALL: [Self; FAMILIES] = [
        Self::Volume,
        Self::NewObjects,
        Self::OffHours,
        Self::NewStore,
        Self::Export,
        Self::NewWrite,
        Self::NewNetwork,
    ];

    /// The name in alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::NewObjects => "new_objects",
            Self::OffHours => "off_hours",
            Self::NewStore => "new_datastore",
            Self::Export => "export",
            Self::NewWrite => "new_write",
            Self::NewNetwork => "new_network",
        }
    }
}

impl Channel {
    /// All channels, in the order of their index.
    pub const ALL: [Self; CHANNELS] = [Self::Acute, Self::Drift, Self::OffHours, Self::Policy];

    /// Those that have a budget.
    pub const BUDGETED: [Self; 3] = [Self::Acute, Self::Drift, Self::OffHours];

    /// The name in alerts and in the context file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acute => "acute",
            Self::Drift => "drift",
            Self::OffHours => "off_hours",
            Self::Policy => "policy",
        }
    }

    /// What the evidence of a family weighs in it, in nats: nothing where it has no say.
    pub fn weigh(self, family: Family, nats: f64) -> f64 {
        match (self, family) {
            // An odd hour makes other evidence worse, and is none by itself.
            (Self::Acute, Family::OffHours) => nats.min(CONTEXT_NATS_MAX),
            (Self::Acute, _)
            | (Self::OffHours, Family::OffHours | Family::NewNetwork | Family::NewObjects) => nats,
            (Self::OffHours | Self::Drift | Self::Policy, _) => 0.0,
        }
    }

    /// The sum of the evidence of the families, each in nats: what two nats or less say of one is left out.
    pub fn total(self, nats: &[f64; FAMILIES]) -> f64 {
        let weighed = Family::ALL.map(|family| self.weigh(family, nats[family as usize]));
        2.0 + weighed.into_iter().map(|nats| (nats - 2.0).max(0.0)).sum::<f64>()
    }
}
