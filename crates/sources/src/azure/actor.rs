//! Who called, and from where.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use dataward_event::audit_event::{Actor, ActorKind, Client, Text};

use super::record::{Claims, Properties, Record};
use crate::lenient::{Texts, Unread};

/// The actor of a record of the activity log or of Key Vault: the claims of the token.
pub(super) fn of_claims<'a>(record: &Record<'a>) -> Actor<'a> {
    let in_identity = &record.identity.fields.claims;
    let claims = if in_identity.is_object { in_identity } else { &record.claims };
    let claims = &claims.fields;
    let evidence =
        [&record.identity.fields.authorization, &record.authorization].into_iter().find_map(
            |authorization| authorization.fields.evidence.fields.principal_type.clone().text(),
        );
    let caller = record.caller.clone().text();
    let name = claims.name.clone().text();
    let kind = kind(claims, evidence.as_deref(), caller.as_deref());
    let app = claims.app.clone().text();
    let uid = claims.object.clone().text().or_else(|| caller.clone());
    Actor {
        name: name
            .or_else(|| caller.filter(|caller| caller.contains('@')))
            .or_else(|| managed_identity(claims))
            .or_else(|| claims.full_name.clone().text())
            .or_else(|| app.clone()),
        uid: uid.or_else(|| app.clone()),
        kind,
        user_type: evidence.or_else(|| claims.kind.clone().text()),
        account_uid: claims.tenant.clone().text(),
        credential_uid: claims.token.clone().text().or(app),
        session_uid: claims.session.clone().text(),
        issuer: None,
        mfa: mfa(claims.methods),
        groups: Vec::new(),
    }
}

fn kind(claims: &Claims<'_>, evidence: Option<&str>, caller: Option<&str>) -> ActorKind {
    match (evidence, claims.kind.as_str()) {
        (Some("User"), _) | (_, Some("user")) => return ActorKind::Human,
        (Some("ServicePrincipal"), _) | (_, Some("app")) => return ActorKind::Service,
        _ => {}
    }
    if claims.name.as_str().is_some() || caller.is_some_and(|caller| caller.contains('@')) {
        ActorKind::Human
    } else if claims.app.as_str().is_some() || caller.is_some() {
        ActorKind::Service
    } else {
        ActorKind::Unknown
    }
}

/// The name of a managed identity: the last part of its resource id.
fn managed_identity<'a>(claims: &Claims<'a>) -> Option<Text<'a>> {
    let id = claims.managed_identity.as_str()?;
    Some(Cow::Owned(id.rsplit('/').next().unwrap_or_default().to_owned()))
}

/// The methods of the log-on: a list, or a text such as `pwd,mfa`.
fn mfa(methods: Unread<'_>) -> Option<bool> {
    let methods: Texts<'_> = methods.read()?;
    let has = methods.0.iter().flat_map(|text| text.split(',')).any(|m| m.trim() == "mfa");
    (!methods.0.is_empty()).then_some(has)
}

/// The actor of a record of Storage. Behind an account key or a signature is nobody in particular: its hash stands for it.
pub(super) fn of_storage<'a>(record: &Record<'a>) -> Actor<'a> {
    let identity = &record.identity.fields;
    let requester = &identity.requester.fields;
    let user_type = identity.kind.clone().text();
    let object = requester.object.clone().text();
    let name = requester.name.clone().text();
    let kind = match user_type.as_deref() {
        Some("Anonymous") => ActorKind::Anonymous,
        Some("OAuth") if name.is_some() => ActorKind::Human,
        Some("OAuth") if requester.app.as_str().is_some() => ActorKind::Service,
        _ => ActorKind::Unknown,
    };
    let key = identity.token_hash.clone().text();
    Actor {
        uid: object.or_else(|| key.clone()).filter(|_| kind != ActorKind::Anonymous),
        name: name.or_else(|| requester.app.clone().text()),
        kind,
        user_type,
        account_uid: requester.tenant.clone().text(),
        credential_uid: key,
        ..Actor::default()
    }
}

/// The actor of a record of Cosmos DB: a principal, else the kind of key.
pub(super) fn of_cosmos<'a>(properties: &Properties<'a>) -> Actor<'a> {
    let principal = properties.cosmos_principal.clone().text();
    let token_type = properties.token_type.clone().text();
    Actor {
        uid: principal.or_else(|| token_type.clone()),
        user_type: token_type,
        ..Actor::default()
    }
}

/// The actor of a record of Azure SQL: who acts, on behalf of whom logged on.
pub(super) fn of_sql<'a>(properties: &Properties<'a>) -> Actor<'a> {
    let principal = properties.principal.clone().text();
    let principal = principal.or_else(|| properties.database_principal.clone().text());
    let session = properties.session_principal.clone().text();
    let is_person = principal.as_deref().is_some_and(|name| name.contains('@'));
    Actor {
        issuer: session.filter(|session| Some(session) != principal.as_ref()),
        uid: principal.clone(),
        name: principal,
        kind: if is_person { ActorKind::Human } else { ActorKind::Unknown },
        session_uid: properties.session.clone().text(),
        ..Actor::default()
    }
}

/// An address, with or without its port.
pub(super) fn client<'a>(address: Option<Text<'a>>, user_agent: Option<Text<'a>>) -> Client<'a> {
    let mut client = Client { user_agent, ..Client::default() };
    let Some(address) = address else { return client };
    if address.parse::<IpAddr>().is_ok() {
        client.ip = Some(address);
    } else if let Ok(socket) = address.parse::<SocketAddr>() {
        client.ip = Some(Cow::Owned(socket.ip().to_string()));
        client.port = Some(socket.port());
    } else {
        client.domain = Some(address);
    }
    client
}
