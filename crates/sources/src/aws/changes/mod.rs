//! Which changes of protection an AWS call states: judged by the values that it sets, not by its verb.
//!
//! Most rows are plain: a call that is a weakening by itself ([`toggles`]) or a flag in its request ([`flags`]). The
//! rest, where values must be understood, have a file of their own a product family.

mod audit;
pub(super) mod copies;
mod database;
mod document;
mod flags;
mod identity;
mod identity_policy;
mod lake;
mod network;
mod policy;
mod rds;
mod resource_policies;
mod s3;
mod sharing;
mod stores;
mod toggles;
mod vpc;
mod warehouse;
mod watching;

use std::borrow::Cow;
use std::cell::OnceCell;

use dataward_event::audit_event::{Datastore, DatastoreForm};
use serde_json::Value;
use serde_json::value::RawValue;

use super::cloudtrail::CloudTrail;
use super::datastore::{account_guard, arn_partition};
use crate::changes::Changes;

/// One call, as far as its changes need it.
pub(super) struct Call<'c> {
    pub(super) service: &'c str,
    pub(super) operation: &'c str,
    /// The account in which it happened; foreign is every other one.
    pub(super) account: Option<&'c str>,
    region: Option<&'c str>,
    invoked_by: Option<&'c str>,
    /// The kind of identity that called: `Root`, `IAMUser`, `AWSService`.
    identity: Option<&'c str>,
    raw_request: Option<&'c RawValue>,
    raw_response: Option<&'c RawValue>,
    request: OnceCell<Value>,
    response: OnceCell<Value>,
}

impl<'c> Call<'c> {
    pub(super) fn new(
        event: &'c CloudTrail<'_>,
        service: &'c str,
        operation: &'c str,
        account: Option<&'c str>,
    ) -> Self {
        Self {
            service,
            operation,
            account,
            region: event.region.as_str(),
            invoked_by: event.identity.fields.invoked_by.as_str(),
            identity: event.identity.fields.kind.as_str(),
            raw_request: event.request,
            raw_response: event.response,
            request: OnceCell::new(),
            response: OnceCell::new(),
        }
    }

    /// The request, parsed when it is first asked for: only few operations get this far.
    fn request(&self) -> &Value {
        self.request.get_or_init(|| parse(self.raw_request))
    }

    fn response(&self) -> &Value {
        self.response.get_or_init(|| parse(self.raw_response))
    }

    /// The ARN of a resource of this account; `region` is false where ARNs of the service name none.
    fn arn(&self, service: &str, region: bool, tail: &str) -> String {
        let own = self.region.unwrap_or_default();
        let (partition, account) = (arn_partition(own), self.account.unwrap_or_default());
        let region = if region { own } else { "" };
        format!("arn:{partition}:{service}:{region}:{account}:{tail}")
    }
}

fn parse(raw: Option<&RawValue>) -> Value {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// The changes of one call, and the resource where the call names it in an unusual place.
#[derive(Default)]
pub(super) struct Found {
    pub(super) changes: Changes,
    pub(super) datastore: Option<Datastore<'static>>,
}

/// Everything that a call changes.
pub(super) fn of(call: &Call<'_>) -> Found {
    let mut found = Found::default();
    toggles::read(call, &mut found);
    flags::read(call, &mut found);
    match call.service {
        "s3" | "s3express" => s3::read(call, &mut found),
        "es" | "aoss" => database::read(call, &mut found),
        "rds" => {
            rds::read(call, &mut found);
            network::read(call, &mut found);
            sharing::read(call, &mut found);
        }
        "redshift" | "redshift-serverless" => warehouse::read(call, &mut found),
        "elasticache" | "memorydb" | "kafka" | "elasticfilesystem" => {
            stores::read(call, &mut found);
        }
        "ec2" => {
            network::read(call, &mut found);
            vpc::read(call, &mut found);
            sharing::read(call, &mut found);
            audit::read(call, &mut found);
        }
        "cloudtrail" | "logs" => audit::read(call, &mut found),
        "config" => {
            audit::read(call, &mut found);
            watching::read(call, &mut found);
        }
        "guardduty" | "macie2" | "access-analyzer" | "monitoring" | "events" => {
            watching::read(call, &mut found);
        }
        "organizations" | "ram" => identity::read(call, &mut found),
        "glue" | "athena" | "lakeformation" | "backup" => lake::read(call, &mut found),
        _ => {}
    }
    resource_policies::read(call, &mut found);
    match call.service {
        "iam" | "kms" => identity::read(call, &mut found),
        "dynamodb" => lake::read(call, &mut found),
        _ => {}
    }
    copies::read(call, &mut found);
    found
}

impl Found {
    /// The setting stands above every datastore of the account (of the region, where one is given).
    fn of_account(&mut self, call: &Call<'_>, is_regional: bool) {
        if let Some(account) = call.account {
            self.datastore = Some(account_guard(account, call.region.filter(|_| is_regional)));
        }
    }

    /// The changed resource is a guard with an identity of its own.
    fn of_guard(&mut self, resource_type: &'static str, uid: String) {
        self.of_resource(resource_type, uid, DatastoreForm::Guard);
    }

    /// The changed resource stands where the request's own names do not tell it.
    fn of_resource(&mut self, resource_type: &'static str, uid: String, form: DatastoreForm) {
        self.datastore = Some(Datastore {
            name: uid.rsplit([':', '/']).next().map(|name| Cow::Owned(name.to_owned())),
            uid: Cow::Owned(uid),
            resource_type: Some(Cow::Borrowed(resource_type)),
            form,
        });
    }
}

/// The account id in `text`, if it is one of another account than `own`. Without an own account nothing is foreign.
fn foreign_account<'t>(text: &'t str, own: Option<&str>) -> Option<&'t str> {
    let own = own?;
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && text != own).then_some(text)
}
