//! Databases, search domains, caches, keys and secrets: what is more than a flag.

use std::borrow::Cow;

use dataward_event::change::Direction;
use serde_json::Value;

use super::document::{at, bool_at, embedded, items, text_at, texts};
use super::{Call, Found, policy};
use crate::catalogue_rows::{self as rows, EmittedRow};

/// Types of logs that an audit needs.
const AUDIT_LOG_TYPES: [&str; 5] = ["audit", "postgresql", "general", "error", "profiler"];

/// Parameters that require TLS, and their values that do not.
const TLS_PARAMETERS: [(&str, &[&str]); 6] = [
    ("rds.force_ssl", &["0"]),
    ("require_secure_transport", &["0", "off"]),
    ("ssl", &["0", "off"]),
    ("tls", &["disabled"]),
    ("neptune_enforce_ssl", &["0"]),
    ("require_ssl", &["false", "0"]),
];

/// Parameters that produce the audit log, and their values that do not.
const AUDIT_PARAMETERS: [(&str, &[&str]); 9] = [
    ("pgaudit.log", &["none", ""]),
    ("log_statement", &["none"]),
    ("log_connections", &["0", "off"]),
    ("server_audit_logging", &["0", "off"]),
    ("server_audit_events", &[""]),
    ("audit_trail", &["none"]),
    ("audit_logs", &["disabled", "none"]),
    ("neptune_enable_audit_log", &["0"]),
    ("enable_user_activity_logging", &["false", "0"]),
];

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match call.service {
        "rds" => rds(call, found),
        "es" => search_domain(call, found),
        "aoss" => serverless_search(call, found),
        "elasticache" => cache(call, found),
        "dynamodb" | "kms" | "secretsmanager" | "iam" => resource_policy(call, found),
        _ => {}
    }
}

fn rds(call: &Call<'_>, found: &mut Found) {
    match call.operation {
        "CreateDBInstance" | "CreateDBCluster" => {
            born(call, found, &rows::RDS_PUBLIC_CREATED);
        }
        "RestoreDBInstanceFromDBSnapshot"
        | "RestoreDBInstanceToPointInTime"
        | "RestoreDBInstanceFromS3"
        | "CreateDBInstanceReadReplica" => born(call, found, &rows::RDS_PUBLIC_RESTORED),
        "ModifyDBInstance" | "ModifyDBCluster" => log_exports(call, found),
        "ModifyDBParameterGroup" | "ModifyDBClusterParameterGroup" => parameters(call, found),
        "AddRoleToDBInstance" | "AddRoleToDBCluster" => {
            let feature = text_at(call.request(), &["featureName"]).unwrap_or_default();
            if ["s3Export", "S3_INTEGRATION", "Lambda"].contains(&feature.as_str()) {
                found.changes.weakened(&rows::RDS_EXPORT_ROLE, format!("feature {feature}"));
            }
        }
        "RemoveRoleFromDBInstance" | "RemoveRoleFromDBCluster" => {
            if let Some(feature) = text_at(call.request(), &["featureName"]) {
                found.changes.strengthened(&rows::RDS_EXPORT_ROLE, format!("feature {feature}"));
            }
        }
        _ => {}
    }
}

/// A new instance: the answer tells what it became, the request what was asked for.
fn born(call: &Call<'_>, found: &mut Found, public: &EmittedRow) {
    let told =
        |flag: &str| bool_at(call.response(), &[flag]).or_else(|| bool_at(call.request(), &[flag]));
    if told("publiclyAccessible") == Some(true) {
        found.changes.weakened(public, "publiclyAccessible").after = Some("true".into());
    }
    // Members of a cluster inherit its storage; what they say of it themselves means nothing.
    let is_member = text_at(call.response(), &["dBClusterIdentifier"]).is_some()
        || text_at(call.request(), &["dBClusterIdentifier"]).is_some()
            && call.operation != "CreateDBCluster";
    if told("storageEncrypted") == Some(false) && !is_member {
        found.changes.weakened(&rows::RDS_UNENCRYPTED, "storageEncrypted").after =
            Some("false".into());
    }
}

fn log_exports(call: &Call<'_>, found: &mut Found) {
    let exports = at(call.request(), &["cloudwatchLogsExportConfiguration"]);
    let Some(exports) = exports else { return };
    for (key, direction) in
        [("disableLogTypes", Direction::Weakened), ("enableLogTypes", Direction::Strengthened)]
    {
        for kind in texts(exports.get(key)) {
            if AUDIT_LOG_TYPES.contains(&kind.as_str()) {
                found.changes.push(&rows::RDS_LOG_EXPORTS, direction, format!("log {kind}"));
            }
        }
    }
}

