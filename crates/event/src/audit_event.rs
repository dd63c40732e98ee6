//! What happened: one access to a datastore, or one change of its protection.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::time::EventTime;
use crate::volume::{ReadScope, Volume};

/// A text that borrows from the record where it can.
pub type Text<'a> = Cow<'a, str>;

/// One event, borrowing from the record it was decoded from.
///
/// Everything in it is restored from a row of the archive (I10): what the detector reads live it can read again years
/// later. Fields that a source does not tell are `None`, never a default that could be taken for a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent<'a> {
    /// The source's own id of the event; else derived from its bytes and position.
    pub uid: Text<'a>,
    /// When it happened, as the source says, clamped only against the future.
    pub time: EventTime,
    /// Where `time` was taken from.
    pub time_origin: TimeOrigin,
    /// The name of the source that decoded it: `aws.cloudtrail`.
    pub source: Text<'a>,
    /// What part of the archive it belongs to.
    pub kind: EventKind,
    /// The OCSF class.
    pub class: Class,
    /// The OCSF activity in that class; 0 unknown, 99 other.
    pub activity_id: u16,
    /// The operation in the product's words: `GetObject`.
    pub operation: Text<'a>,
    /// The service that was asked: `s3.amazonaws.com`.
    pub service: Option<Text<'a>>,
    /// The source's type of record: CloudTrail's `AwsApiCall`.
    pub event_code: Option<Text<'a>>,
    /// Whether it worked.
    pub outcome: Outcome,
    /// The product's error code.
    pub error_code: Option<Text<'a>>,
    /// The product's error message.
    pub error_message: Option<Text<'a>>,
    /// Who.
    pub actor: Actor<'a>,
    /// From where.
    pub client: Client<'a>,
    /// On which datastore.
    pub datastore: Option<Datastore<'a>>,
    /// On which objects inside it: keys, tables, indices. At most `limits::OBJECTS_PER_EVENT_MAX`.
    pub objects: Vec<Text<'a>>,
    /// How much.
    pub volume: Volume,
    /// How much of the data a read asked for, where its statement tells.
    pub read_scope: Option<ReadScope>,
    /// Which changes of protection it states.
    pub changes: Vec<Change<'a>>,
    /// The id of the request, where the product has one.
    pub request_uid: Option<Text<'a>>,
    /// The id that joins the records of one act, where the source splits it.
    pub correlation_uid: Option<Text<'a>>,
    /// The statement or query text, bounded.
    pub statement: Option<Text<'a>>,
    /// The account, tenant or project in which it happened.
    pub account_uid: Option<Text<'a>>,
    /// The region in which it happened.
    pub region: Option<Text<'a>>,
    /// The provider: `AWS`.
    pub provider: Option<Text<'a>>,
    /// How sensitive the data is, where the producer says so.
    pub sensitivity: Option<Sensitivity>,
}

/// Where an event's time was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TimeOrigin {
    /// The event itself.
    Source,
    /// The collector that shipped it (`@timestamp`), or the bus that passed it on (EventBridge's `time`).
    Collector,
    /// The Kafka record's timestamp.
    Kafka,
    /// The event itself, but it claimed the future and was clamped to Kafka's timestamp plus five minutes.
    Clamped,
}

impl TimeOrigin {
    /// All origins.
    pub const ALL: [Self; 4] = [Self::Source, Self::Collector, Self::Kafka, Self::Clamped];

    /// The name in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Collector => "collector",
            Self::Kafka => "kafka",
            Self::Clamped => "clamped",
        }
    }
}

/// The kinds of rows that events become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// Data or metadata was read or written.
    Access,
    /// A setting, a policy, a resource was created, changed or deleted.
    ConfigChange,
    /// Somebody logged on or off, or tried.
    Authentication,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Access, Self::ConfigChange, Self::Authentication];

    /// The value of the table's partition column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::ConfigChange => "config_change",
            Self::Authentication => "authentication",
        }
    }
}

