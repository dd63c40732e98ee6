//! Who and from where: the objects that events and evidences share.

use dataward_event::audit_event::{Actor, ActorKind, Client, Datastore, DatastoreForm};
use dataward_event::change::Change;
use dataward_event::position::Position;

use crate::UNKNOWN;
use crate::json::Object;

/// OCSF `user.type_id`.
const fn user_type_id(kind: ActorKind) -> u8 {
    match kind {
        ActorKind::Unknown => 0,
        ActorKind::Human => 1,
        ActorKind::Service => 4,
        ActorKind::Anonymous => 99,
    }
}

/// Whether an actor has what an OCSF `user` needs.
pub(crate) fn has_user(actor: &Actor<'_>) -> bool {
    actor.uid.is_some() || actor.name.is_some() || actor.account_uid.is_some()
}

/// The fields of a `user`.
pub(crate) fn user(object: &mut Object<'_>, actor: &Actor<'_>) {
    if !has_user(actor) {
        object.text("name", UNKNOWN);
    }
    object.text_if("uid", actor.uid.as_deref());
    object.text_if("name", actor.name.as_deref());
    if actor.kind == ActorKind::Anonymous {
        object.text("type", "Anonymous");
    } else {
        object.text_if("type", actor.user_type.as_deref());
    }
    object.number("type_id", user_type_id(actor.kind));
    object.object_unless_empty("account", |account| {
        account.text_if("uid", actor.account_uid.as_deref());
    });
    object.objects("groups", &actor.groups, |group, name| group.text("name", name));
    object.objects("programmatic_credentials", actor.credential_uid.as_deref(), |object, uid| {
        object.text("uid", uid);
    });
}

/// The fields of an `actor`. Where there is no user the application that told us stands in.
pub(crate) fn actor(object: &mut Object<'_>, actor: &Actor<'_>, source: &str) {
    if has_user(actor) || actor.credential_uid.is_some() || !actor.groups.is_empty() {
        object.object("user", |object| user(object, actor));
    } else {
        object.text("app_name", source);
    }
    object.object_unless_empty("session", |session| {
        session.text_if("uid", actor.session_uid.as_deref());
        session.text_if("issuer", actor.issuer.as_deref());
        if let Some(mfa) = actor.mfa {
            session.flag("is_mfa", mfa);
        }
    });
}

/// Whether OCSF takes this as an address.
pub(crate) fn is_address(text: &str) -> bool {
    text.len() <= 40 && text.parse::<std::net::IpAddr>().is_ok()
}

/// The fields of a `src_endpoint`. What is no address for OCSF is left to `unmapped.dataward`.
pub(crate) fn endpoint(object: &mut Object<'_>, client: &Client<'_>) {
    let ip = client.ip.as_deref().filter(|ip| is_address(ip));
    if ip.is_none() && client.domain.is_none() && client.endpoint_uid.is_none() {
        object.text("name", UNKNOWN);
    }
    object.text_if("ip", ip);
    object.text_if("domain", client.domain.as_deref());
    object.number_if("port", client.port);
    object.text_if("uid", client.endpoint_uid.as_deref());
}

/// The fields of a `resource_details`.
pub(crate) fn resource(object: &mut Object<'_>, datastore: &Datastore<'_>) {
    object.text("uid", &datastore.uid);
    object.text_if("name", datastore.name.as_deref());
    object.text_if("type", datastore.resource_type.as_deref());
}

/// The datastore's own object of 6005: a bucket is a bucket, anything else a database.
pub(crate) fn container(
    object: &mut Object<'_>,
    datastore: Option<&Datastore<'_>>,
    provider: Option<&str>,
    key: Option<&str>,
) {
    match datastore {
        Some(bucket) if bucket.form == DatastoreForm::Bucket => {
            object.number("type_id", 2_u8);
            object.object("databucket", |object| {
                object.number("type_id", if provider == Some("AWS") { 1_u8 } else { 99 });
                object.text_if("name", bucket.name.as_deref());
                object.text("uid", &bucket.uid);
                object.objects_as_file(key);
            });
        }
        Some(database) => {
            object.number("type_id", 1_u8);
            object.object("database", |object| {
                object.number("type_id", 0_u8);
                object.text_if("name", database.name.as_deref());
                object.text("uid", &database.uid);
            });
        }
        None => object.object("database", |object| {
            object.number("type_id", 0_u8);
            object.text("name", UNKNOWN);
        }),
    }
}

impl Object<'_> {
    fn objects_as_file(&mut self, key: Option<&str>) {
        if let Some(key) = key {
            self.object("file", |file| {
                file.text("name", key);
                file.number("type_id", 1_u8);
            });
        }
    }
}

/// Where a record stands.
pub(crate) fn position(object: &mut Object<'_>, position: &Position) {
    object.text("topic", &position.partition.topic);
    object.number("partition", position.partition.number);
    if position.partition.incarnation > 0 {
        object.number("incarnation", position.partition.incarnation);
    }
    object.number("offset", position.offset.0);
    object.number("record_index", position.record_index);
}

/// A change of protection.
pub(crate) fn change(object: &mut Object<'_>, change: &Change<'_>) {
    object.text("control", change.control.as_str());
    object.text("setting", &change.setting);
    object.text("opened", &change.opened);
    object.text_if("before", change.before.as_deref());
    object.text_if("after", change.after.as_deref());
    object.text("direction", change.direction.as_str());
    if change.whole {
        object.flag("whole", true);
    }
    if !change.catalogue_row.is_empty() {
        object.text("catalogue_row", &change.catalogue_row);
    }
}