fn parameters(call: &Call<'_>, found: &mut Found) {
    for parameter in items(call.request().get("parameters")) {
        let Some(name) = text_at(parameter, &["parameterName"]) else { continue };
        let value = text_at(parameter, &["parameterValue"]).unwrap_or_default();
        let lower = value.to_ascii_lowercase();
        let judged = [
            (&rows::RDS_PARAMETER_TLS, TLS_PARAMETERS.as_slice()),
            (&rows::RDS_PARAMETER_AUDIT, AUDIT_PARAMETERS.as_slice()),
        ];
        for (row, known) in judged {
            if let Some((_, weak)) = known.iter().find(|(known, _)| *known == name) {
                let is_weak = weak.contains(&lower.as_str());
                found.changes.flag(row, is_weak, format!("parameter {name}")).after =
                    Some(Cow::Owned(value.clone()));
            }
        }
    }
}

/// OpenSearch and Elasticsearch domains. At creation a good value changes nothing, so only weak ones are told.
fn search_domain(call: &Call<'_>, found: &mut Found) {
    let is_creation = match call.operation {
        "CreateDomain" | "CreateElasticsearchDomain" => true,
        "UpdateDomainConfig" | "UpdateElasticsearchDomainConfig" => false,
        _ => return,
    };
    let request = call.request();
    domain_policy(call, found, is_creation);
    let flags: [(&[&str], bool, &EmittedRow, &'static str); 3] = [
        (
            &["advancedSecurityOptions", "anonymousAuthEnabled"],
            true,
            &rows::ES_ANONYMOUS,
            "anonymousAuthEnabled",
        ),
        (&["domainEndpointOptions", "enforceHTTPS"], false, &rows::ES_HTTPS, "enforceHTTPS"),
        (
            &["logPublishingOptions", "AUDIT_LOGS", "enabled"],
            false,
            &rows::ES_AUDIT_LOGS,
            "AUDIT_LOGS",
        ),
    ];
    for (path, weak, row, opened) in flags {
        if let Some(value) = bool_at(request, path)
            && (value == weak || !is_creation)
        {
            found.changes.flag(row, value == weak, opened).after =
                Some(Cow::Owned(value.to_string()));
        }
    }
    if let Some(tls) = text_at(request, &["domainEndpointOptions", "tLSSecurityPolicy"]) {
        let is_old = tls.contains("TLS-1-0");
        if is_old || !is_creation {
            found.changes.flag(&rows::ES_TLS_POLICY, is_old, "tLSSecurityPolicy").after =
                Some(Cow::Owned(tls));
        }
    }
    if is_creation {
        if at(request, &["vPCOptions", "subnetIds"]).is_none() {
            found.changes.weakened(&rows::ES_PUBLIC_ENDPOINT, "public endpoint");
        }
        if bool_at(request, &["encryptionAtRestOptions", "enabled"]) != Some(true) {
            found.changes.weakened(&rows::ES_UNENCRYPTED, "encryptionAtRest");
        }
    } else if bool_at(request, &["encryptionAtRestOptions", "enabled"]) == Some(true) {
        found.changes.strengthened(&rows::ES_UNENCRYPTED, "encryptionAtRest");
    }
}

fn domain_policy(call: &Call<'_>, found: &mut Found, is_creation: bool) {
    let request = call.request();
    let Some(document) = request.get("accessPolicies").and_then(embedded) else { return };
    let mut openings = policy::evaluate(&document, call.account);
    if is_creation {
        // Inside a network, or behind its own users, an open policy of a new domain lets nobody in.
        let is_inside = at(request, &["vPCOptions", "subnetIds"]).is_some();
        let has_users = bool_at(request, &["advancedSecurityOptions", "enabled"]) == Some(true);
        openings.is_public &= !is_inside && !has_users;
    }
    if !is_creation || openings.is_public {
        found.changes.whole(&rows::ES_POLICY_PUBLIC, openings.public());
    }
    if !is_creation || !openings.foreign_accounts.is_empty() {
        found.changes.whole(&rows::ES_POLICY_FOREIGN, openings.foreign());
    }
}

/// OpenSearch Serverless keeps network access in policies of its own.
fn serverless_search(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let is_network = text_at(request, &["type"]).as_deref() == Some("network");
    match call.operation {
        "CreateSecurityPolicy" | "UpdateSecurityPolicy" if is_network => {
            let Some(policies) = request.get("policy").and_then(embedded) else { return };
            let is_public = items(Some(&policies))
                .iter()
                .any(|policy| bool_at(policy, &["AllowFromPublic"]) == Some(true));
            found
                .changes
                .whole(&rows::AOSS_PUBLIC, is_public.then(|| "AllowFromPublic".to_owned()));
        }
        "DeleteSecurityPolicy" if is_network => found.changes.whole(&rows::AOSS_PUBLIC, []),
        _ => {}
    }
}

fn cache(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    match call.operation {
        "ModifyReplicationGroup" => {
            match text_at(request, &["authTokenUpdateStrategy"]).as_deref() {
                Some("DELETE") => {
                    found.changes.weakened(&rows::ELASTICACHE_TOKEN, "authToken");
                }
                Some("SET" | "ROTATE") => {
                    found.changes.strengthened(&rows::ELASTICACHE_TOKEN, "authToken");
                }
                _ => {}
            }
            let added = texts(request.get("userGroupIdsToAdd"));
            let removed = texts(request.get("userGroupIdsToRemove"));
            let removes_all = bool_at(request, &["removeUserGroups"]) == Some(true);
            if removes_all || (!removed.is_empty() && added.is_empty()) {
                found.changes.weakened(&rows::ELASTICACHE_USER_GROUPS, "userGroups");
            } else if !added.is_empty() {
                found.changes.strengthened(&rows::ELASTICACHE_USER_GROUPS, "userGroups");
            }
        }
        "ModifyUser" | "CreateUser" => {
            let mode = text_at(request, &["authenticationMode", "type"]);
            let is_open = bool_at(request, &["noPasswordRequired"]) == Some(true)
                || mode.as_deref() == Some("no-password-required");
            let is_closed = mode.is_some() || !items(request.get("passwords")).is_empty();
            if is_open {
                found.changes.weakened(&rows::ELASTICACHE_NO_PASSWORD, "noPasswordRequired");
            } else if is_closed && call.operation == "ModifyUser" {
                found.changes.strengthened(&rows::ELASTICACHE_NO_PASSWORD, "noPasswordRequired");
            }
        }
        _ => {}
    }
}

/// One service's policy: the operation that sets it, the keys that may hold it, and the rows.
struct PolicyOf {
    service: &'static str,
    put: &'static str,
    delete: &'static str,
    keys: &'static [&'static str],
    public: EmittedRow,
    foreign: EmittedRow,
}

