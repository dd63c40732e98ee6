//! What a resource policy opens: to everybody, and to which other accounts.
//!
//! A wildcard principal is public only if nothing restricts it: neither a condition of its own statement nor a `Deny`
//! that refuses everybody outside of an organisation, a network or an account.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{at, items, texts};
use super::foreign_account;

/// Condition keys that tie a caller to something that a stranger does not have. Lower case: keys ignore case.
const RESTRICTIVE_KEYS: [&str; 17] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpcsourceip",
    "aws:userid",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "sts:externalid",
];

/// A key whose value is a network; it restricts if the network is narrow.
const SOURCE_IP: &str = "aws:sourceip";

/// A key of file systems that says whether a caller came from inside the network.
const MOUNT_TARGET: &str = "elasticfilesystem:accessedviamounttarget";

/// The widest network that still counts as a restriction, in bits of its prefix.
const NARROW_IPV4_PREFIX: u8 = 8;
const NARROW_IPV6_PREFIX: u8 = 32;

/// Providers of identities that everybody can have.
const SHARED_PROVIDERS: [&str; 4] = [
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "agent.buildkite.com",
];

/// Accounts of AWS from which load balancers deliver their logs, one a region.
const LOG_DELIVERY: [&str; 22] = [
    "009996457667",
    "027434742980",
    "033677994240",
    "054676820928",
    "076674570225",
    "098369216593",
    "114774131450",
    "127311923021",
    "156460612806",
    "383597477331",
    "507241528517",
    "582318560864",
    "589379963580",
    "600734575887",
    "635631232127",
    "652711504416",
    "718504428378",
    "754344448648",
    "783225319266",
    "797873946194",
    "897822967062",
    "985666609251",
];

/// What a policy opens.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Openings {
    /// Whether everybody is allowed something.
    pub(super) is_public: bool,
    /// Other accounts that are allowed something.
    pub(super) foreign_accounts: BTreeSet<String>,
}

impl Openings {
    /// The opened things of the public control.
    pub(super) fn public(&self) -> impl Iterator<Item = String> {
        self.is_public.then(|| "principal *".to_owned()).into_iter()
    }

    /// The opened things of the sharing control.
    pub(super) fn foreign(&self) -> impl Iterator<Item = String> + '_ {
        self.foreign_accounts.iter().map(|account| format!("account {account}"))
    }
}

/// Evaluates a policy document of a resource of account `own`.
pub(super) fn evaluate(document: &Value, own: Option<&str>) -> Openings {
    let statements = items(document.get("Statement"));
    let has_effect = |statement: &&&Value, effect: &str| {
        at(statement, &["Effect"]).and_then(Value::as_str) == Some(effect)
    };
    let guards: Vec<&Value> = statements
        .iter()
        .filter(|statement| has_effect(statement, "Deny"))
        .filter(|statement| is_wildcard(statement) && denies_strangers(statement))
        .copied()
        .collect();
    let mut openings = Openings::default();
    for statement in statements.iter().filter(|statement| has_effect(statement, "Allow")) {
        if guards.iter().any(|guard| covers(guard, statement)) {
            continue;
        }
        if is_wildcard(statement) {
            openings.is_public |= !is_restricted(statement);
            let accounts = condition_values(statement, "aws:principalaccount");
            openings.add_foreign(&accounts, own);
        }
        openings.is_public |= admits_any_subject(statement);
        // An external id is how a vendor's account is let in on purpose.
        if condition_values(statement, "sts:externalid").is_empty() {
            let mut principals = texts(at(statement, &["Principal", "AWS"]));
            if only_writes_objects(statement) {
                principals.retain(|principal| !LOG_DELIVERY.contains(&account_of(principal)));
            }
            openings.add_foreign(&principals, own);
        }
    }
    openings
}

impl Openings {
    fn add_foreign(&mut self, principals: &[String], own: Option<&str>) {
        for principal in principals {
            let account = account_of(principal);
            if let Some(account) = foreign_account(account, own) {
                self.foreign_accounts.insert(account.to_owned());
            }
        }
    }
}

