//! What happens in these tests: changes and reads of datastores, and what stands after them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use dataward_detect::concluded::Concluded;
use dataward_detect::context::Context;
use dataward_detect::keeper::Keeper;
use dataward_detect::place::Place;
use dataward_detect::posture_event::PostureEvent;
use dataward_detect::read_total::{DatastoreRead, ReadTotals};
use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Class, Client, Datastore, DatastoreForm, EventKind, Outcome,
    TimeOrigin,
};
use dataward_event::change::{Change, Control, Direction};
use dataward_event::finding::{CloseReason, Finding, Step};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, RowCount, Volume};

/// The account of every datastore.
pub(crate) const OWN: &str = "111122223333";
/// Another one.
pub(crate) const FOREIGN: &str = "444455556666";

/// Something that happens.
#[derive(Clone)]
pub(crate) enum Happening {
    Change(PostureEvent),
    Read(DatastoreRead),
}

/// In one line: what proptest shows of a failure.
impl std::fmt::Debug for Happening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Change(event) => {
                write!(
                    f,
                    "{} {} {:?} {}",
                    event.uid, event.time, event.outcome, event.datastore.uid
                )?;
                event.changes.iter().try_for_each(|c| {
                    write!(f, " {} {} {:?} {}", c.control.as_str(), c.opened, c.direction, c.whole)
                })
            }
            Self::Read(read) => {
                let reader = read.reader.as_ref().map_or("many", |reader| reader.label());
                let uid = &read.total.first.event_uid;
                write!(f, "{uid} {} {reader} reads {}", read.total.first.time, read.datastore.uid)
            }
        }
    }
}

impl Happening {
    pub(crate) fn time(&self) -> EventTime {
        match self {
            Self::Change(event) => event.time,
            Self::Read(read) => read.total.first.time,
        }
    }

    pub(crate) fn uid(&self) -> &str {
        match self {
            Self::Change(event) => &event.uid,
            Self::Read(read) => &read.total.first.event_uid,
        }
    }
}

pub(crate) fn at(second: i64) -> EventTime {
    EventTime::from_micros(second * 1_000_000)
}

pub(crate) fn position(number: i64) -> Position {
    Position { partition: Partition::new("audit", 0), offset: Offset(number), record_index: 0 }
}

pub(crate) fn datastore(uid: &str, form: DatastoreForm) -> Datastore<'static> {
    Datastore { uid: Cow::Owned(uid.to_owned()), name: None, resource_type: None, form }
}

pub(crate) fn change(
    control: Control,
    opened: &str,
    direction: Direction,
    whole: bool,
) -> Change<'static> {
    Change {
        catalogue_row: Cow::Borrowed(""),
        control,
        setting: Cow::Borrowed("setting"),
        opened: Cow::Owned(opened.to_owned()),
        before: None,
        after: None,
        direction,
        whole,
    }
}

/// A change of a datastore, `number` telling it apart from others.
pub(crate) fn event(
    number: i64,
    second: i64,
    of: &Datastore<'static>,
    changes: Vec<Change<'static>>,
) -> PostureEvent {
    PostureEvent {
        uid: format!("event-{number:04}"),
        type_uid: 600_303,
        time: at(second),
        position: position(number),
        source: "aws.cloudtrail".to_owned(),
        operation: "PutBucketPolicy".to_owned(),
        service: None,
        correlation_uid: None,
        outcome: Outcome::Success,
        actor: Actor { name: Some("j.doe".into()), ..Actor::default() },
        client: Client::default(),
        datastore: of.clone(),
        changes,
        sensitivity: None,
        is_destruction: false,
        is_creation: false,
        place: Place::default(),
    }
}

/// A read of ten rows and a thousand bytes. `account` is the reader's; `None`: nobody's identity was proven.
pub(crate) fn read(
    number: i64,
    second: i64,
    of: &Datastore<'static>,
    name: &str,
    account: Option<&str>,
) -> DatastoreRead {
    let mut totals = ReadTotals::default();
    totals.add(&read_event(number, second, of, name, account), &position(number));
    totals.take_all().remove(0)
}

/// The same as a write.
pub(crate) fn write(
    number: i64,
    second: i64,
    of: &Datastore<'static>,
    name: &str,
    account: Option<&str>,
) -> DatastoreRead {
    let mut totals = ReadTotals::default();
    let event = AuditEvent { activity_id: 5, ..read_event(number, second, of, name, account) };
    totals.add(&event, &position(number));
    totals.take_all().remove(0)
}

