//! The findings of `read.bulk`: what an unusual read says to people.

use dataward_event::audit_event::{ActorKind, AuditEvent, Datastore, DatastoreForm, Sensitivity};
use dataward_event::finding::{Anomaly, Evidence, Finding, RuleId, Severity, Step, Trigger};
use dataward_event::position::Position;

use crate::context::DatastoreContext;
use crate::history::Look;
use crate::metric::{METRICS, Metric};
use crate::period::Period;
use crate::read_volume::ReadVolume;
use crate::reader::ACTOR_DAYS_MIN;

/// What a finding about a read is made of.
#[derive(Debug)]
pub struct UnusualRead<'r> {
    /// The read.
    pub event: &'r AuditEvent<'r>,
    /// What was read.
    pub datastore: &'r Datastore<'r>,
    /// Where the event stands.
    pub position: &'r Position,
    /// How much this one read.
    pub volume: ReadVolume,
    /// What the actor has read of the datastore since midnight UTC.
    pub totals: [Option<u64>; METRICS],
    /// Of how many datastores the actor has read within the hour.
    pub datastores_in_hour: usize,
    /// Of how many datastores the actor has read since midnight UTC.
    pub datastores_today: usize,
    /// How many active days of the actor are known.
    pub active_days: u16,
    /// What the context file knows of the datastore.
    pub known: Option<&'r DatastoreContext>,
}

/// A figure with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// The figure.
    pub look: Look,
    /// It is that of the actor over all datastores, not of the one datastore.
    pub is_total: bool,
    /// The negative logarithm of the probability that any figure of an ordinary actor-day is as unusual, in thousandths
    /// of a nat.
    pub millinats: u32,
}

/// How much of a datastore was read in a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// What is counted.
    pub metric: Metric,
    /// How much of it was read.
    pub read: u64,
    /// How much there is.
    pub size: u64,
}

impl UnusualRead<'_> {
    /// The finding that a read is unusual. `figures` begin with the most unusual one.
    pub fn unusual(
        &self,
        uid: String,
        step: Step,
        sensitivity: Option<Sensitivity>,
        figures: &[Figure],
    ) -> Finding {
        let mut sentences: Vec<String> = Vec::new();
        if let Some(figure) = figures.first() {
            sentences.push(self.comparison(figure));
            sentences.push(rarity(figure.millinats));
        }
        sentences.push(self.so_far());
        let title = format!("Unusual bulk read: {} of {}", self.actor(), self.datastore.label());
        let mut finding = self.finding(uid, step, sensitivity, title, sentences.join(" "));
        for figure in figures {
            let anomaly = self.anomaly(figure);
            let is_told = |told: &Anomaly| {
                told.metric == anomaly.metric && told.window_seconds == anomaly.window_seconds
            };
            if !finding.anomalies.iter().any(is_told) {
                finding.anomalies.push(anomaly);
            }
        }
        finding
    }

    /// The finding that most of a datastore was read.
    pub fn covered(
        &self,
        uid: String,
        sensitivity: Option<Sensitivity>,
        coverage: &Coverage,
    ) -> Finding {
        let learned = if self.active_days < ACTOR_DAYS_MIN {
            format!(
                "What is usual of {} is not known yet: it takes {ACTOR_DAYS_MIN} active days, and \
                 there are {}.",
                self.actor(),
                self.active_days
            )
        } else {
            "By its volume alone the read is not unusual.".to_owned()
        };
        let description = format!(
            "{} has read {} of {} since midnight UTC: more than half of the {} that the context \
             file states. {learned}",
            self.actor(),
            self.quantity(coverage.metric, coverage.read),
            self.place(),
            self.quantity(coverage.metric, coverage.size),
        );
        let title = format!("Most of {} read by {}", self.datastore.label(), self.actor());
        self.finding(uid, Step::Create, sensitivity, title, description)
    }

    fn finding(
        &self,
        uid: String,
        step: Step,
        sensitivity: Option<Sensitivity>,
        title: String,
        description: String,
    ) -> Finding {
        let event = self.event;
        Finding {
            rule: RuleId::ReadBulk,
            uid,
            step,
            severity: match sensitivity {
                Some(Sensitivity::Restricted) => Severity::CRITICAL,
                Some(Sensitivity::Confidential) | None => Severity::HIGH,
                Some(Sensitivity::Internal | Sensitivity::Public) => Severity::MEDIUM,
            },
            severity_because: Vec::new(),
            approval: None,
            time: event.time,
            cause_uid: event.uid.to_string(),
            trigger: Trigger::Record(self.position.clone()),
            title,
            description,
            remediation: self.remediation(),
            datastore: Some(self.datastore.clone().into_owned()),
            origin: None,
            window_kind: None,
            exposure: None,
            anomalies: Vec::new(),
            attacks: vec![attack(self.datastore.form).to_owned()],
            evidences: vec![Evidence {
                event_uid: event.uid.to_string(),
                type_uid: event.type_uid(),
                position: self.position.clone(),
                time: event.time,
                source: event.source.to_string(),
                actor: event.actor.clone().into_owned(),
                client: event.client.clone().into_owned(),
                operation: event.operation.to_string(),
                service: event.service.as_deref().map(str::to_owned),
                change: None,
            }],
        }
    }

    /// What was seen beside what is usual.
    fn comparison(&self, figure: &Figure) -> String {
        let Look { metric, period, observed, days, .. } = figure.look;
        let median = figure.look.median();
        let place = match self.datastores(figure) {
            1 => self.place(),
            count => format!("{count} datastores, the last of them {}", self.place()),
        };
        let time = match period {
            Period::Hour => "within an hour",
            Period::Day => "since midnight UTC",
        };
        format!(
            "{} read {} of {place} {time}, {} the median of {days} active days, which is {}; one \
             day in a thousand passes {}.",
            self.actor(),
            self.quantity(metric, observed),
            times(observed, median),
            self.quantity(metric, median),
            self.quantity(metric, figure.look.upper()),
        )
    }

    /// What was read of the datastore today, and how much of it that is.
    fn so_far(&self) -> String {
        let parts: Vec<String> = Metric::ALL
            .into_iter()
            .zip(self.totals)
            .filter_map(|(metric, total)| Some((metric, total?)))
            .map(|(metric, total)| {
                let size = self.size(metric).filter(|size| *size > 0);
                let share = size.map(|size| {
                    let percent = (u128::from(total) * 100 / u128::from(size)).min(999);
                    format!(" ({percent} % of its {})", self.quantity(metric, size))
                });
                format!("{}{}", self.quantity(metric, total), share.unwrap_or_default())
            })
            .collect();
        format!("Of {} it has read {} since midnight UTC.", self.place(), parts.join(", "))
    }

    fn anomaly(&self, figure: &Figure) -> Anomaly {
        let Look { metric, period, observed, days, .. } = figure.look;
        let unit = self.volume.unit(metric);
        let is_of_all = self.datastores(figure) > 1;
        Anomaly {
            metric: if is_of_all { format!("{unit} of all datastores") } else { unit.to_owned() },
            window_seconds: period.seconds(),
            observed,
            expected: figure.look.median(),
            upper: figure.look.upper(),
            score_millinats: figure.millinats.into(),
            days: days.into(),
        }
    }

    /// How many datastores a figure is about.
    fn datastores(&self, figure: &Figure) -> usize {
        match figure.look.period {
            _ if !figure.is_total => 1,
            Period::Hour => self.datastores_in_hour,
            Period::Day => self.datastores_today,
        }
    }

    fn size(&self, metric: Metric) -> Option<u64> {
        let known = self.known?;
        [known.rows, known.bytes, known.objects][metric.index()]
    }

    fn remediation(&self) -> String {
        if self.event.actor.kind == ActorKind::Anonymous {
            return "Close the datastore to those without an identity, then list what was read and from where."
                .to_owned();
        }
        format!(
            "Ask {} by another way than the one the read came from whether it was planned. If \
             nobody can say: take its credentials and sessions away, then list what it read.",
            self.actor()
        )
    }

    fn actor(&self) -> &str {
        self.event.actor.label()
    }

    fn place(&self) -> String {
        format!("{} {}", form(self.datastore.form), self.datastore.label())
    }

    fn quantity(&self, metric: Metric, count: u64) -> String {
        match metric {
            Metric::Bytes => binary(count),
            Metric::Rows | Metric::Objects => {
                let unit = self.volume.unit(metric);
                let unit = if count == 1 { unit.trim_end_matches('s') } else { unit };
                format!("{} {unit}", grouped(count))
            }
        }
    }
}