/// Whether a role lets in whatever a provider vouches for that works for everybody: who signed in stands in a claim, and
/// the audience says nothing about it.
fn admits_any_subject(statement: &Value) -> bool {
    let federated = texts(at(statement, &["Principal", "Federated"]));
    let shared = federated.iter().filter_map(|arn| {
        let host = arn.split_once(":oidc-provider/").map_or(arn.as_str(), |(_, host)| host);
        SHARED_PROVIDERS.iter().find(|known| **known == host)
    });
    let conditions = conditions(statement);
    shared.into_iter().any(|host| {
        !conditions.iter().any(|(operator, key, values)| {
            let claim = key.strip_prefix(host).and_then(|claim| claim.strip_prefix(':'));
            let is_fixed = |value: &String| {
                // `repo:*` fixes the kind of thing, and nothing else.
                let value = value.split_once(':').map_or(value.as_str(), |(_, value)| value);
                !value.starts_with('*') && !value.is_empty()
            };
            claim.is_some_and(|claim| claim != "aud")
                && is_positive(operator)
                && !values.is_empty()
                && values.iter().all(is_fixed)
        })
    })
}

/// The account of a principal: the fifth part of an ARN, or the principal itself.
pub(super) fn account_of(principal: &str) -> &str {
    if principal.starts_with("arn:") {
        principal.split(':').nth(4).unwrap_or_default()
    } else {
        principal
    }
}

/// Whether a statement allows nothing but to put objects down, as the delivery of logs needs it.
fn only_writes_objects(statement: &Value) -> bool {
    let actions = texts(statement.get("Action"));
    !actions.is_empty() && actions.iter().all(|action| action.eq_ignore_ascii_case("s3:PutObject"))
}

fn is_wildcard(statement: &Value) -> bool {
    if statement.get("NotPrincipal").is_some() {
        return true;
    }
    let Some(principal) = statement.get("Principal") else { return false };
    let is_everybody = |text: &String| text == "*" || account_of(text) == "*";
    match principal {
        Value::Object(kinds) => ["AWS", "CanonicalUser"]
            .iter()
            .any(|kind| texts(kinds.get(*kind)).iter().any(is_everybody)),
        other => texts(Some(other)).iter().any(is_everybody),
    }
}

/// `(operator, key, values)` of every condition, all lower case but the values.
fn conditions(statement: &Value) -> Vec<(String, String, Vec<String>)> {
    let Some(Value::Object(operators)) = statement.get("Condition") else { return Vec::new() };
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let Value::Object(keys) = keys else { continue };
        for (key, values) in keys {
            let key = key.to_ascii_lowercase();
            conditions.push((operator.to_ascii_lowercase(), key, texts(Some(values))));
        }
    }
    conditions
}

fn condition_values(statement: &Value, wanted: &str) -> Vec<String> {
    conditions(statement)
        .into_iter()
        .filter(|(operator, key, _)| key == wanted && is_positive(operator))
        .flat_map(|(_, _, values)| values)
        .collect()
}

/// Operators that hold only if the key is there and has one of the values.
fn is_positive(operator: &str) -> bool {
    let operator = operator.strip_prefix("foranyvalue:").unwrap_or(operator);
    matches!(
        operator,
        "stringequals"
            | "stringequalsignorecase"
            | "stringlike"
            | "arnequals"
            | "arnlike"
            | "ipaddress"
    )
}

/// Operators that hold if the key has none of the values, or is not there.
fn is_negative(operator: &str) -> bool {
    let operator = operator.rsplit_once(':').map_or(operator, |(_, operator)| operator);
    let operator = operator.strip_suffix("ifexists").unwrap_or(operator);
    matches!(
        operator,
        "stringnotequals"
            | "stringnotequalsignorecase"
            | "stringnotlike"
            | "arnnotequals"
            | "arnnotlike"
            | "notipaddress"
    )
}

/// Whether the values of a key keep strangers out.
fn is_restrictive(key: &str, values: &[String]) -> bool {
    if values.is_empty() {
        return false;
    }
    if key == SOURCE_IP {
        return values.iter().all(|network| is_narrow(network));
    }
    if !RESTRICTIVE_KEYS.contains(&key) {
        return false;
    }
    // A pattern restricts if something fixed remains of it; of an ARN its account or its name must be fixed.
    values.iter().all(|value| {
        let account = account_of(value);
        match key {
            "aws:principalarn" => !account.contains('*') && !account.is_empty(),
            _ => value.chars().any(|c| c != '*' && c != '?') && !value.starts_with("arn:aws:*"),
        }
    })
}

