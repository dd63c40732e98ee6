//! Who called, and from where.

use std::borrow::Cow;

use dataward_event::audit_event::{Actor, ActorKind, Client, Text};

use super::cloudtrail::{CloudTrail, Identity};

/// What CloudTrail writes for a caller without any identity.
const ANONYMOUS: &str = "ANONYMOUS_PRINCIPAL";

/// The suffix of the names of AWS services.
const SERVICE_SUFFIX: &str = ".amazonaws.com";

/// The part of a text after a mark, without a copy where the text is borrowed.
pub(crate) fn after<'a>(text: &Text<'a>, mark: char) -> Option<Text<'a>> {
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.split_once(mark)?.1),
        Cow::Owned(text) => Cow::Owned(text.split_once(mark)?.1.to_owned()),
    })
}

/// The actor of an event. `mfa_used` is what the event says outside of the identity.
pub(crate) fn actor<'a>(event: &CloudTrail<'a>, mfa_used: Option<bool>) -> Actor<'a> {
    let identity = &event.identity.fields;
    let role_session = role_session(identity);
    let kind = kind(event, role_session.as_deref());
    let is_anonymous = kind == ActorKind::Anonymous;
    let principal = identity.principal.clone().text().filter(|text| text != ANONYMOUS);
    let account = identity.account.clone().text().filter(|text| text != ANONYMOUS);
    let invoked_by = identity.invoked_by.clone().text();
    let session = &identity.session.fields;
    let uid = identity.arn.clone().text().or_else(|| principal.clone()).or_else(|| {
        if is_anonymous { None } else { invoked_by.clone().or_else(|| account.clone()) }
    });
    let is_session = session.issuer.fields.arn.as_str().is_some() || role_session.is_some();
    Actor {
        name: name(identity, kind, role_session).or_else(|| invoked_by.clone()),
        uid,
        kind,
        user_type: identity.kind.clone().text(),
        account_uid: account,
        credential_uid: identity.access_key.clone().text(),
        session_uid: principal.filter(|_| is_session),
        issuer: session
            .issuer
            .fields
            .arn
            .clone()
            .text()
            .or_else(|| identity.on_behalf_of.fields.user.clone().text())
            .or(invoked_by),
        mfa: session.attributes.fields.mfa.as_bool().or(mfa_used),
        groups: Vec::new(),
    }
}

/// `role/session` of an assumed role.
fn role_session<'a>(identity: &Identity<'a>) -> Option<Text<'a>> {
    let arn = identity.arn.clone().text()?;
    let resource = arn.splitn(6, ':').nth(5)?;
    if !resource.starts_with("assumed-role/") {
        return None;
    }
    after(&arn, '/')
}

fn name<'a>(
    identity: &Identity<'a>,
    kind: ActorKind,
    role_session: Option<Text<'a>>,
) -> Option<Text<'a>> {
    if let Some(name) = identity.user_name.clone().text() {
        return Some(name);
    }
    if let Some(role_session) = role_session {
        // A person is known by the session; a program by its role, and by which session of it.
        return match kind {
            ActorKind::Human => after(&role_session, '/').or(Some(role_session)),
            _ => Some(role_session),
        };
    }
    if identity.kind.as_str() == Some("Root") {
        return Some(Cow::Borrowed("root"));
    }
    identity.session.fields.issuer.fields.name.clone().text()
}

/// What kind of actor. An assumed role is a person or a program only where the event shows which; the many roles whose
/// sessions are named freely stay unknown, since calling them programs would hide people behind them.
fn kind(event: &CloudTrail<'_>, role_session: Option<&str>) -> ActorKind {
    let identity = &event.identity.fields;
    if [&identity.account, &identity.principal].iter().any(|id| id.as_str() == Some(ANONYMOUS)) {
        return ActorKind::Anonymous;
    }
    match identity.kind.as_str() {
        Some("AWSService") => ActorKind::Service,
        Some("IAMUser" | "Root" | "IdentityCenterUser" | "SAMLUser" | "FederatedUser") => {
            ActorKind::Human
        }
        Some("AssumedRole" | "Role" | "Unknown") => {
            role_kind(event, role_session.unwrap_or_default())
        }
        _ if is_service(identity.invoked_by.as_str()) => ActorKind::Service,
        _ => ActorKind::Unknown,
    }
}

fn is_service(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.ends_with(SERVICE_SUFFIX))
}

fn role_kind(event: &CloudTrail<'_>, role_session: &str) -> ActorKind {
    let identity = &event.identity.fields;
    let session = &identity.session.fields;
    let (role, session_name) = role_session.split_once('/').unwrap_or((role_session, ""));
    let is_service_role = role.starts_with("AWSServiceRoleFor")
        || session.issuer.fields.arn.as_str().is_some_and(|arn| arn.contains("/aws-service-role/"));
    if is_service_role
        || is_service(identity.invoked_by.as_str())
        || session.ec2_role_delivery.as_str().is_some()
        || identity.issued_to.fields.credentials_issued_to.as_str().is_some()
        || is_instance_id(session_name)
    {
        return ActorKind::Service;
    }
    if role.starts_with("AWSReservedSSO_")
        || session_name.contains('@')
        || event.from_console.as_bool() == Some(true)
    {
        return ActorKind::Human;
    }
    ActorKind::Unknown
}

/// `i-` and at least eight hexadecimal digits: the session name of an instance role.
fn is_instance_id(name: &str) -> bool {
    name.strip_prefix("i-")
        .is_some_and(|id| id.len() >= 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Where the call came from. CloudTrail writes a service's name in the place of an address when a service called.
pub(crate) fn client<'a>(event: &CloudTrail<'a>) -> Client<'a> {
    let address = event.source_address.clone().text();
    let is_ip = address.as_deref().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok());
    let (ip, domain) = if is_ip { (address, None) } else { (None, address) };
    Client {
        ip,
        domain: domain.or_else(|| event.identity.fields.invoked_by.clone().text()),
        port: None,
        endpoint_uid: event.vpc_endpoint.clone().text(),
        user_agent: event.user_agent.clone().text(),
    }
}
