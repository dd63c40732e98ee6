//! How bad an opening is, and how that came about: the catalogue's value, what is known of the legs, whose data it is, how
//! long it is open, then the limits.

use std::sync::Arc;

use dataward_event::audit_event::{DatastoreForm, Sensitivity};
use dataward_event::change::{Control, WindowKind};
use dataward_event::exposure::{Known, Level};
use dataward_event::finding::{Approval, CloseReason, Severity, Step};
use dataward_event::time::EventTime;

use crate::catalogue::Confidence;
use crate::context::Context;
use crate::opening::{Closing, DAY_MICROS, Opening, SOURCE_SILENT, Tally};
use crate::told::{catalogue_rows, level_of};

/// An approved change is so much less bad.
const APPROVED: i32 = 2;

/// A severity, and what counted.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// How bad.
    pub severity: Severity,
    /// How it came about.
    pub because: Vec<String>,
    /// The approved change that it belongs to.
    pub approval: Option<Approval>,
}

/// What the severity of a statement about an opening depends on besides the opening.
pub(crate) struct Weight {
    pub(crate) level: Level,
    pub(crate) sensitivity: Option<Sensitivity>,
    pub(crate) is_read_from_outside: bool,
    /// Nobody records what is done.
    pub(crate) is_blind: bool,
    /// As of when.
    pub(crate) at: EventTime,
    /// As of when an approval counts: until it ends, or what was opened is closed.
    pub(crate) approved_at: EventTime,
}

/// A value on its way, with what moved it.
struct Sum {
    value: i32,
    because: Vec<String>,
}

impl Sum {
    fn add(&mut self, by: i32, why: &str) {
        if by != 0 {
            self.value += by;
            self.because.push(format!("{why}: {by:+}"));
        }
    }

    fn at_most(&mut self, most: i32, why: &str) {
        if self.value > most {
            self.value = most;
            self.because.push(format!("{why}: at most {most}"));
        }
    }

    fn at_least(&mut self, least: i32, why: &str) {
        if self.value < least {
            self.value = least;
            self.because.push(format!("{why}: at least {least}"));
        }
    }

    fn set(&mut self, value: i32, why: &str) {
        if self.value != value {
            self.value = value;
            self.because.push(format!("{why}: {value}"));
        }
    }
}

impl Weighed {
    /// A severity that a rule always has.
    pub fn fixed(severity: Severity, why: &str) -> Self {
        let because = vec![format!("{why}: {}", severity.id())];
        Self { severity, because, approval: None }
    }

    /// What is approved is less bad.
    pub(crate) fn approve(&mut self, approval: Option<&Approval>) {
        let Some(approval) = approval else { return };
        self.severity = Severity::clamped(i32::from(self.severity.id()) - APPROVED);
        self.because.push(format!("approved by {}: {:+}", approval.ticket, -APPROVED));
    }

    /// The step, severity and time of a finding that stands from `time` on until something has ended it.
    pub(crate) fn until(
        self,
        closing: Option<&Arc<Closing>>,
        time: EventTime,
    ) -> (Step, Self, EventTime) {
        match closing {
            None => (Step::Create, self, time),
            Some(closing) => {
                (Step::Close(closing.reason), self.softened(closing.reason), closing.event.time)
            }
        }
    }

    /// What was replaced within minutes is a note.
    #[must_use]
    pub fn softened(mut self, reason: CloseReason) -> Self {
        if reason == CloseReason::Replaced && self.severity > Severity::LOW {
            self.severity = Severity::LOW;
            self.because.push("replaced within the grace period: at most 2".to_owned());
        }
        self
    }
}