fn is_narrow(network: &str) -> bool {
    let (address, prefix) = network.split_once('/').unwrap_or((network, ""));
    let is_ipv6 = address.contains(':');
    let (full, narrowest) =
        if is_ipv6 { (128, NARROW_IPV6_PREFIX) } else { (32, NARROW_IPV4_PREFIX) };
    let prefix = if prefix.is_empty() { Some(full) } else { prefix.parse::<u8>().ok() };
    prefix.is_some_and(|prefix| prefix >= narrowest)
}

/// Whether a condition of a statement keeps strangers out.
pub(super) fn is_restricted(statement: &Value) -> bool {
    conditions(statement).iter().any(|(operator, key, values)| {
        is_positive(operator) && is_restrictive(key, values)
            || operator == "bool" && key == MOUNT_TARGET && is_always(values, "true")
    })
}

fn is_always(values: &[String], wanted: &str) -> bool {
    !values.is_empty() && values.iter().all(|value| value.eq_ignore_ascii_case(wanted))
}

/// Whether a policy allows everybody on every resource.
pub(super) fn admits_everything(document: &Value) -> bool {
    items(document.get("Statement")).into_iter().any(|statement| {
        at(statement, &["Effect"]).and_then(Value::as_str) == Some("Allow")
            && is_wildcard(statement)
            && !is_restricted(statement)
            && !is_resource_restricted(statement)
            && texts(statement.get("Resource")).iter().any(|name| name == "*")
    })
}

/// Whether a statement ends at resources of known owners.
fn is_resource_restricted(statement: &Value) -> bool {
    ["aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"].iter().any(|key| {
        let values = condition_values(statement, key);
        !values.is_empty() && values.iter().all(|value| !value.contains('*'))
    })
}

/// Whether a policy refuses everybody who comes without TLS.
pub(super) fn requires_tls(document: &Value) -> bool {
    items(document.get("Statement")).into_iter().any(|statement| {
        let is_deny = at(statement, &["Effect"]).and_then(Value::as_str) == Some("Deny");
        let conditions = conditions(statement);
        is_deny
            && is_wildcard(statement)
            && conditions.len() == 1
            && conditions.iter().all(|(operator, key, values)| {
                operator == "bool" && key == "aws:securetransport" && is_always(values, "false")
            })
    })
}

/// A `Deny` that refuses every stranger: it holds for all, or for all who lack something restrictive.
fn denies_strangers(statement: &Value) -> bool {
    statement.get("NotPrincipal").is_none()
        && conditions(statement)
            .iter()
            .all(|(operator, key, values)| is_negative(operator) && is_restrictive(key, values))
}

/// Whether a `Deny` reaches everything that an `Allow` gives.
fn covers(deny: &Value, allow: &Value) -> bool {
    let reaches = |field: &str, negated: &str| {
        if deny.get(negated).is_some() || allow.get(negated).is_some() {
            return false;
        }
        let denied = texts(deny.get(field));
        let allowed = texts(allow.get(field));
        // Some resource policies leave the resource out: it is the one that they are attached to.
        (denied.is_empty() && field == "Resource")
            || (!allowed.is_empty()
                && allowed
                    .iter()
                    .all(|wanted| denied.iter().any(|pattern| matches(pattern, wanted))))
            || denied.iter().any(|pattern| pattern == "*")
    };
    reaches("Action", "NotAction") && reaches("Resource", "NotResource")
}

