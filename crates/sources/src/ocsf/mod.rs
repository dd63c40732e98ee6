//! OCSF events as JSON, of any producer: the generic format.
//!
//! What OCSF has no field for stands in `unmapped.dataward`, the block that our own output writes too, so that an event
//! that we wrote is read back as it was.

use std::borrow::Cow;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Class, Client, Datastore, DatastoreForm, EventKind, Outcome,
    Sensitivity, Text, TimeOrigin,
};
use dataward_event::change::{Change, Control, Direction};
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope, RowCount, Volume};

use crate::changes::kind_with;
use crate::container::Fault;
use crate::event_time;
use crate::lenient::bounded_statement;
use crate::node::Node;
use crate::source::{Place, Source};

/// The block for what OCSF has no field for.
const OWN: [&str; 2] = ["unmapped", "dataward"];

/// Reads one event.
///
/// # Errors
/// The text is malformed, is of no class that we know, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let root: Node<'a> =
        serde_json::from_str(text).map_err(|error| Fault::malformed(text, &error))?;
    let class = class(&root)?;
    let activity_id = match (root.count(&["activity_id"]), root.count(&["type_uid"])) {
        (Some(activity), _) => activity,
        (None, Some(type_uid)) => type_uid % 100,
        (None, None) => 0,
    };
    let own = root.at(&OWN);
    let activity_id = own.and_then(|own| own.count(&["activity_id"])).unwrap_or(activity_id);
    let (time, time_origin) = time(&root, own, place)?;
    let uid =
        root.text(&["metadata", "uid"]).unwrap_or_else(|| Cow::Owned(place.derived_uid(text)));
    let changes = own.map(changes).unwrap_or_default();
    let own_text = |key: &str| own.and_then(|own| own.text(&[key]));
    let datastore = datastore(&root, own);
    Ok(AuditEvent {
        uid,
        time,
        time_origin,
        source: own_text("source").unwrap_or(Cow::Borrowed(Source::Ocsf.name())),
        kind: kind(own, class, &changes),
        class,
        activity_id: u16::try_from(activity_id).unwrap_or(99),
        operation: operation(&root, own),
        service: root.text(&["api", "service", "name"]).or_else(|| {
            root.text(&["metadata", "product", "name"]).filter(|_| own_text("source").is_none())
        }),
        event_code: root.text(&["metadata", "event_code"]),
        outcome: match root.count(&["status_id"]) {
            Some(1) => Outcome::Success,
            Some(2) => Outcome::Failure,
            _ => Outcome::Unknown,
        },
        error_code: root
            .text(&["api", "response", "error"])
            .or_else(|| root.text(&["status_code"])),
        error_message: root
            .text(&["api", "response", "error_message"])
            .or_else(|| root.text(&["status_detail"])),
        actor: actor(&root, own),
        client: client(&root, own),
        objects: objects(&root, own),
        volume: volume(&root, own, is_write(class, activity_id)),
        read_scope: own_text("read_scope")
            .and_then(|name| ReadScope::ALL.into_iter().find(|scope| scope.as_str() == name)),
        datastore,
        changes,
        request_uid: root
            .text(&["api", "request", "uid"])
            .filter(|uid| own_text("source").is_none() || uid != dataward_unknown()),
        correlation_uid: root.text(&["metadata", "correlation_uid"]),
        statement: root
            .text(&["query_info", "query_string"])
            .or_else(|| own_text("statement"))
            .map(bounded_statement),
        account_uid: root.text(&["cloud", "account", "uid"]).or_else(|| own_text("account_uid")),
        region: root.text(&["cloud", "region"]).or_else(|| own_text("region")),
        provider: root
            .text(&["cloud", "provider"])
            .filter(|provider| own_text("source").is_none() || provider != dataward_unknown()),
        sensitivity: own_text("sensitivity")
            .and_then(|name| Sensitivity::ALL.into_iter().find(|level| level.as_str() == name)),
    })
}

/// What our own output writes where OCSF asks for something that the event does not tell.
const fn dataward_unknown() -> &'static str {
    "unknown"
}

fn class(root: &Node<'_>) -> Result<Class, Fault> {
    let uid = root
        .count(&["class_uid"])
        .or_else(|| root.count(&["type_uid"]).map(|type_uid| type_uid / 100));
    let Some(uid) = uid else {
        return Err(Fault::new(
            QuarantineReason::WrongShape,
            "expected an OCSF event with a class_uid",
        ));
    };
    u32::try_from(uid).ok().and_then(Class::from_uid).ok_or_else(|| {
        let detail = format!("OCSF class {uid} is none of those that are read");
        Fault::new(QuarantineReason::WrongShape, detail)
    })
}

