//! Who is who: the keys under which reads are remembered.

use std::hash::Hasher;

use dataward_event::audit_event::{Actor, ActorKind, Datastore};
use siphasher::sip::SipHasher24;

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

/// The hash under which an object of a datastore is remembered: half a key, of which there are many.
pub fn object_hash(name: &str) -> u32 {
    (hash("object", name, "") >> 32) as u32
}

/// The place of a reader among those of a minute.
pub(crate) fn identity_hash(identity: &str) -> u64 {
    hash("reader", identity, "")
}

/// SipHash-2-4 of the parts. Its key is fixed, since keys are saved; still it takes 2⁶⁴ names to find one that shares the
/// history of another. It costs a tenth of a hash that would keep secrets, and is asked twice with every read.
fn hash(sort: &str, name: &str, account: &str) -> u64 {
    let mut hasher = SipHasher24::new();
    for part in [sort, name, account] {
        hasher.write(&(part.len() as u64).to_le_bytes());
        hasher.write(part.as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use dataward_event::audit_event::DatastoreForm;

    use super::*;

    fn datastore(uid: &'static str) -> Datastore<'static> {
        Datastore { uid: uid.into(), name: None, resource_type: None, form: DatastoreForm::Bucket }
    }

    /// Saved state is found under these: they stay for ever.
    #[test]
    fn keys_do_not_change_between_releases() {
        assert_eq!(datastore_key(&datastore("arn:aws:s3:::orders")), 17_641_922_512_092_040_329);
        let ada = Actor { uid: Some("ada".into()), ..Actor::default() };
        assert_eq!(actor_key(&ada, &datastore("orders")), 3_616_400_710_364_762_103);
    }

    #[test]
    fn an_actor_is_one_over_all_datastores_and_nobody_is_one_for_each() {
        let [orders, site] = ["orders", "site"].map(datastore);
        let is_one = |actor: &Actor<'_>| actor_key(actor, &orders) == actor_key(actor, &site);
        let named =
            Actor { name: Some("ada".into()), account_uid: Some("1".into()), ..Actor::default() };
        assert!(is_one(&named) && is_one(&Actor { uid: Some("ada".into()), ..Actor::default() }));
        assert!(!is_one(&Actor::default()));
        assert!(!is_one(&Actor { kind: ActorKind::Anonymous, ..named.clone() }));
        let elsewhere = Actor { account_uid: Some("2".into()), ..named.clone() };
        assert_ne!(actor_key(&named, &orders), actor_key(&elsewhere, &orders));
    }
}