/// Whether a pattern with `*` reaches all of `wanted`, which may be a pattern itself.
pub(super) fn matches(pattern: &str, wanted: &str) -> bool {
    let (pattern, wanted) = (pattern.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| wanted.strip_prefix(first)) else {
        return false;
    };
    let mut is_open_ended = !pattern.contains('*') && rest.is_empty();
    for piece in pieces {
        is_open_ended = piece.is_empty();
        match rest.rfind(piece) {
            Some(at) if !piece.is_empty() => rest = &rest[at + piece.len()..],
            Some(_) => rest = "",
            None => return false,
        }
    }
    is_open_ended || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OWN: Option<&str> = Some("111122223333");

    fn public(statements: Value) -> bool {
        evaluate(&json!({"Version": "2012-10-17", "Statement": statements}), OWN).is_public
    }

    fn allow(principal: Value, condition: Value) -> Value {
        json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
               "Resource": "arn:aws:s3:::b/*", "Condition": condition})
    }

    #[test]
    fn wildcards_in_every_spelling_are_public() {
        for principal in [
            json!("*"),
            json!({"AWS": "*"}),
            json!({"AWS": ["arn:aws:iam::111122223333:root", "*"]}),
            json!({"CanonicalUser": "*"}),
        ] {
            assert!(public(allow(principal.clone(), json!({}))), "{principal}");
            assert!(public(json!([allow(principal, json!({}))])));
        }
        let all_but_one = json!({"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/a"}, "Action": "*", "Resource": "*"});
        assert!(public(all_but_one));
        assert!(!public(allow(json!({"Service": "logging.s3.amazonaws.com"}), json!({}))));
        assert!(!public(
            json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"})
        ));
    }

    #[test]
    fn conditions_restrict_only_if_they_fix_something() {
        let restricting = [
            json!({"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg"}}),
            json!({"StringEquals": {"AWS:SOURCEVPCE": ["vpce-1"]}}),
            json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}),
        ];
        for condition in restricting {
            assert!(!public(allow(json!("*"), condition.clone())), "{condition}");
        }
        let open = [
            json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorg"}}),
            json!({"StringLike": {"aws:PrincipalOrgID": "*"}}),
            json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
            json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
            json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/1"]}}),
            json!({"Bool": {"aws:SecureTransport": "true"}}),
            json!({"StringLike": {"aws:Referer": "https://example.com/*"}}),
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}}),
        ];
        for condition in open {
            assert!(public(allow(json!("*"), condition.clone())), "{condition}");
        }
    }

    #[test]
    fn a_deny_for_strangers_takes_back_what_an_allow_gives() {
        let given = allow(json!("*"), json!({}));
        let guard = |condition: Value, action: &str| {
            json!({"Effect": "Deny", "Principal": "*", "Action": action,
                   "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"], "Condition": condition})
        };
        let outside = json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorg"}});
        assert!(!public(json!([given, guard(outside.clone(), "s3:*")])));
        assert!(!public(json!([given, guard(json!({}), "s3:Get*")])));
        assert!(public(json!([given, guard(outside, "s3:PutObject")])));
        let insecure = json!({"Bool": {"aws:SecureTransport": "false"}});
        assert!(public(json!([given, guard(insecure, "s3:*")])));
    }

    #[test]
    fn other_accounts_are_named() {
        let principals = json!({"AWS": ["444455556666", "arn:aws:iam::777788889999:role/x",
            "arn:aws:iam::111122223333:root", "arn:aws:iam::cloudfront:user/y", "AIDAEXAMPLE"]});
        let document = json!({"Statement": allow(principals, json!({}))});
        let openings = evaluate(&document, OWN);
        assert!(!openings.is_public);
        assert_eq!(
            openings.foreign().collect::<Vec<_>>(),
            ["account 444455556666", "account 777788889999"]
        );
        assert!(
            evaluate(&document, None).foreign_accounts.is_empty(),
            "no own account to differ from"
        );
    }

    #[test]
    fn load_balancers_may_deliver_their_logs() {
        let grant = |action: &str| {
            let principal = json!({"AWS": "arn:aws:iam::054676820928:root"});
            let statement = json!({"Effect": "Allow", "Principal": principal, "Action": action,
                "Resource": "arn:aws:s3:::b/AWSLogs/*"});
            evaluate(&json!({"Statement": statement}), OWN).foreign_accounts.len()
        };
        assert_eq!(grant("s3:PutObject"), 0);
        assert_eq!(grant("s3:GetObject"), 1);
    }

    #[test]
    fn patterns_reach_what_they_should() {
        assert!(matches("s3:*", "s3:GetObject"));
        assert!(matches("*", "anything"));
        assert!(matches("s3:Get*", "s3:GetObject*"));
        assert!(matches("arn:aws:s3:::b/*", "arn:aws:s3:::b/*"));
        assert!(!matches("s3:Get*", "s3:*"));
        assert!(!matches("s3:GetObject", "s3:GetObjectAcl"));
    }
}
