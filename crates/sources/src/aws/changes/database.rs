//! Search domains, managed and serverless: what is more than a flag.

use std::borrow::Cow;
use std::collections::BTreeSet;

use dataward_event::change::Direction;
use serde_json::Value;

use super::document::{at, bool_at, embedded, items, text_at, texts};
use super::{Call, Found, foreign_account, network, policy};
use crate::catalogue_rows::{self as rows, EmittedRow};

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match call.service {
        "es" => search_domain(call, found),
        "aoss" => serverless_search(call, found),
        _ => {}
    }
}

/// OpenSearch and Elasticsearch domains. At creation a good value changes nothing, so only weak ones are told.
fn search_domain(call: &Call<'_>, found: &mut Found) {
    let is_creation = match call.operation {
        "CreateDomain" | "CreateElasticsearchDomain" => true,
        "UpdateDomainConfig" | "UpdateElasticsearchDomainConfig" => false,
        _ => {
            return network::account_access(
                call,
                found,
                &rows::ES_ENDPOINT_ACCESS,
                ["AuthorizeVpcEndpointAccess", "RevokeVpcEndpointAccess"],
            );
        }
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
    match bool_at(request, &["nodeToNodeEncryptionOptions", "enabled"]) {
        Some(true) if !is_creation => {
            found.changes.strengthened(&rows::ES_NODE_TO_NODE, "nodeToNodeEncryption");
        }
        Some(true) => {}
        _ if is_creation => {
            found.changes.weakened(&rows::ES_NODE_TO_NODE, "nodeToNodeEncryption");
        }
        _ => {}
    }
    if !is_creation {
        sign_in(request, found);
    }
}

/// How people sign in to a domain that exists.
fn sign_in(request: &Value, found: &mut Found) {
    let of_kind = |kind: &str| bool_at(request, &["advancedSecurityOptions", kind, "enabled"]);
    let is_on = [of_kind("sAMLOptions"), bool_at(request, &["cognitoOptions", "enabled"])];
    if is_on.iter().any(Option::is_some) {
        // One of them may take the place of the other in one call.
        let is_weak = !is_on.contains(&Some(true));
        found.changes.flag(&rows::ES_SINGLE_SIGN_ON, is_weak, "single_sign_on");
    }
    let options = at(request, &["advancedSecurityOptions"]);
    let names_master = options.is_some_and(|options| {
        options.get("masterUserOptions").is_some_and(|master| !master.is_null())
            || options.get("internalUserDatabaseEnabled").is_some_and(|value| !value.is_null())
    });
    if names_master {
        found.changes.push(&rows::ES_MASTER_USER, Direction::Unknown, "master_user");
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
        "CreateAccessPolicy" | "UpdateAccessPolicy" => {
            let Some(policies) = request.get("policy").and_then(embedded) else { return };
            let principals = items(Some(&policies))
                .into_iter()
                .flat_map(|policy| texts(policy.get("Principal")));
            let accounts: BTreeSet<String> = principals
                .filter_map(|principal| {
                    let account = principal.split(':').nth(4)?;
                    foreign_account(account, call.account)
                        .map(|account| format!("account {account}"))
                })
                .collect();
            found.changes.whole(&rows::AOSS_DATA_FOREIGN, accounts);
        }
        "DeleteAccessPolicy" => found.changes.whole(&rows::AOSS_DATA_FOREIGN, []),
        _ => {}
    }
}
