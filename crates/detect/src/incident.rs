//! The unusual reads of one actor on one day: one finding, however many reads.

use dataward_event::audit_event::{Datastore, Sensitivity};
use dataward_event::finding::Step;
use serde::{Deserialize, Serialize};

use crate::context::Context;

/// The score from which people are told, in thousandths of a nat: ln 1,000.
///
/// A score is the negative logarithm of the probability that an ordinary actor-day reaches it. Of `N` active actors,
/// `N e^-s` pass a score `s` on an ordinary day; so `ln(N / k)` lets `k` of them pass, and `k` is budgeted at one a day
/// for each thousand actors.
pub const ALERT_MILLINATS: u32 = 6_908;

/// Said again when the score has grown by this factor since the last time. A score has an end (a Student tail grows with
/// the logarithm of the volume): even the largest dump is said five or six times.
const AGAIN_FACTOR: f64 = 2.0;

/// How many datastores an incident remembers by name.
const TOUCHED_MAX: usize = 8;

/// An actor's day from the moment on when it could be an alert if the data were of the most sensitive sort.
///
/// What was said so far is not kept but follows: from the highest score, the datastores touched and the context. So
/// state stays a function of the events alone, and a new context file changes no byte of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The day in UTC, counted from 1970-01-01.
    pub day: i32,
    /// The uid of the finding: it derives from the event that opened the incident.
    pub uid: String,
    peak_millinats: u32,
    touched: Vec<Touched>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Touched {
    datastore: Datastore<'static>,
    /// What its producer says, for where the context says nothing.
    sensitivity: Option<Sensitivity>,
}

impl Incident {
    /// The lowest score that can be an alert, in thousandths of a nat: that of restricted data.
    pub const fn opens_at() -> u32 {
        ALERT_MILLINATS - weight(Some(Sensitivity::Restricted)).unsigned_abs()
    }

    /// An incident of which nothing is known yet.
    pub const fn new(day: i32, uid: String) -> Self {
        Self { day, uid, peak_millinats: 0, touched: Vec::new() }
    }

    /// Takes the score of a read in, and says whether people must be told.
    pub fn raise(
        &mut self,
        millinats: u32,
        datastore: &Datastore<'_>,
        sensitivity: Option<Sensitivity>,
        context: &Context,
    ) -> Option<Step> {
        let touched = self.touched.iter().position(|known| known.datastore.uid == datastore.uid);
        let is_new = touched.is_none() && self.touched.len() < TOUCHED_MAX;
        if millinats <= self.peak_millinats && !is_new {
            return None;
        }
        let before = self.statements(context);
        self.peak_millinats = self.peak_millinats.max(millinats);
        if is_new {
            self.touched.push(Touched { datastore: datastore.clone().into_owned(), sensitivity });
        }
        match (before, self.statements(context)) {
            (before, now) if now <= before => None,
            (0, _) => Some(Step::Create),
            _ => Some(Step::Update),
        }
    }

    /// Whether people know of it.
    pub fn is_told(&self, context: &Context) -> bool {
        self.statements(context) > 0
    }

    /// The sensitivity that weighs most among the datastores touched.
    pub fn sensitivity(&self, context: &Context) -> Option<Sensitivity> {
        let known = self
            .touched
            .iter()
            .map(|touched| sensitivity_of(&touched.datastore, touched.sensitivity, context));
        known.max_by_key(|sensitivity| weight(*sensitivity)).flatten()
    }

    /// How many statements it is worth: one more each time the score, or the number of datastores, has doubled. A score
    /// that has come to its end says nothing of a thief who goes from store to store.
    fn statements(&self, context: &Context) -> u32 {
        if self.touched.is_empty() {
            return 0;
        }
        let weighed = self.peak_millinats.saturating_add_signed(weight(self.sensitivity(context)));
        if weighed < ALERT_MILLINATS {
            return 0;
        }
        let growth = f64::from(weighed) / f64::from(ALERT_MILLINATS);
        // `as` cannot fail: the growth is at least 1 and at most 2³².
        let of_score = libm::floor(libm::log(growth) / libm::log(AGAIN_FACTOR)) as u32;
        1 + of_score + self.touched.len().ilog2()
    }
}

/// How sensitive a datastore is: as the context file says, else as the producer of its events says.
pub fn sensitivity_of(
    datastore: &Datastore<'_>,
    stated: Option<Sensitivity>,
    context: &Context,
) -> Option<Sensitivity> {
    context.datastore(datastore).and_then(|known| known.sensitivity()).or(stated)
}

/// What a sensitivity adds to a score, in thousandths of a nat: the logarithm of how much dearer an overlooked read is
/// than that of data of which nothing is known (a quarter, 0.7, 1.5, 2.5 times).
const fn weight(sensitivity: Option<Sensitivity>) -> i32 {
    match sensitivity {
        Some(Sensitivity::Public) => -1_386,
        Some(Sensitivity::Internal) => -357,
        None => 0,
        Some(Sensitivity::Confidential) => 405,
        Some(Sensitivity::Restricted) => 916,
    }
}

#[cfg(test)]
mod tests {
    use dataward_event::audit_event::DatastoreForm;

    use super::*;

    fn datastore(name: &'static str) -> Datastore<'static> {
        Datastore { uid: name.into(), name: None, resource_type: None, form: DatastoreForm::Other }
    }

    fn steps(reads: &[(u32, &'static str, Option<Sensitivity>)]) -> Vec<Option<Step>> {
        let mut incident = Incident::new(0, "uid".to_owned());
        let context = Context::default();
        let raise = |(score, name, sensitivity): &(u32, &'static str, Option<Sensitivity>)| {
            incident.raise(*score, &datastore(name), *sensitivity, &context)
        };
        reads.iter().map(raise).collect()
    }

    #[test]
    fn it_is_said_once_and_again_when_the_score_has_doubled() {
        let scores = [6_000, 6_908, 7_000, 13_000, 13_816, 13_900, 200_000, 200_001];
        let reads = scores.map(|score| (score, "a", None));
        let said = [
            None,
            Some(Step::Create),
            None,
            None,
            Some(Step::Update),
            None,
            Some(Step::Update),
            None,
        ];
        assert_eq!(steps(&reads), said);
    }

    #[test]
    fn a_thief_who_goes_from_store_to_store_is_told_of_again() {
        let stores = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let said = steps(&stores.map(|store| (7_000, store, None)));
        let told: Vec<usize> = (0..said.len()).filter(|place| said[*place].is_some()).collect();
        assert_eq!(told, [0, 1, 3, 7]);
    }

    #[test]
    fn sensitivity_decides_when() {
        let first = |sensitivity| {
            (0..20_000).find(|score| steps(&[(*score, "a", sensitivity)]) == [Some(Step::Create)])
        };
        assert_eq!(first(Some(Sensitivity::Restricted)), Some(Incident::opens_at()));
        assert_eq!(first(None), Some(ALERT_MILLINATS));
        assert_eq!(first(Some(Sensitivity::Public)), Some(8_294));
    }

    #[test]
    fn the_most_sensitive_datastore_counts_and_creation_is_said_once() {
        use Sensitivity::{Public, Restricted};
        let reads = [
            (7_500, "site", Some(Public)),
            (7_500, "patients", Some(Restricted)),
            (7_600, "site", Some(Public)),
            (7_600, "other", None),
        ];
        assert_eq!(steps(&reads), [None, Some(Step::Create), None, None]);
    }
}