/// The catalogue's value; less for each leg that nobody knows of; more for restricted data, and after a day; then the
/// limits: weakened at most 4, exposed at least 5, read from outside or unrecorded 6, a row that no event has confirmed at
/// most 3; and less for what was approved.
pub(crate) fn weigh(opening: &Opening, weight: &Weight, context: &Context) -> Weighed {
    let rows = catalogue_rows(opening);
    let kind = opening.control().window_kind();
    let unstated = match kind {
        WindowKind::Confidentiality | WindowKind::Blind => 4,
        WindowKind::Fragility => 3,
    };
    let value = rows.iter().map(|row| i32::from(row.severity)).max();
    let because = match value {
        Some(value) => format!("the catalogue's value: {value}"),
        None => format!("a {} window: {unstated}", kind.as_str()),
    };
    let mut sum = Sum { value: value.unwrap_or(unstated), because: vec![because] };
    let is_confidential = kind == WindowKind::Confidentiality;
    if is_confidential && weight.level == Level::Weakened {
        let is_unknown = |known: Known| -i32::from(known == Known::Unknown);
        sum.add(is_unknown(opening.reachable), "not known to be reachable from outside");
        sum.add(is_unknown(opening.readable), "not known to be readable by whoever reaches it");
    }
    sum.add(i32::from(weight.sensitivity == Some(Sensitivity::Restricted)), "restricted data");
    let age = weight.at.micros().saturating_sub(opening.event.time.micros());
    sum.add(i32::from(is_confidential && age >= DAY_MICROS), "open for a day");
    if is_confidential {
        limit(&mut sum, opening, weight);
    }
    let is_unconfirmed =
        !rows.is_empty() && rows.iter().all(|row| row.confidence == Confidence::Verify);
    if is_unconfirmed {
        sum.at_most(3, "no captured event confirms the row");
    }
    let event = &opening.event;
    let (actor, datastore) = (&event.actor, &event.datastore);
    let is_a_change = !opening.is_of_a_read() && opening.key.1 != SOURCE_SILENT;
    let approval = context
        .approval(actor, datastore, opening.control(), event.time, weight.approved_at)
        .filter(|_| is_a_change);
    if let Some(approval) = &approval
        && !weight.is_read_from_outside
    {
        sum.add(-APPROVED, &format!("approved by {}", approval.ticket));
    }
    Weighed { severity: Severity::clamped(sum.value), because: sum.because, approval }
}

fn limit(sum: &mut Sum, opening: &Opening, weight: &Weight) {
    match weight.level {
        Level::Weakened => sum.at_most(4, "weakened, not exposed"),
        // A foreign account that nothing was opened to may be a partner that nobody has named yet.
        Level::Exposed if opening.is_of_a_read() && opening.control() == Control::Sharing => {
            sum.set(5, "read by a foreign account that nothing was opened to");
        }
        Level::Exposed if weight.is_read_from_outside => {
            sum.set(6, "exposed and read from outside")
        }
        Level::Exposed if weight.is_blind => sum.set(6, "exposed while nobody records it"),
        Level::Exposed => sum.at_least(5, "exposed"),
    }
    if opening.event.datastore.form == DatastoreForm::Guard {
        sum.at_most(4, "a guard holds no data");
    }
}

/// Whether nobody recorded what was done in the exposure of an opening: by a time, or at all.
pub(crate) fn is_blind_by(opening: &Opening, time: Option<EventTime>) -> bool {
    let blind = opening.exposure.as_ref().and_then(|exposed| exposed.blind.as_ref());
    blind.is_some_and(|blind| time.is_none_or(|time| blind.event.time <= time))
}

/// The severity of a window as a whole, as of `now`.
pub fn window_severity(
    opening: &Opening,
    context: &Context,
    inherited: Option<Sensitivity>,
    tally: &Tally,
    now: EventTime,
) -> Severity {
    let end = opening.judged_until(now);
    let is_proven = opening.exposure.as_ref().is_some_and(|exposed| exposed.is_proven);
    let weight = Weight {
        level: level_of(opening).0,
        sensitivity: sensitivity_of(opening, context, inherited),
        is_read_from_outside: is_proven || tally.outside.reads > 0,
        is_blind: is_blind_by(opening, None),
        at: end,
        approved_at: end,
    };
    let weighed = weigh(opening, &weight, context);
    match opening.closing() {
        Some(closing) if !weight.is_read_from_outside => weighed.softened(closing.reason).severity,
        _ => weighed.severity,
    }
}

/// How sensitive the data of an opening is: by the context file, else by the producer; a copy is at least as sensitive as
/// what it was made from.
pub(crate) fn sensitivity_of(
    opening: &Opening,
    context: &Context,
    inherited: Option<Sensitivity>,
) -> Option<Sensitivity> {
    let entry = context.datastore(&opening.event.datastore);
    let own = entry.and_then(|entry| entry.sensitivity()).or(opening.event.sensitivity);
    own.max(inherited)
}