/// An OCSF 1.8.0 event class that we emit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// 6003 API Activity.
    ApiActivity,
    /// 6005 Datastore Activity.
    DatastoreActivity,
    /// 3002 Authentication.
    Authentication,
    /// 3001 Account Change.
    AccountChange,
    /// 3004 Entity Management.
    EntityManagement,
    /// 3005 User Access Management.
    UserAccess,
    /// 3006 Group Management.
    GroupManagement,
    /// 1008 Event Log Activity.
    EventLog,
    /// 5019 Device Config State Change.
    DeviceConfigState,
    /// 6002 Application Lifecycle.
    ApplicationLifecycle,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 10] = [
        Self::ApiActivity,
        Self::DatastoreActivity,
        Self::Authentication,
        Self::AccountChange,
        Self::EntityManagement,
        Self::UserAccess,
        Self::GroupManagement,
        Self::EventLog,
        Self::DeviceConfigState,
        Self::ApplicationLifecycle,
    ];

    /// `class_uid`.
    pub const fn uid(self) -> u32 {
        match self {
            Self::ApiActivity => 6003,
            Self::DatastoreActivity => 6005,
            Self::Authentication => 3002,
            Self::AccountChange => 3001,
            Self::EntityManagement => 3004,
            Self::UserAccess => 3005,
            Self::GroupManagement => 3006,
            Self::EventLog => 1008,
            Self::DeviceConfigState => 5019,
            Self::ApplicationLifecycle => 6002,
        }
    }

    /// The class of a `class_uid`, if it is one of ours.
    pub fn from_uid(uid: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.uid() == uid)
    }

    /// `category_uid`.
    pub const fn category_uid(self) -> u32 {
        self.uid() / 1000
    }
}

/// Whether an operation worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The source does not tell.
    Unknown,
    /// It worked.
    Success,
    /// It was refused or failed.
    Failure,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Success, Self::Failure];

    /// OCSF `status_id`.
    pub const fn status_id(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Success => 1,
            Self::Failure => 2,
        }
    }

    /// OCSF `status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Success => "Success",
            Self::Failure => "Failure",
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor<'a> {
    /// The stable identity: an ARN, a principal, a database role.
    pub uid: Option<Text<'a>>,
    /// The name a person would use.
    pub name: Option<Text<'a>>,
    /// Person, program, nobody.
    pub kind: ActorKind,
    /// The product's own type: `AssumedRole`.
    pub user_type: Option<Text<'a>>,
    /// The account that the actor belongs to.
    pub account_uid: Option<Text<'a>>,
    /// The credential that was used: an access key id.
    pub credential_uid: Option<Text<'a>>,
    /// The session.
    pub session_uid: Option<Text<'a>>,
    /// On whose behalf: the role that was assumed, the service that called, the person who ran as somebody else. A longer
    /// chain is joined by ` < `, the nearest first.
    pub issuer: Option<Text<'a>>,
    /// Whether the session was authenticated with a second factor.
    pub mfa: Option<bool>,
    /// Groups; the first one is the peer group.
    pub groups: Vec<Text<'a>>,
}

/// What kind of actor.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum ActorKind {
    /// The source does not tell.
    #[default]
    Unknown,
    /// A person.
    Human,
    /// A program, a role of one, or the provider itself.
    Service,
    /// Nobody: no identity was proven.
    Anonymous,
}

impl ActorKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Human, Self::Service, Self::Anonymous];

    /// The name in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Human => "human",
            Self::Service => "service",
            Self::Anonymous => "anonymous",
        }
    }
}

/// From where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Client<'a> {
    /// The network address, as the source wrote it.
    pub ip: Option<Text<'a>>,
    /// A name where the source has no address: `s3.amazonaws.com`, `AWS Internal`.
    pub domain: Option<Text<'a>>,
    /// The port.
    pub port: Option<u16>,
    /// The endpoint or host that it came through: a VPC endpoint id.
    pub endpoint_uid: Option<Text<'a>>,
    /// The program, as it named itself.
    pub user_agent: Option<Text<'a>>,
}

/// The bucket, database, cluster, index or warehouse that was touched; for a change, the resource that was changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Datastore<'a> {
    /// The stable identity: an ARN, a cluster uuid, `host/database`.
    pub uid: Text<'a>,
    /// The name a person would use.
    pub name: Option<Text<'a>>,
    /// The product's type: `AWS::S3::Bucket`.
    pub resource_type: Option<Text<'a>>,
    /// The form of storage.
    pub form: DatastoreForm,
}

/// The form of storage, as OCSF tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DatastoreForm {
    /// A bucket of objects.
    Bucket,
    /// A database, a cluster, a warehouse.
    Database,
    /// A copy or a backup of one.
    Snapshot,
    /// What protects datastores without being one: a trail, a key, a security group.
    Guard,
    /// Anything else.
    Other,
}

impl DatastoreForm {
    /// All forms.
    pub const ALL: [Self; 5] =
        [Self::Bucket, Self::Database, Self::Snapshot, Self::Guard, Self::Other];

    /// The name in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Database => "database",
            Self::Snapshot => "snapshot",
            Self::Guard => "guard",
            Self::Other => "other",
        }
    }
}