/// MITRE ATT&CK 18: *Data from Cloud Storage*; *Data from Information Repositories: Databases*, and without a better
/// word for the place *Data from Information Repositories*.
const fn attack(form: DatastoreForm) -> &'static str {
    match form {
        DatastoreForm::Bucket => "T1530",
        DatastoreForm::Database => "T1213.006",
        DatastoreForm::Snapshot | DatastoreForm::Guard | DatastoreForm::Other => "T1213",
    }
}

const fn form(form: DatastoreForm) -> &'static str {
    match form {
        DatastoreForm::Bucket => "bucket",
        DatastoreForm::Database => "database",
        DatastoreForm::Snapshot => "snapshot",
        DatastoreForm::Guard => "guard",
        DatastoreForm::Other => "datastore",
    }
}

/// A score as people count: how many ordinary days of an actor pass until one is as unusual.
fn rarity(millinats: u32) -> String {
    let days = libm::exp(f64::from(millinats) / 1000.0);
    let rounded = |days: f64| {
        let step = libm::pow(10.0, libm::floor(libm::log10(days)) - 1.0).max(1.0);
        grouped(((days / step).round() * step) as u64)
    };
    let often = match days {
        ..1e6 => rounded(days),
        1e6..1e9 => format!("{} million", rounded(days / 1e6)),
        1e9..1e12 => format!("{} billion", rounded(days / 1e9)),
        _ => "more than a trillion".to_owned(),
    };
    format!("That is about one actor-day in {often}.")
}

/// `35 times`, `2.4 times`.
fn times(observed: u64, usual: u64) -> String {
    let ratio = observed as f64 / usual.max(1) as f64;
    if ratio < 10.0 {
        format!("{ratio:.1} times")
    } else {
        format!("{} times", grouped(ratio as u64))
    }
}

/// `48,210`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.3 GiB`.
fn binary(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let (mut amount, mut unit) = (bytes as f64 / 1024.0, 0);
    while amount >= 1024.0 && unit + 1 < units.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(binary(10 * 1024 * 1024), "10.0 MiB");
        assert_eq!(binary(12), "12 bytes");
        assert_eq!(times(70, 20), "3.5 times");
        assert_eq!(times(70_000, 2), "35,000 times");
        assert_eq!(rarity(6_908), "That is about one actor-day in 1,000.");
        assert_eq!(rarity(14_700), "That is about one actor-day in 2 million.");
        assert_eq!(rarity(300_000), "That is about one actor-day in more than a trillion.");
    }
}
