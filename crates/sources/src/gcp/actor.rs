//! Who called, and from where.

use std::borrow::Cow;
use std::net::IpAddr;

use dataward_event::audit_event::{Actor, ActorKind, Client, Outcome, Text};

use super::entry::{AuditLog, Authentication, Delegation};
use crate::lenient::Object;

/// The end of every service account's address.
const SERVICE_ACCOUNT: &str = "gserviceaccount.com";

/// The actor of an entry.
pub(super) fn actor<'a>(payload: &AuditLog<'a>, service: &str, outcome: Outcome) -> Actor<'a> {
    let authentication = &payload.authentication.fields;
    let email = authentication.email.clone().text();
    let subject = authentication.subject.clone().text();
    let kind = kind(email.as_deref(), subject.as_deref(), service, outcome);
    Actor {
        account_uid: email.as_deref().and_then(project).map(|project| Cow::Owned(project.into())),
        user_type: subject.as_ref().and_then(subject_type),
        uid: email.clone().or_else(|| subject.clone()),
        name: email.or(subject),
        kind,
        credential_uid: authentication.key.clone().text(),
        session_uid: None,
        issuer: delegation(authentication),
        mfa: None,
        groups: Vec::new(),
    }
}

/// Nobody at all is named for reads of what everybody may read; where a refused call names nobody, the name is withheld.
fn kind(email: Option<&str>, subject: Option<&str>, service: &str, outcome: Outcome) -> ActorKind {
    match (email, subject) {
        (Some("system:anonymous" | "anonymous"), _) => ActorKind::Anonymous,
        (Some(email), _) if email.ends_with(SERVICE_ACCOUNT) || email.ends_with("@google.com") => {
            ActorKind::Service
        }
        (Some(email), _) if email.starts_with("system:") => ActorKind::Service,
        (_, Some(subject)) if subject.starts_with("serviceAccount:") => ActorKind::Service,
        (_, Some(subject)) if subject.starts_with("user:") => ActorKind::Human,
        (Some(email), _) if email.contains('@') => ActorKind::Human,
        (None, None) if service == "storage" && outcome != Outcome::Failure => ActorKind::Anonymous,
        _ => ActorKind::Unknown,
    }
}

/// `user` of `user:ada@example.com`.
fn subject_type<'a>(subject: &Text<'a>) -> Option<Text<'a>> {
    Some(match subject {
        Cow::Borrowed(subject) => Cow::Borrowed(subject.split_once(':')?.0),
        Cow::Owned(subject) => Cow::Owned(subject.split_once(':')?.0.to_owned()),
    })
}

/// The project of a service account.
pub(super) fn project(email: &str) -> Option<&str> {
    let (local, domain) = email.split_once('@')?;
    if domain == "appspot.gserviceaccount.com" {
        return Some(local);
    }
    domain.strip_suffix(".iam.gserviceaccount.com")
}

/// Who stands behind a service account: the nearest first. The log has the original caller first.
fn delegation<'a>(authentication: &Authentication<'a>) -> Option<Text<'a>> {
    let chain: Vec<Object<Delegation<'a>>> = authentication.delegation.read()?;
    let names = chain.into_iter().rev().filter_map(|link| {
        let first_party = link.fields.first_party.fields;
        first_party.email.text().or_else(|| link.fields.subject.text())
    });
    let names: Vec<Text<'a>> = names.collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(Cow::Owned(many.join(" < "))),
    }
}

/// Where the call came from. Inside Google's network a word stands for the address.
pub(super) fn client<'a>(payload: &AuditLog<'a>) -> Client<'a> {
    let caller = &payload.caller.fields;
    let address = caller.ip.clone().text();
    let is_address = address.as_deref().is_some_and(|address| address.parse::<IpAddr>().is_ok());
    let (ip, domain) = if is_address { (address, None) } else { (None, address) };
    Client {
        ip,
        domain,
        port: None,
        endpoint_uid: caller.network.clone().text(),
        user_agent: caller.user_agent.clone().text(),
    }
}