/// The event of [`read`].
pub(crate) fn read_event(
    number: i64,
    second: i64,
    of: &Datastore<'static>,
    name: &str,
    account: Option<&str>,
) -> AuditEvent<'static> {
    AuditEvent {
        uid: format!("event-{number:04}").into(),
        time: at(second),
        time_origin: TimeOrigin::Source,
        source: "aws.cloudtrail".into(),
        kind: EventKind::Access,
        class: Class::DatastoreActivity,
        activity_id: 1,
        operation: "GetObject".into(),
        service: None,
        event_code: None,
        outcome: Outcome::Success,
        error_code: None,
        error_message: None,
        actor: Actor {
            uid: account.map(|_| format!("uid of {name}").into()),
            name: account.map(|_| name.to_owned().into()),
            kind: if account.is_some() { ActorKind::Human } else { ActorKind::Anonymous },
            account_uid: account.map(|account| account.to_owned().into()),
            ..Actor::default()
        },
        client: Client { ip: Some("203.0.113.7".into()), ..Client::default() },
        datastore: Some(of.clone()),
        objects: Vec::new(),
        volume: Volume { rows: Some(RowCount(10)), bytes: Some(ByteCount(1_000)), objects: None },
        read_scope: None,
        changes: Vec::new(),
        request_uid: None,
        correlation_uid: None,
        statement: None,
        account_uid: Some(OWN.into()),
        region: None,
        provider: None,
        sensitivity: None,
    }
}

/// A keeper, and everything it has said.
#[derive(Default)]
pub(crate) struct Scene {
    pub(crate) keeper: Keeper,
    pub(crate) said: Vec<Finding>,
    pub(crate) windows: BTreeMap<String, (u64, dataward_event::exposure::Exposure)>,
}

impl Scene {
    pub(crate) fn with(context: Context) -> Self {
        let mut scene = Self::default();
        let concluded = scene.keeper.adopt(Arc::new(context));
        scene.hear(concluded);
        scene
    }

    pub(crate) fn hear(&mut self, concluded: Concluded) -> Vec<Finding> {
        for (number, exposure) in concluded.exposures {
            self.windows.insert(exposure.uid.clone(), (number, exposure));
        }
        self.said.extend(concluded.findings.iter().cloned());
        concluded.findings
    }

    pub(crate) fn change(&mut self, event: PostureEvent) -> Vec<Finding> {
        let concluded = self.keeper.observe(&event);
        self.hear(concluded)
    }

    pub(crate) fn read(&mut self, read: DatastoreRead) -> Vec<Finding> {
        let concluded = self.keeper.observe_all(Vec::new(), vec![read]);
        self.hear(concluded)
    }

    pub(crate) fn tick(&mut self, second: i64) -> Vec<Finding> {
        let concluded = self.keeper.tick(at(second));
        self.hear(concluded)
    }

    pub(crate) fn listen(&mut self, second: i64) -> Vec<Finding> {
        let concluded = self.keeper.listen(at(second));
        self.hear(concluded)
    }

    pub(crate) fn happen(&mut self, happening: Happening) -> Vec<Finding> {
        match happening {
            Happening::Change(event) => self.change(event),
            Happening::Read(read) => self.read(read),
        }
    }

    /// As at a checkpoint.
    pub(crate) fn sum_up(&mut self) -> Vec<Finding> {
        let settled = self.keeper.settle();
        let mut findings = self.hear(settled);
        let summed = self.keeper.say_figures();
        findings.extend(self.hear(summed));
        findings
    }

    /// The findings that are not withdrawn, by uid: the step and the words that were said last.
    pub(crate) fn standing(&self) -> BTreeMap<String, Said> {
        let mut standing = BTreeMap::new();
        for finding in &self.said {
            match finding.step {
                Step::Close(CloseReason::Superseded) => standing.remove(&finding.uid),
                step => standing.insert(finding.uid.clone(), Said::of(finding, step)),
            };
        }
        standing
    }

    /// The rules of the findings that stand, in the order of their first statements, with the end of those that are over.
    pub(crate) fn story(&self) -> Vec<String> {
        let standing = self.standing();
        let mut uids: Vec<&String> = Vec::new();
        for finding in &self.said {
            if standing.contains_key(&finding.uid) && !uids.contains(&&finding.uid) {
                uids.push(&finding.uid);
            }
        }
        uids.iter()
            .map(|uid| {
                let said = &standing[*uid];
                match said.is_over {
                    Some(reason) => format!("{} ({})", said.rule, reason),
                    None => said.rule.to_owned(),
                }
            })
            .collect()
    }
}

/// What was last said of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) rule: &'static str,
    pub(crate) is_over: Option<&'static str>,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) severity: u8,
    pub(crate) time: EventTime,
}

impl Said {
    fn of(finding: &Finding, step: Step) -> Self {
        let is_over = match step {
            Step::Close(reason) => Some(reason.as_str()),
            Step::Create | Step::Update => None,
        };
        Self {
            rule: finding.rule.as_str(),
            is_over,
            title: finding.title.clone(),
            description: finding.description.clone(),
            severity: finding.severity.id(),
            time: finding.time,
        }
    }
}
