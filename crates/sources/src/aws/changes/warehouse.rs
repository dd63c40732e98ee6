//! Redshift, with clusters and without.

use std::borrow::Cow;

use super::document::{bool_at, embedded, items, text_at, texts};
use super::rds::{REDSHIFT_PARAMETERS, parameters, reset_parameters};
use super::{Call, Found, foreign_account, network, resource_policies};
use crate::catalogue_rows as rows;

/// The log that says what each user ran.
const ACTIVITY_LOG: &str = "useractivitylog";

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match (call.service, call.operation) {
        ("redshift-serverless", _) => serverless(call, found),
        (_, "CreateCluster" | "RestoreFromClusterSnapshot") => born(call, found),
        (_, "ModifyClusterParameterGroup") => parameters(call, found, &REDSHIFT_PARAMETERS),
        (_, "ResetClusterParameterGroup") => reset_parameters(call, found, &REDSHIFT_PARAMETERS),
        (_, "AuthorizeSnapshotAccess" | "RevokeSnapshotAccess") => {
            let account = text_at(call.request(), &["accountWithRestoreAccess"]);
            if let Some(account) = account
                && foreign_account(&account, call.account).is_some()
            {
                let is_weak = call.operation == "AuthorizeSnapshotAccess";
                let opened = format!("account {account}");
                found.changes.flag(&rows::REDSHIFT_SNAPSHOT_FOREIGN, is_weak, opened);
            }
        }
        (_, "AuthorizeDataShare" | "DeauthorizeDataShare") => data_share(call, found),
        (_, "AuthorizeEndpointAccess" | "RevokeEndpointAccess") => network::account_access(
            call,
            found,
            &rows::REDSHIFT_ENDPOINT_ACCESS,
            ["AuthorizeEndpointAccess", "RevokeEndpointAccess"],
        ),
        (_, "AuthorizeClusterSecurityGroupIngress" | "RevokeClusterSecurityGroupIngress") => {
            let is_weak = call.operation == "AuthorizeClusterSecurityGroupIngress";
            network::legacy(call, found, &rows::REDSHIFT_SECURITY_GROUP, is_weak);
        }
        _ => {}
    }
}

/// A new cluster: the answer tells what it became, the request what was asked for.
fn born(call: &Call<'_>, found: &mut Found) {
    let told =
        |flag: &str| bool_at(call.response(), &[flag]).or_else(|| bool_at(call.request(), &[flag]));
    if told("publiclyAccessible") == Some(true) {
        found.changes.weakened(&rows::REDSHIFT_PUBLIC_CREATED, "publiclyAccessible").after =
            Some("true".into());
    }
    if told("encrypted") == Some(false) {
        found.changes.weakened(&rows::REDSHIFT_ENCRYPTION, "encrypted").after =
            Some("false".into());
    }
}

/// A share is given to an account, or offered to all customers of the data exchange.
fn data_share(call: &Call<'_>, found: &mut Found) {
    let Some(consumer) = text_at(call.request(), &["consumerIdentifier"]) else { return };
    let is_foreign = consumer == "ADX" || foreign_account(&consumer, call.account).is_some();
    if is_foreign {
        let is_weak = call.operation == "AuthorizeDataShare";
        let opened = format!("account {consumer}");
        found.changes.flag(&rows::REDSHIFT_DATA_SHARE, is_weak, opened);
    }
}

fn serverless(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let is_creation = matches!(call.operation, "CreateWorkgroup" | "CreateNamespace");
    match call.operation {
        "CreateWorkgroup" | "UpdateWorkgroup" => {
            let told = bool_at(call.response(), &["workgroup", "publiclyAccessible"]);
            let is_born_public = is_creation
                && told.or_else(|| bool_at(request, &["publiclyAccessible"])) == Some(true);
            if is_born_public {
                let row = &rows::REDSHIFT_SERVERLESS_PUBLIC;
                found.changes.weakened(row, "publiclyAccessible").after = Some("true".into());
            }
            for parameter in items(request.get("configParameters")) {
                let key = text_at(parameter, &["parameterKey"]);
                let value = text_at(parameter, &["parameterValue"]).unwrap_or_default();
                let is_weak = matches!(value.to_ascii_lowercase().as_str(), "false" | "0");
                if key.as_deref() == Some("require_ssl") && (is_weak || !is_creation) {
                    let row = &rows::REDSHIFT_SERVERLESS_TLS;
                    found.changes.flag(row, is_weak, "parameter require_ssl").after =
                        Some(Cow::Owned(value));
                }
            }
        }
        "UpdateNamespace" => {
            let Some(exports) = request.get("logExports").filter(|exports| !exports.is_null())
            else {
                return;
            };
            let kinds = texts(Some(exports));
            let is_exported = kinds.iter().any(|kind| kind == ACTIVITY_LOG);
            if kinds.is_empty() || is_exported {
                let dropped = (!is_exported).then(|| format!("log {ACTIVITY_LOG}"));
                found.changes.whole(&rows::REDSHIFT_SERVERLESS_LOGS, dropped);
            } else {
                // Other logs than this one: it may never have been exported.
                found.changes.whole_unknown(&rows::REDSHIFT_SERVERLESS_LOGS).after =
                    Some(Cow::Owned(kinds.join(", ")));
            }
        }
        "PutResourcePolicy" => {
            let Some(document) = request.get("policy").and_then(embedded) else {
                found.changes.whole_unknown(&rows::REDSHIFT_SERVERLESS_POLICY_FOREIGN);
                return;
            };
            let rows = (
                &rows::REDSHIFT_SERVERLESS_POLICY_PUBLIC,
                &rows::REDSHIFT_SERVERLESS_POLICY_FOREIGN,
            );
            resource_policies::state(&document, call, found, rows);
        }
        // The policy of a snapshot does nothing but share it.
        "DeleteResourcePolicy" => {
            found.changes.whole(&rows::REDSHIFT_SERVERLESS_POLICY_PUBLIC, []);
            found.changes.whole(&rows::REDSHIFT_SERVERLESS_POLICY_FOREIGN, []);
        }
        _ => {}
    }
}
