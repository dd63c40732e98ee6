//! RDS: instances, clusters, and their groups of parameters and options.

use std::borrow::Cow;

use dataward_event::change::Direction;

use super::document::{at, bool_at, items, text_at, texts};
use super::{Call, Found};
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
    match call.operation {
        "CreateDBInstance" | "CreateDBCluster" => {
            born(call, found, &rows::RDS_PUBLIC_CREATED);
        }
        "RestoreDBInstanceFromDBSnapshot"
        | "RestoreDBInstanceToPointInTime"
        | "RestoreDBInstanceFromS3"
        | "RestoreDBClusterFromSnapshot"
        | "RestoreDBClusterToPointInTime"
        | "RestoreDBClusterFromS3"
        | "CreateDBInstanceReadReplica" => born(call, found, &rows::RDS_PUBLIC_RESTORED),
        "ModifyDBInstance" | "ModifyDBCluster" => modified(call, found),
        "DeleteDBInstance" => deleted(call, found),
        "ModifyDBParameterGroup" | "ModifyDBClusterParameterGroup" => {
            parameters(call, found, &RDS_PARAMETERS);
        }
        "ResetDBParameterGroup" | "ResetDBClusterParameterGroup" => {
            reset_parameters(call, found, &RDS_PARAMETERS);
        }
        "ModifyOptionGroup" => option_group(call, found),
        "ModifyDBProxy" => proxy_authentication(call, found),
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
    if call.operation == "CreateDBCluster"
        && told("httpEndpointEnabled").or_else(|| told("enableHttpEndpoint")) == Some(true)
    {
        found.changes.weakened(&rows::RDS_DATA_API, "httpEndpoint");
    }
    if told("publiclyAccessible") == Some(true) {
        found.changes.weakened(public, "publiclyAccessible").after = Some("true".into());
    }
    // Members of a cluster inherit its storage; what they say of it themselves means nothing.
    let is_member = !call.operation.contains("DBCluster") && is_member_of_cluster(call);
    if told("storageEncrypted") == Some(false) && !is_member {
        found.changes.weakened(&rows::RDS_UNENCRYPTED, "storageEncrypted").after =
            Some("false".into());
    }
}

/// What is more than a flag in a change of an instance or a cluster.
fn modified(call: &Call<'_>, found: &mut Found) {
    log_exports(call, found);
    let request = call.request();
    if let Some(is_managed) = bool_at(request, &["manageMasterUserPassword"]) {
        found.changes.flag(&rows::RDS_MASTER_PASSWORD, !is_managed, "masterUserPassword");
    } else if text_at(request, &["masterUserPassword"]).is_some() {
        // A rotation and a takeover look the same.
        found.changes.push(&rows::RDS_MASTER_PASSWORD, Direction::Unknown, "masterUserPassword");
    }
    let groups = ["vpcSecurityGroupIds", "vPCSecurityGroupIds"];
    let groups = groups.iter().find_map(|key| request.get(*key)).map(|groups| texts(Some(groups)));
    if let Some(groups) = groups.filter(|groups| !groups.is_empty()) {
        found.changes.whole_unknown(&rows::RDS_SECURITY_GROUPS).after =
            Some(Cow::Owned(groups.join(", ")));
    }
    let group = ["dBParameterGroupName", "dBClusterParameterGroupName"]
        .iter()
        .find_map(|key| text_at(request, &[key]));
    // A new version of the engine needs a group of its own.
    if let Some(group) = group.filter(|_| text_at(request, &["engineVersion"]).is_none()) {
        found.changes.whole_unknown(&rows::RDS_PARAMETER_GROUP).after = Some(Cow::Owned(group));
    }
    if call.operation == "ModifyDBCluster"
        && let Some(period) = text_at(request, &["backupRetentionPeriod"])
    {
        // A cluster always keeps some. Whether it keeps less than before is only told of the least that it can.
        let direction = if period == "1" { Direction::Weakened } else { Direction::Unknown };
        found.changes.push(&rows::RDS_BACKUPS, direction, "backupRetentionPeriod").after =
            Some(Cow::Owned(period));
    }
    if call.operation == "ModifyDBInstance" && !is_replica(call) {
        let period = text_at(request, &["backupRetentionPeriod"]);
        if let Some(period) = period {
            let is_weak = period == "0";
            found.changes.flag(&rows::RDS_BACKUPS, is_weak, "backupRetentionPeriod").after =
                Some(Cow::Owned(period));
        }
    }
}

/// What goes with an instance. Replicas and members of a cluster hold nothing of their own.
fn deleted(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    if is_replica(call) || is_member_of_cluster(call) {
        return;
    }
    if bool_at(request, &["skipFinalSnapshot"]) == Some(true) {
        found.changes.weakened(&rows::RDS_NO_FINAL_SNAPSHOT, "final_snapshot");
    }
    if bool_at(request, &["deleteAutomatedBackups"]) == Some(true) {
        found.changes.weakened(&rows::RDS_BACKUPS_DELETED, "automated_backups");
    }
}

