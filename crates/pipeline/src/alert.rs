//! A finding on its way to people.

use dataward_event::audit_event::Datastore;
use dataward_event::finding::{Finding, RuleId, Severity, Trigger};
use dataward_event::position::Position;
use dataward_event::time::{EventTime, IngestTime};

/// One statement about a finding, as every consumer gets it and as the archive keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The id of this statement (`metadata.uid`, the CloudEvents id): equal for a repeat, different for any other.
    pub uid: String,
    /// The finding it is about; stable over the finding's life.
    pub finding_uid: String,
    /// The rule.
    pub rule: RuleId,
    /// OCSF `activity_id`: 1 create, 2 update, 3 close.
    pub activity_id: u8,
    /// How bad.
    pub severity: Severity,
    /// Event time of the trigger.
    pub time: EventTime,
    /// When we concluded it (`metadata.logged_time`).
    pub logged_time: IngestTime,
    /// Its place in the outbox.
    pub trigger: Trigger,
    /// Where the event that triggered it stands, where there is one.
    pub position: Option<Position>,
    /// A short headline.
    pub title: String,
    /// A sentence or two for a person.
    pub description: String,
    /// The datastore it is about.
    pub datastore: Option<Datastore<'static>>,
    /// The OCSF Detection Finding, one line of JSON. What was delivered first is what is archived and sent again.
    pub json: String,
}

impl Alert {
    /// The statement that a finding makes, said at `logged_time`.
    pub fn new(finding: &Finding, logged_time: IngestTime) -> Self {
        let uid = dataward_ocsf::finding::statement_uid(finding);
        let json = dataward_ocsf::finding::finding_json(finding, &uid, logged_time);
        Self {
            uid,
            finding_uid: finding.uid.clone(),
            rule: finding.rule,
            activity_id: finding.step.activity_id(),
            severity: finding.severity,
            time: finding.time,
            logged_time,
            trigger: finding.trigger.clone(),
            position: finding.evidences.first().map(|evidence| evidence.position.clone()),
            title: finding.title.clone(),
            description: finding.description.clone(),
            datastore: finding.datastore.clone(),
            json,
        }
    }
}
