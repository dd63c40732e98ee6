//! What a mapping file says.

use std::collections::BTreeMap;

use dataward_event::change::{Control, Direction};
use serde::Deserialize;

use super::template::Template;
use crate::act::Act;
use crate::source::Source;

/// The fields of an event that a file may define.
const FIELDS: [&str; 40] = [
    "uid",
    "time",
    "operation",
    "act",
    "outcome",
    "service",
    "event_code",
    "error_code",
    "error_message",
    "actor_uid",
    "actor_name",
    "actor_kind",
    "actor_type",
    "actor_account_uid",
    "actor_credential_uid",
    "actor_session_uid",
    "actor_issuer",
    "actor_mfa",
    "actor_groups",
    "client_ip",
    "client_domain",
    "client_port",
    "client_endpoint_uid",
    "user_agent",
    "datastore_uid",
    "datastore_name",
    "datastore_type",
    "datastore_form",
    "objects",
    "rows_returned",
    "bytes_out",
    "objects_count",
    "read_scope",
    "statement",
    "request_uid",
    "correlation_uid",
    "account_uid",
    "region",
    "provider",
    "sensitivity",
];

/// What an operation may be.
pub(super) const ACTS: [(&str, Act); 20] = [
    ("read", Act::READ),
    ("query", Act::QUERY),
    ("list", Act::LIST),
    ("write", Act::WRITE),
    ("update", Act::UPDATE),
    ("delete", Act::DELETE),
    ("connect", Act::CONNECT),
    ("logon", Act::LOGON),
    ("logoff", Act::LOGOFF),
    ("grant", Act::GRANT),
    ("revoke", Act::REVOKE),
    ("user_create", Act::USER_CREATE),
    ("user_delete", Act::USER_DELETE),
    ("create", Act::API_CREATE),
    ("datastore_create", Act::ENTITY_CREATE),
    ("datastore_delete", Act::ENTITY_DELETE),
    ("change", Act::CONFIG),
    ("log_disable", Act::LOG_DISABLE),
    ("log_enable", Act::LOG_ENABLE),
    ("other", Act::OTHER),
];

/// A mapping file, checked.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) format: Format,
    pub(super) delimiter: u8,
    pub(super) columns: Vec<String>,
    pub(super) time_format: String,
    pub(super) fields: BTreeMap<String, Template>,
    pub(super) values: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) changes: Vec<ChangeRule>,
}

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Json,
    Csv,
}

/// When a record states a change of protection, and which.
#[derive(Debug)]
pub(super) struct ChangeRule {
    pub(super) when: Vec<(Template, String)>,
    pub(super) control: Control,
    pub(super) setting: String,
    pub(super) direction: Direction,
    pub(super) opened: Option<Template>,
    pub(super) before: Option<Template>,
    pub(super) after: Option<Template>,
    pub(super) whole: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDefinition {
    name: String,
    format: Format,
    delimiter: Option<char>,
    #[serde(default)]
    columns: Vec<String>,
    time_format: Option<String>,
    fields: BTreeMap<String, String>,
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    changes: Vec<RawChange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChange {
    when: BTreeMap<String, String>,
    control: String,
    setting: String,
    direction: String,
    opened: Option<String>,
    before: Option<String>,
    after: Option<String>,
    #[serde(default)]
    whole: bool,
}

impl Definition {
    /// # Errors
    /// The line or the key that cannot be used.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let raw: RawDefinition = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        })?;
        check_name(&raw.name)?;
        let mut fields = BTreeMap::new();
        for (field, template) in &raw.fields {
            check_field("fields", field)?;
            let template =
                Template::parse(template).map_err(|error| format!("fields.{field}: {error}"))?;
            fields.insert(field.clone(), template);
        }
        for field in raw.values.keys() {
            check_field("values", field)?;
        }
        check_acts(&raw)?;
        if raw.format == Format::Csv && raw.columns.is_empty() {
            return Err("columns: a CSV format needs the names of its columns".to_owned());
        }
        let delimiter = raw.delimiter.unwrap_or(',');
        let delimiter = u8::try_from(delimiter)
            .map_err(|_| "delimiter: one character of ASCII is expected".to_owned())?;
        let changes = raw.changes.iter().enumerate();
        let changes = changes
            .map(|(number, change)| {
                ChangeRule::parse(change)
                    .map_err(|error| format!("changes, rule {}: {error}", number + 1))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: raw.name,
            format: raw.format,
            delimiter,
            columns: raw.columns,
            time_format: raw.time_format.unwrap_or_else(|| "auto".to_owned()),
            fields,
            values: raw.values,
            changes,
        })
    }
}

/// A name of two parts, as those of the sources that are known, and none of theirs.
fn check_name(name: &str) -> Result<(), String> {
    let is_fine = name.len() <= 64
        && name.split('.').count() >= 2
        && name.split('.').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        });
    if !is_fine {
        return Err(format!(
            "name = \"{name}\": two or more words of a-z, 0-9 and _ are expected, joined by points"
        ));
    }
    match Source::parse(name) {
        Some(_) => Err(format!("name = \"{name}\": there is a source of this name already")),
        None => Ok(()),
    }
}

fn check_field(table: &str, field: &str) -> Result<(), String> {
    if FIELDS.contains(&field) {
        return Ok(());
    }
    Err(format!("{table}.{field}: no such field of an event; there are {}", FIELDS.join(", ")))
}

/// Every value of `act` is one that there is.
fn check_acts(raw: &RawDefinition) -> Result<(), String> {
    let values = raw.values.get("act").into_iter().flat_map(|values| values.values());
    for value in values {
        if !ACTS.iter().any(|(name, _)| name == value) {
            let known: Vec<&str> = ACTS.iter().map(|(name, _)| *name).collect();
            return Err(format!("values.act: {value} is none of {}", known.join(", ")));
        }
    }
    Ok(())
}

impl ChangeRule {
    fn parse(raw: &RawChange) -> Result<Self, String> {
        let control = Control::parse(&raw.control).ok_or_else(|| {
            let known: Vec<&str> = Control::ALL.iter().map(|control| control.as_str()).collect();
            format!("control = \"{}\": none of {}", raw.control, known.join(", "))
        })?;
        let direction = Direction::parse(&raw.direction).ok_or_else(|| {
            format!(
                "direction = \"{}\": weakened, strengthened, neutral or unknown is expected",
                raw.direction
            )
        })?;
        if raw.when.is_empty() {
            return Err("when: a rule without a condition would hold for every record".to_owned());
        }
        let template = |text: &Option<String>| text.as_deref().map(Template::parse).transpose();
        Ok(Self {
            when: raw
                .when
                .iter()
                .map(|(path, value)| Ok((Template::parse(path)?, value.clone())))
                .collect::<Result<_, String>>()?,
            control,
            setting: raw.setting.clone(),
            direction,
            opened: template(&raw.opened)?,
            before: template(&raw.before)?,
            after: template(&raw.after)?,
            whole: raw.whole,
        })
    }
}
