//! The deeds of the story, and what each of them must, may or must not raise.

use dataward_event::finding::RuleId;

/// Something out of the ordinary, in one event or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// The public access block of a bucket is deleted and set again three minutes later.
    Replacement,
    /// A web port is opened to the world.
    WebPort,
    /// An approved deployment sends every setting again, as it is.
    Deployment,
    /// A policy for everybody, but only of the own organization.
    OwnOrganization,
    /// The bucket of the website is open, and everybody reads it.
    PublicWebsite,
    /// A new cluster is made, and protected.
    NewCluster,
    /// Production is copied into it.
    Copy,
    /// The new cluster's own log says something for the last time.
    LastWord,
    /// The new cluster's protection is removed.
    ProtectionRemoved,
    /// An outsider finds it, and later another one.
    FirstOutsideRead,
    /// An outsider comes back.
    OutsideRead,
    /// One of them takes everything.
    OutsideDump,
    /// It is protected again.
    ProtectionRestored,
    /// An attempt to delete the audit trail is refused.
    RefusedDeletion,
    /// The audit trail is stopped.
    TrailStopped,
    /// A copy of a database is made, by somebody who never did that.
    SnapshotMade,
    /// It is handed to everybody.
    SnapshotShared,
    /// The audit trail is started again.
    TrailStarted,
    /// The copy is taken back.
    SnapshotTakenBack,
    /// A stolen role lists what there is.
    BucketsListed,
    /// It copies thirty buckets.
    BucketsCopied,
}

impl Deed {
    /// All deeds, in the order in which they begin.
    pub const ALL: [Self; 21] = [
        Self::PublicWebsite,
        Self::WebPort,
        Self::Deployment,
        Self::Replacement,
        Self::OwnOrganization,
        Self::NewCluster,
        Self::Copy,
        Self::LastWord,
        Self::ProtectionRemoved,
        Self::FirstOutsideRead,
        Self::OutsideRead,
        Self::SnapshotMade,
        Self::RefusedDeletion,
        Self::TrailStopped,
        Self::SnapshotShared,
        Self::TrailStarted,
        Self::OutsideDump,
        Self::ProtectionRestored,
        Self::SnapshotTakenBack,
        Self::BucketsListed,
        Self::BucketsCopied,
    ];

    /// The rules that must alert, each as often as it stands here.
    pub const fn must_alert(self) -> &'static [RuleId] {
        use RuleId::{
            AuditSilenced, AuditSourceSilent, ControlWeakened, CopyWeakerDatastore, ExposureClosed,
            ExposureOpened, ExposureStillOpen, ReadBulk, ReadDuringExposure, ReadExport,
        };
        match self {
            Self::Replacement => &[ControlWeakened],
            // Far more is read than ever, by a program that does only this: whoever watches wants to know.
            Self::Copy => &[ReadBulk],
            // Who should speak and does not is silent, an hour later.
            Self::LastWord => &[AuditSourceSilent],
            // Two legs, one exposure of three weeks: it is said again after an hour, a day and a week. Of both what it was
            // copied from has nothing open.
            Self::ProtectionRemoved => &[
                ControlWeakened,
                ControlWeakened,
                CopyWeakerDatastore,
                CopyWeakerDatastore,
                ExposureOpened,
                ExposureStillOpen,
                ExposureStillOpen,
                ExposureStillOpen,
            ],
            // Three networks, each told of once.
            Self::FirstOutsideRead => &[ReadDuringExposure, ReadDuringExposure, ReadDuringExposure],
            Self::ProtectionRestored | Self::SnapshotTakenBack => &[ExposureClosed],
            Self::TrailStopped => &[AuditSilenced],
            Self::SnapshotMade => &[ReadExport],
            Self::SnapshotShared => &[
                ControlWeakened,
                ExposureOpened,
                ExposureStillOpen,
                ExposureStillOpen,
                ExposureStillOpen,
            ],
            Self::BucketsCopied => &[ReadBulk],
            _ => &[],
        }
    }

    /// Further rules that may alert: what they find is true, and no promise.
    pub const fn may_alert(self) -> &'static [RuleId] {
        use RuleId::{AuditSilenced, ControlWeakened, ReadBulk, ReadDuringExposure};
        match self {
            Self::FirstOutsideRead | Self::OutsideRead | Self::OutsideDump => {
                &[ReadDuringExposure, ReadBulk]
            }
            Self::ProtectionRestored | Self::SnapshotTakenBack => &[ControlWeakened],
            Self::TrailStarted => &[AuditSilenced],
            _ => &[],
        }
    }

    /// Whether no single event is what must alert: it is many of which some are too many, or what does not follow.
    pub const fn is_an_amount(self) -> bool {
        matches!(self, Self::Copy | Self::LastWord | Self::OutsideDump | Self::BucketsCopied)
    }

    /// Whether nothing at all may be said about it.
    pub const fn must_be_quiet(self) -> bool {
        self.must_alert().is_empty() && self.may_alert().is_empty()
    }

    /// What happens, in a few words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Replacement => "a bucket's block is deleted and set again",
            Self::WebPort => "a web port is opened: no datastore answers there",
            Self::Deployment => "a deployment sends every setting again, as it is",
            Self::OwnOrganization => "a policy for everybody of the own organization",
            Self::PublicWebsite => "the website's bucket is meant for everybody",
            Self::NewCluster => "a new cluster is made, and protected",
            Self::Copy => "production is copied into the new cluster",
            Self::LastWord => "the new cluster's own log says its last",
            Self::ProtectionRemoved => "the new cluster's protection is removed",
            Self::FirstOutsideRead => "an outsider finds it",
            Self::OutsideRead => "outsiders come back",
            Self::OutsideDump => "an outsider takes everything",
            Self::ProtectionRestored => "it is found, and protected again",
            Self::RefusedDeletion => "deleting the audit trail is refused",
            Self::TrailStopped => "the audit trail is stopped",
            Self::SnapshotMade => "a copy of a database is made",
            Self::SnapshotShared => "it is handed to everybody",
            Self::TrailStarted => "the audit trail is started again",
            Self::SnapshotTakenBack => "the copy is found, and taken back",
            Self::BucketsListed => "a stolen role lists the buckets",
            Self::BucketsCopied => "it copies thirty of them",
        }
    }
}
