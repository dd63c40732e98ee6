//! Whether somebody from outside can reach a datastore, and read what is in it: yes, no, or nobody knows.

use dataward_event::audit_event::DatastoreForm;
use dataward_event::change::Control;
use dataward_event::exposure::Known;

use crate::context::Trusted;
use crate::opening::{Exposed, Opening, OpeningId};
use crate::posture::{Facts, Posture};

/// The state of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ControlState {
    /// No event has told.
    Unknown,
    /// Nothing of it is open, as far as events told.
    Protected,
    /// Something of it is open.
    Weakened,
    /// Something of it is open, and the datastore is exposed by it.
    Exposed,
}

impl ControlState {
    /// The name in data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Protected => "protected",
            Self::Weakened => "weakened",
            Self::Exposed => "exposed",
        }
    }
}

impl Posture {
    /// Whether somebody from outside can open a connection. Buckets and snapshots have no network of their own.
    pub(crate) fn reachable(&self, facts: &Facts<'_>) -> Known {
        if matches!(facts.form, DatastoreForm::Bucket | DatastoreForm::Snapshot) {
            return Known::Yes;
        }
        if holds_no_data(facts) {
            return Known::Unknown;
        }
        match (facts.reachable, self.control_state(Control::NetworkExposure)) {
            (Known::Yes, _) | (_, ControlState::Weakened | ControlState::Exposed) => Known::Yes,
            (Known::No, _) | (Known::Unknown, ControlState::Protected) => Known::No,
            (Known::Unknown, ControlState::Unknown) => Known::Unknown,
        }
    }

    /// Whether an opening lets anybody read who can reach the datastore.
    pub(crate) fn readable(&self, opening: &Opening, facts: &Facts<'_>) -> Known {
        match opening.control() {
            Control::Authentication => Known::Yes,
            Control::Sharing => {
                let open = opening
                    .changes
                    .iter()
                    .filter(|change| !opening.closings.contains_key(&*change.opened));
                let mut strange = open.filter(|change| !trusts(facts.trusted, &change.opened));
                if strange.next().is_some() { Known::Yes } else { Known::No }
            }
            Control::AccessPolicy => {
                let is_public = opening.changes.iter().any(|change| {
                    !opening.closings.contains_key(&*change.opened)
                        && names_everybody(&change.opened)
                });
                if is_public { self.is_unguarded(&opening.key.1, facts) } else { Known::Unknown }
            }
            // A network or a guard that is open lets nobody read by itself: others decide.
            _ => {
                let states = [Control::Authentication, Control::AccessPolicy, Control::Sharing]
                    .map(|control| self.control_state(control));
                let is_protected = states.contains(&ControlState::Protected)
                    && states.iter().all(|state| *state <= ControlState::Protected);
                if is_protected { Known::No } else { Known::Unknown }
            }
        }
    }

    /// Whether no public access block stands above a public policy or ACL.
    fn is_unguarded(&self, setting: &str, facts: &Facts<'_>) -> Known {
        // The flag of AWS's block that takes the effect of a public policy, or of public ACLs.
        let flag =
            if setting.contains("acl") { "IgnorePublicAcls" } else { "RestrictPublicBuckets" };
        if facts.form == DatastoreForm::Bucket && self.guards.is_on(flag) {
            return Known::No;
        }
        let mut is_guard_known = false;
        for ((control, _), setting) in self.settings.iter() {
            if *control != Control::PublicAccessBlock {
                continue;
            }
            match setting.things.get(flag) {
                Some(thing) if thing.opening.is_some() => return Known::Yes,
                Some(_) => return Known::No,
                None if setting.things.values().any(|thing| thing.opening.is_some()) => {
                    // A block of another product, or one of which only other flags are off.
                    let is_aws = setting.things.contains_key("BlockPublicAcls")
                        || setting.things.contains_key("BlockPublicPolicy");
                    return if is_aws && setting.whole.is_some() { Known::No } else { Known::Yes };
                }
                None => is_guard_known = true,
            }
        }
        match (is_guard_known, facts.form) {
            (true, _) => Known::No,
            (false, DatastoreForm::Bucket) => Known::Unknown,
            (false, _) => Known::Yes,
        }
    }

    /// The state of a control.
    pub fn control_state(&self, control: Control) -> ControlState {
        let mut state = ControlState::Unknown;
        for ((_, _), setting) in self.settings.iter().filter(|((of, _), _)| *of == control) {
            let of_setting = if setting.is_open() {
                ControlState::Weakened
            } else if setting.is_known() {
                ControlState::Protected
            } else {
                ControlState::Unknown
            };
            state = state.max(of_setting);
        }
        let is_exposed = |(id, exposed): (&OpeningId, &Exposed)| {
            id.key.0 == control || exposed.covered.iter().any(|covered| covered.key.0 == control)
        };
        if state == ControlState::Weakened && self.active().any(is_exposed) {
            return ControlState::Exposed;
        }
        state
    }
}

/// What protects datastores without being one can be weak, not exposed.
pub(crate) const fn holds_no_data(facts: &Facts<'_>) -> bool {
    matches!(facts.form, DatastoreForm::Guard)
}

/// Whether a thing that is open is an account that is trusted.
pub(crate) fn trusts(trusted: &Trusted, thing: &str) -> bool {
    let account = thing.strip_prefix("account ").unwrap_or(thing);
    trusted.accounts.iter().any(|known| known == account)
}

/// Whether a thing that is open in a policy stands for everybody.
pub(crate) fn names_everybody(thing: &str) -> bool {
    const NAMES: [&str; 9] = [
        "*",
        "all",
        "everyone",
        "everybody",
        "public",
        "anonymous",
        "allusers",
        "allauthenticatedusers",
        "authenticatedusers",
    ];
    let lower = thing.to_ascii_lowercase();
    lower.contains("0.0.0.0/0") || lower.split([' ', ':', '/']).any(|word| NAMES.contains(&word))
}