/// How sensitive data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sensitivity {
    /// Meant for everybody.
    Public,
    /// Meant for the company.
    Internal,
    /// Meant for few.
    Confidential,
    /// Its loss must be notified.
    Restricted,
}

impl Sensitivity {
    /// All levels, rising.
    pub const ALL: [Self; 4] = [Self::Public, Self::Internal, Self::Confidential, Self::Restricted];

    /// The name in rows and config.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }
}

/// The same text, borrowing nothing.
pub fn owned(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}

impl Actor<'_> {
    /// The same actor, borrowing nothing.
    pub fn into_owned(self) -> Actor<'static> {
        Actor {
            uid: self.uid.map(owned),
            name: self.name.map(owned),
            kind: self.kind,
            user_type: self.user_type.map(owned),
            account_uid: self.account_uid.map(owned),
            credential_uid: self.credential_uid.map(owned),
            session_uid: self.session_uid.map(owned),
            issuer: self.issuer.map(owned),
            mfa: self.mfa,
            groups: self.groups.into_iter().map(owned).collect(),
        }
    }

    /// What to call the actor in a sentence.
    pub fn label(&self) -> &str {
        match (&self.name, &self.uid) {
            _ if self.kind == ActorKind::Anonymous => "anonymous",
            (Some(name), _) => name,
            (None, Some(uid)) => uid,
            (None, None) => "an unknown actor",
        }
    }
}

impl Client<'_> {
    /// The same client, borrowing nothing.
    pub fn into_owned(self) -> Client<'static> {
        Client {
            ip: self.ip.map(owned),
            domain: self.domain.map(owned),
            port: self.port,
            endpoint_uid: self.endpoint_uid.map(owned),
            user_agent: self.user_agent.map(owned),
        }
    }
}

impl Datastore<'_> {
    /// The same datastore, borrowing nothing.
    pub fn into_owned(self) -> Datastore<'static> {
        Datastore {
            uid: owned(self.uid),
            name: self.name.map(owned),
            resource_type: self.resource_type.map(owned),
            form: self.form,
        }
    }

    /// What to call the datastore in a sentence.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.uid)
    }
}

impl<'a> AuditEvent<'a> {
    /// An access of which nothing more is known than what happened, when, and who told.
    pub fn new(
        uid: impl Into<Text<'a>>,
        time: EventTime,
        source: &'static str,
        operation: impl Into<Text<'a>>,
    ) -> Self {
        Self {
            uid: uid.into(),
            time,
            time_origin: TimeOrigin::Source,
            source: Cow::Borrowed(source),
            kind: EventKind::Access,
            class: Class::DatastoreActivity,
            activity_id: 0,
            operation: operation.into(),
            service: None,
            event_code: None,
            outcome: Outcome::Unknown,
            error_code: None,
            error_message: None,
            actor: Actor::default(),
            client: Client::default(),
            datastore: None,
            objects: Vec::new(),
            volume: Volume::default(),
            read_scope: None,
            changes: Vec::new(),
            request_uid: None,
            correlation_uid: None,
            statement: None,
            account_uid: None,
            region: None,
            provider: None,
            sensitivity: None,
        }
    }
}

impl AuditEvent<'_> {
    /// The same event, borrowing nothing.
    pub fn into_owned(self) -> AuditEvent<'static> {
        AuditEvent {
            uid: owned(self.uid),
            time: self.time,
            time_origin: self.time_origin,
            source: owned(self.source),
            kind: self.kind,
            class: self.class,
            activity_id: self.activity_id,
            operation: owned(self.operation),
            service: self.service.map(owned),
            event_code: self.event_code.map(owned),
            outcome: self.outcome,
            error_code: self.error_code.map(owned),
            error_message: self.error_message.map(owned),
            actor: self.actor.into_owned(),
            client: self.client.into_owned(),
            datastore: self.datastore.map(Datastore::into_owned),
            objects: self.objects.into_iter().map(owned).collect(),
            volume: self.volume,
            read_scope: self.read_scope,
            changes: self.changes.into_iter().map(Change::into_owned).collect(),
            request_uid: self.request_uid.map(owned),
            correlation_uid: self.correlation_uid.map(owned),
            statement: self.statement.map(owned),
            account_uid: self.account_uid.map(owned),
            region: self.region.map(owned),
            provider: self.provider.map(owned),
            sensitivity: self.sensitivity,
        }
    }

    /// OCSF `type_uid`: the class and the activity in one number.
    pub fn type_uid(&self) -> u64 {
        u64::from(self.class.uid()) * 100 + u64::from(self.activity_id)
    }
}
