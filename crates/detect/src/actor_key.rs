//! Who is who: the keys under which reads are remembered.

use dataward_event::audit_event::{Actor, ActorKind, Datastore};

/// The key of an actor: by its uid, else by its name and account. Who has no identity is one actor for each datastore;
/// nobody can tell them apart.
pub fn actor_key(actor: &Actor<'_>, datastore: &Datastore<'_>) -> u64 {
    let account = actor.account_uid.as_deref().unwrap_or_default();
    match (&actor.uid, &actor.name) {
        _ if actor.kind == ActorKind::Anonymous => hash("anonymous", &datastore.uid, ""),
        (Some(uid), _) => hash("uid", uid, ""),
        (None, Some(name)) => hash("name", name, account),
        (None, None) => hash("unknown", &datastore.uid, account),
    }
}

/// The key of a datastore.
pub fn datastore_key(datastore: &Datastore<'_>) -> u64 {
    hash("datastore", &datastore.uid, "")
}

/// Eight bytes of a hash for which nobody finds another name: a collision would share a history.
fn hash(sort: &str, name: &str, account: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in [sort, name, account] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut first = [0_u8; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}