fn time(
    root: &Node<'_>,
    own: Option<&Node<'_>>,
    place: Place<'_>,
) -> Result<(EventTime, TimeOrigin), Fault> {
    let precise = own.and_then(|own| own.integer(&["time_micros"])).map(EventTime::from_micros);
    let stated = precise
        .or_else(|| root.integer(&["time"]).map(EventTime::from_millis))
        .or_else(|| root.text(&["time_dt"]).and_then(|text| EventTime::parse_rfc3339(&text)))
        .or_else(|| root.text(&["time"]).and_then(|text| EventTime::parse_rfc3339(&text)));
    let collected = root.text(&["@timestamp"]).and_then(|text| EventTime::parse_rfc3339(&text));
    let collected = collected.or(place.collected);
    let resolved = event_time::resolve(stated, collected, place.kafka_time);
    let Some((time, origin)) = resolved else {
        return Err(Fault::new(
            QuarantineReason::NoTime,
            "no readable time, and the transport carries none",
        ));
    };
    // Who wrote the event before us may already have known that the time is not the source's own.
    let stated_origin = own
        .and_then(|own| own.text(&["time_origin"]))
        .and_then(|name| TimeOrigin::ALL.into_iter().find(|origin| origin.as_str() == name));
    match (origin, stated_origin) {
        (TimeOrigin::Source, Some(stated_origin)) => Ok((time, stated_origin)),
        _ => Ok((time, origin)),
    }
}

fn kind(own: Option<&Node<'_>>, class: Class, changes: &[Change<'_>]) -> EventKind {
    let stated = own
        .and_then(|own| own.text(&["kind"]))
        .and_then(|name| EventKind::ALL.into_iter().find(|kind| kind.as_str() == name));
    let kind = stated.unwrap_or(match class {
        Class::ApiActivity | Class::DatastoreActivity => EventKind::Access,
        Class::Authentication => EventKind::Authentication,
        _ => EventKind::ConfigChange,
    });
    // Whatever the producer calls it.
    kind_with(kind, changes)
}

fn operation<'a>(root: &Node<'a>, own: Option<&Node<'a>>) -> Text<'a> {
    own.and_then(|own| own.text(&["operation"]))
        .or_else(|| root.text(&["api", "operation"]))
        .or_else(|| root.text(&["activity_name"]))
        .unwrap_or(Cow::Borrowed(dataward_unknown()))
}

fn actor<'a>(root: &Node<'a>, own: Option<&Node<'a>>) -> Actor<'a> {
    let own_text = |key: &str| own.and_then(|own| own.text(&[key]));
    let is_own = own_text("source").is_some();
    let actor = root.at(&["actor"]);
    let empty = Node::Null;
    let user = actor
        .and_then(|actor| actor.at(&["user"]))
        .or_else(|| root.at(&["user"]).filter(|_| !is_own))
        .unwrap_or(&empty);
    let user_type = user.text(&["type"]);
    let stated = own_text("actor_kind")
        .and_then(|name| ActorKind::ALL.into_iter().find(|kind| kind.as_str() == name));
    let kind = stated.unwrap_or_else(|| match user.count(&["type_id"]) {
        _ if user_type.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("anonymous")) => {
            ActorKind::Anonymous
        }
        Some(1 | 2) => ActorKind::Human,
        Some(3 | 4) => ActorKind::Service,
        _ => ActorKind::Unknown,
    });
    let app_name = actor.and_then(|actor| actor.text(&["app_name"])).filter(|_| !is_own);
    let session = |key: &str| {
        actor
            .and_then(|actor| actor.at(&["session", key]))
            .or_else(|| root.at(&["session", key]))
            .and_then(Node::scalar)
    };
    let uid = user.text(&["uid"]);
    let account_uid = user.text(&["account", "uid"]);
    // Our own output names a user that is known by nothing else, because OCSF asks for a name.
    let is_unnamed = is_own && uid.is_none() && account_uid.is_none();
    let name = user.text(&["name"]).filter(|name| !(is_unnamed && name == dataward_unknown()));
    Actor {
        uid,
        name: name.or(app_name),
        kind,
        user_type: own_text("user_type")
            .or(user_type.filter(|_| !(is_own && kind == ActorKind::Anonymous))),
        account_uid,
        credential_uid: user
            .list(&["programmatic_credentials"])
            .first()
            .and_then(|credential| credential.text(&["uid"]))
            .or_else(|| user.text(&["credential_uid"]))
            .or_else(|| own_text("credential_uid")),
        session_uid: session("uid"),
        issuer: session("issuer"),
        mfa: session("is_mfa").or_else(|| root.text(&["is_mfa"])).and_then(|text| match &*text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }),
        groups: user.list(&["groups"]).iter().filter_map(|group| group.text(&["name"])).collect(),
    }
}

