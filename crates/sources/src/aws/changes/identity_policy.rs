//! What a policy of an identity lets it read.

use serde_json::Value;

use super::document::{items, texts};
use super::policy;

/// Actions by which the data of a datastore, a key or a credential is had: one that reads for each service.
const DATA_ACTIONS: [&str; 11] = [
    "s3:GetObject",
    "dynamodb:GetItem",
    "dynamodb:Scan",
    "dynamodb:Query",
    "rds-data:ExecuteStatement",
    "rds-db:connect",
    "secretsmanager:GetSecretValue",
    "kms:Decrypt",
    "redshift-data:ExecuteStatement",
    "es:ESHttpGet",
    "athena:GetQueryResults",
];

/// Whether a policy lets its identity read data of everything of a kind, or of a whole bucket.
pub(super) fn reads_widely(document: &Value) -> bool {
    let statements = items(document.get("Statement"));
    let has_effect = |statement: &Value, effect: &str| {
        statement.get("Effect").and_then(Value::as_str) == Some(effect)
    };
    let refusals: Vec<&Value> = statements
        .iter()
        .filter(|statement| has_effect(statement, "Deny") && is_unconditional(statement))
        .copied()
        .collect();
    statements
        .iter()
        .filter(|statement| has_effect(statement, "Allow") && !policy::is_restricted(statement))
        .any(|statement| {
            let wide = wide_resources(statement);
            DATA_ACTIONS.iter().filter(|action| names_action(statement, action)).any(|action| {
                wide.iter().any(|resource| {
                    !refusals.iter().any(|refusal| {
                        names_action(refusal, action) && names_resource(refusal, resource)
                    })
                })
            })
        })
}

fn is_unconditional(statement: &Value) -> bool {
    match statement.get("Condition") {
        Some(Value::Object(conditions)) => conditions.is_empty(),
        _ => true,
    }
}

fn names_action(statement: &Value, action: &str) -> bool {
    let names = |key: &str| {
        texts(statement.get(key)).iter().any(|pattern| policy::matches(pattern, action))
    };
    if statement.get("NotAction").is_some() { !names("NotAction") } else { names("Action") }
}

fn names_resource(statement: &Value, resource: &str) -> bool {
    // What a statement leaves out is not told by what it names.
    statement.get("NotResource").is_none()
        && texts(statement.get("Resource")).iter().any(|pattern| policy::matches(pattern, resource))
}

/// The resources of a statement that are not single ones.
fn wide_resources(statement: &Value) -> Vec<String> {
    if statement.get("NotResource").is_some() {
        return vec!["*".to_owned()];
    }
    texts(statement.get("Resource")).into_iter().filter(|resource| is_wide(resource)).collect()
}

/// `*`, all of a kind (`table/*`, `secret:*`), all buckets or all objects of one.
fn is_wide(resource: &str) -> bool {
    let Some(name) = resource.splitn(6, ':').nth(5) else { return resource == "*" };
    match name.strip_suffix('*') {
        Some(kind) => {
            let kind = kind.strip_suffix(['/', ':']).unwrap_or(kind);
            (kind.is_empty() || name.len() == kind.len() + 2) && !kind.contains(['/', ':'])
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wide(action: Value, resource: Value) -> bool {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
        reads_widely(&json!({"Version": "2012-10-17", "Statement": statement}))
    }

    #[test]
    fn wide_reads_are_told_from_narrow_ones() {
        assert!(wide(json!("*"), json!("*")));
        assert!(wide(json!(["s3:Get*"]), json!("arn:aws:s3:::orders/*")));
        assert!(wide(json!("dynamodb:*"), json!("arn:aws:dynamodb:*:111122223333:table/*")));
        assert!(wide(
            json!("secretsmanager:GetSecretValue"),
            json!(["arn:aws:secretsmanager:eu-central-1:111122223333:secret:*"])
        ));
        assert!(!wide(json!("s3:GetObject"), json!("arn:aws:s3:::orders/2026/*")));
        assert!(!wide(
            json!("dynamodb:*"),
            json!("arn:aws:dynamodb:eu-central-1:111122223333:table/orders")
        ));
        assert!(!wide(json!(["s3:List*", "ec2:Describe*"]), json!("*")));
    }

    #[test]
    fn refusals_and_exceptions_count() {
        let allow = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
        assert!(reads_widely(&json!({"Statement": allow})));
        let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
        assert!(!reads_widely(&json!({"Statement": [allow, deny]})));
        let some = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
        assert!(reads_widely(&json!({"Statement": [allow, some]})));
    }
}