fn is_replica(call: &Call<'_>) -> bool {
    text_at(call.response(), &["readReplicaSourceDBInstanceIdentifier"]).is_some()
}

fn is_member_of_cluster(call: &Call<'_>) -> bool {
    [call.response(), call.request()]
        .iter()
        .any(|document| text_at(document, &["dBClusterIdentifier"]).is_some())
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

/// The parameters of one family of products, and the rows of what they turn off.
pub(super) struct Parameters {
    tls: EmittedRow,
    audit: EmittedRow,
}

const RDS_PARAMETERS: Parameters =
    Parameters { tls: rows::RDS_PARAMETER_TLS, audit: rows::RDS_PARAMETER_AUDIT };

pub(super) const REDSHIFT_PARAMETERS: Parameters =
    Parameters { tls: rows::REDSHIFT_PARAMETER_TLS, audit: rows::REDSHIFT_PARAMETER_AUDIT };

impl Parameters {
    /// The row of a parameter, and whether `value` (lower case) turns off what it is for.
    fn judge(&self, name: &str, value: &str) -> Option<(&EmittedRow, bool)> {
        // Lists that say who is left out, and what is loaded at all.
        match name {
            "server_audit_excl_users" => return Some((&self.audit, !value.trim().is_empty())),
            "shared_preload_libraries" => return Some((&self.audit, !value.contains("pgaudit"))),
            _ => {}
        }
        [(&self.tls, TLS_PARAMETERS.as_slice()), (&self.audit, AUDIT_PARAMETERS.as_slice())]
            .into_iter()
            .find_map(|(row, known)| {
                let (_, weak) = known.iter().find(|(known, _)| *known == name)?;
                Some((row, weak.contains(&value)))
            })
    }
}

/// The parameters that a request sets; serverless Redshift names the same things otherwise.
pub(super) fn parameters(call: &Call<'_>, found: &mut Found, of: &Parameters) {
    for parameter in items(call.request().get("parameters")) {
        let Some(name) = text_at(parameter, &["parameterName"]) else { continue };
        let value = text_at(parameter, &["parameterValue"]).unwrap_or_default();
        if let Some((row, is_weak)) = of.judge(&name, &value.to_ascii_lowercase()) {
            found.changes.flag(row, is_weak, format!("parameter {name}")).after =
                Some(Cow::Owned(value));
        }
    }
}

/// What a default is depends on the engine and its version.
pub(super) fn reset_parameters(call: &Call<'_>, found: &mut Found, of: &Parameters) {
    let request = call.request();
    if bool_at(request, &["resetAllParameters"]) == Some(true) {
        for row in [&of.tls, &of.audit] {
            found.changes.whole_unknown(row).after = Some("defaults".into());
        }
        return;
    }
    for parameter in items(request.get("parameters")) {
        let name = text_at(parameter, &["parameterName"]).unwrap_or_default();
        if let Some((row, _)) = of.judge(&name, "") {
            let opened = format!("parameter {name}");
            found.changes.push(row, Direction::Unknown, opened).after = Some("default".into());
        }
    }
}

/// Options of a group: the engines' own audit plugins, and encryption by the engine.
fn option_group(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let removed = texts(request.get("optionsToRemove")).into_iter();
    let included = items(request.get("optionsToInclude"));
    let included = included.into_iter().filter_map(|option| text_at(option, &["optionName"]));
    let all = removed
        .map(|name| (name, Direction::Weakened))
        .chain(included.map(|name| (name, Direction::Strengthened)));
    for (name, direction) in all {
        let row = match name.as_str() {
            "MARIADB_AUDIT_PLUGIN" | "SQLSERVER_AUDIT" => &rows::RDS_OPTION_AUDIT,
            "TDE" | "TDE_HSM" => &rows::RDS_OPTION_TDE,
            _ => continue,
        };
        found.changes.push(row, direction, format!("option {name}"));
    }
}

/// Who signs in through a proxy: one entry a secret.
fn proxy_authentication(call: &Call<'_>, found: &mut Found) {
    let modes: Vec<String> = items(call.request().get("auth"))
        .into_iter()
        .filter_map(|auth| text_at(auth, &["iAMAuth"]))
        .collect();
    if !modes.is_empty() {
        let is_weak = modes.iter().any(|mode| mode == "DISABLED");
        found.changes.flag(&rows::RDS_PROXY_IAM, is_weak, "iAMAuth").after =
            Some(Cow::Owned(modes.join(", ")));
    }
}