fn client<'a>(root: &Node<'a>, own: Option<&Node<'a>>) -> Client<'a> {
    let empty = Node::Null;
    let endpoint = root.at(&["src_endpoint"]).unwrap_or(&empty);
    let own_text = |key: &str| own.and_then(|own| own.text(&[key]));
    Client {
        ip: endpoint.text(&["ip"]).or_else(|| own_text("client_ip")),
        domain: endpoint
            .text(&["domain"])
            .or_else(|| endpoint.text(&["hostname"]))
            .or_else(|| own_text("client_domain")),
        port: endpoint
            .count(&["port"])
            .or_else(|| own.and_then(|own| own.count(&["client_port"])))
            .and_then(|port| u16::try_from(port).ok()),
        endpoint_uid: endpoint.text(&["uid"]).or_else(|| own_text("client_endpoint_uid")),
        user_agent: root.text(&["http_request", "user_agent"]).or_else(|| own_text("user_agent")),
    }
}

fn datastore<'a>(root: &Node<'a>, own: Option<&Node<'a>>) -> Option<Datastore<'a>> {
    if let Some(stated) = own.and_then(|own| own.at(&["datastore"]))
        && let Some(uid) = stated.text(&["uid"])
    {
        let form = stated.text(&["form"]);
        return Some(Datastore {
            uid,
            name: stated.text(&["name"]),
            resource_type: stated.text(&["type"]),
            form: DatastoreForm::ALL
                .into_iter()
                .find(|known| form.as_deref() == Some(known.as_str()))
                .unwrap_or(DatastoreForm::Other),
        });
    }
    // Our own output repeats the datastore in OCSF's words, and fills in a name where OCSF asks for one.
    if own.is_some_and(|own| own.at(&["source"]).is_some()) {
        return None;
    }
    let candidates = [
        (root.at(&["databucket"]), DatastoreForm::Bucket),
        (root.at(&["database"]), DatastoreForm::Database),
        (root.list(&["resources"]).first(), DatastoreForm::Other),
        (root.at(&["table"]), DatastoreForm::Database),
        (root.at(&["entity"]), DatastoreForm::Other),
    ];
    candidates.into_iter().find_map(|(node, form)| {
        let node = node?;
        let name = node.text(&["name"]);
        let uid = node.text(&["uid"]).or_else(|| name.clone())?;
        Some(Datastore { uid, name, resource_type: node.text(&["type"]), form })
    })
}

fn objects<'a>(root: &Node<'a>, own: Option<&Node<'a>>) -> Vec<Text<'a>> {
    let targets = own.map_or(&[][..], |own| own.list(&["targets"]));
    if !targets.is_empty() {
        return targets.iter().filter_map(Node::scalar).take(OBJECTS_PER_EVENT_MAX).collect();
    }
    if own.is_some_and(|own| own.at(&["source"]).is_some()) {
        return Vec::new();
    }
    let named = root
        .text(&["databucket", "file", "path"])
        .or_else(|| root.text(&["databucket", "file", "name"]))
        .or_else(|| root.text(&["table", "name"]));
    named.into_iter().collect()
}

/// OCSF Datastore Activity: update, write.
fn is_write(class: Class, activity_id: u64) -> bool {
    class == Class::DatastoreActivity && matches!(activity_id, 2 | 5)
}

/// What a read sent, or what a write took in, which our own output calls the same: a request to read is not data.
fn volume(root: &Node<'_>, own: Option<&Node<'_>>, is_write: bool) -> Volume {
    let count = |key: &str| own.and_then(|own| own.count(&[key]));
    let written = |key: &str| count(key).filter(|_| is_write);
    // The body of an answer is data only where the answer is to a read; the query's own count is always data.
    let bytes = written("bytes_in").or_else(|| count("bytes_out"));
    let bytes = bytes.or_else(|| root.count(&["query_info", "bytes"]));
    Volume {
        rows: written("rows_written").or_else(|| count("rows_returned")).map(RowCount),
        bytes: bytes.map(ByteCount),
        objects: count("objects_count").map(ObjectCount),
    }
}

/// `change` holds one change, `changes` several; a change without a known control is none.
fn changes<'a>(own: &Node<'a>) -> Vec<Change<'a>> {
    own.list(&["changes"]).iter().chain(own.at(&["change"])).filter_map(change).collect()
}

fn change<'a>(node: &Node<'a>) -> Option<Change<'a>> {
    let control = Control::parse(&node.text(&["control"])?)?;
    let direction = node
        .text(&["direction"])
        .and_then(|name| Direction::parse(&name))
        .unwrap_or(Direction::Unknown);
    let setting = node.text(&["setting"]).unwrap_or(Cow::Borrowed(control.as_str()));
    // One that the producer did not name is the setting itself: then it can still be closed by its counterpart.
    let opened = node.any_text(&["opened"]).unwrap_or_else(|| setting.clone());
    Some(Change {
        catalogue_row: node.any_text(&["catalogue_row"]).unwrap_or_default(),
        control,
        opened,
        setting,
        before: node.any_text(&["before"]),
        after: node.any_text(&["after"]),
        direction,
        whole: node.flag(&["whole"]).unwrap_or(false),
    })
}