const POLICIES: [PolicyOf; 4] = [
    PolicyOf {
        service: "dynamodb",
        put: "PutResourcePolicy",
        delete: "DeleteResourcePolicy",
        keys: &["policy"],
        public: rows::DYNAMODB_POLICY_PUBLIC,
        foreign: rows::DYNAMODB_POLICY_FOREIGN,
    },
    PolicyOf {
        service: "kms",
        put: "PutKeyPolicy",
        delete: "",
        keys: &["policy"],
        public: rows::KMS_POLICY_PUBLIC,
        foreign: rows::KMS_POLICY_FOREIGN,
    },
    PolicyOf {
        service: "secretsmanager",
        put: "PutResourcePolicy",
        delete: "DeleteResourcePolicy",
        keys: &["resourcePolicy"],
        public: rows::SECRET_POLICY_PUBLIC,
        foreign: rows::SECRET_POLICY_FOREIGN,
    },
    PolicyOf {
        service: "iam",
        put: "UpdateAssumeRolePolicy",
        delete: "",
        keys: &["policyDocument"],
        public: rows::IAM_TRUST_PUBLIC,
        foreign: rows::IAM_TRUST_FOREIGN,
    },
];

fn resource_policy(call: &Call<'_>, found: &mut Found) {
    let Some(of) = POLICIES.iter().find(|of| of.service == call.service) else { return };
    if call.operation == of.put {
        let request = call.request();
        let document: Option<Value> =
            of.keys.iter().find_map(|key| request.get(*key)).and_then(embedded);
        let Some(document) = document else {
            found.changes.whole_unknown(&of.public);
            return;
        };
        let openings = policy::evaluate(&document, call.account);
        found.changes.whole(&of.public, openings.public());
        found.changes.whole(&of.foreign, openings.foreign());
    } else if call.operation == of.delete {
        // Without a policy nobody outside of the account is let in; but it may have held a refusal, too.
        found.changes.whole_unknown(&of.public).after = Some("no policy".into());
        found.changes.whole_unknown(&of.foreign).after = Some("no policy".into());
    }
}
