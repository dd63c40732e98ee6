//! A labelled case: a record, and whether it must raise an alarm.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use dataward_detect::catalogue::{self, CatalogueRow};
use dataward_sources::source::Source;
use serde_json::value::RawValue;

/// What a record does to the protection of a datastore, as a person who knows the product judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// It takes protection away: an alarm must follow.
    Weakening,
    /// It leaves protection as it is.
    Neutral,
    /// It adds protection, or sets it again.
    Hardening,
    /// It would take protection away, and failed.
    Attempt,
}

impl Label {
    /// All labels.
    pub const ALL: [Self; 4] = [Self::Weakening, Self::Neutral, Self::Hardening, Self::Attempt];

    /// The name in case files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weakening => "weakening",
            Self::Neutral => "neutral",
            Self::Hardening => "hardening",
            Self::Attempt => "attempt",
        }
    }

    /// The label of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == name)
    }
}

/// A record, and what must follow from it.
#[derive(Debug, Clone)]
pub struct Case<'c> {
    /// The source of its records.
    pub source: Source,
    /// The file it stands in.
    pub file: Arc<str>,
    /// Its number in the file, from 1.
    pub number: usize,
    /// A sentence on what happens.
    pub what: String,
    /// Whether an alarm must follow.
    pub label: Label,
    /// The row of the catalogue that it is about: of a weakening, the one that must fire.
    pub row: Option<&'static CatalogueRow>,
    /// The record as it comes from its source.
    pub record: Cow<'c, str>,
    /// Records that came before it; what follows from them is not judged.
    pub before: Vec<Cow<'c, str>>,
    /// The page of the product's documentation from which it was written, without knowledge of what is tested for.
    pub reference: Option<String>,
    /// Every change that the record states, as `direction row [opened]`, with ` whole` where it states the whole setting.
    pub expect: Option<Vec<String>>,
    /// The highest severity that the alarm may have.
    pub severity_most: Option<u8>,
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: case {}: {}", self.file, self.number, self.what)
    }
}

impl Case<'_> {
    /// The id of the row that it is about; empty where it names none.
    pub fn row_id(&self) -> &'static str {
        self.row.map_or("", |row| row.id)
    }
}

/// Why a file is no file of cases: which file, which case, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseError {
    place: String,
    reason: String,
}

impl CaseError {
    /// Something is wrong at this place.
    pub fn new(place: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self { place: place.to_string(), reason: reason.to_string() }
    }
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for CaseError {}

/// Reads the cases of a file: a JSON array.
///
/// # Errors
/// It is no JSON array, or one of its elements is no case.
pub fn parse<'c>(source: Source, file: &str, text: &'c str) -> Result<Vec<Case<'c>>, CaseError> {
    let elements: Vec<&'c RawValue> =
        serde_json::from_str(text).map_err(|error| CaseError::new(file, error))?;
    let file: Arc<str> = file.into();
    let mut cases = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        let number = index + 1;
        let case = case(source, &file, number, element.get());
        cases.push(
            case.map_err(|reason| CaseError::new(format_args!("{file}: case {number}"), reason))?,
        );
    }
    Ok(cases)
}

/// The fields of a case that are not read yet.
struct Fields<'c>(BTreeMap<String, &'c RawValue>);

impl<'c> Fields<'c> {
    fn take(&mut self, name: &str) -> Option<&'c RawValue> {
        self.0.remove(name).filter(|value| value.get() != "null")
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let text: String =
            serde_json::from_str(value.get()).map_err(|_| format!("`{name}` is no text"))?;
        if text.trim().is_empty() { Err(format!("`{name}` is empty")) } else { Ok(Some(text)) }
    }

    fn needed(&mut self, name: &str) -> Result<String, String> {
        self.text(name)?.ok_or_else(|| format!("`{name}` is missing"))
    }
}

fn case<'c>(
    source: Source,
    file: &Arc<str>,
    number: usize,
    text: &'c str,
) -> Result<Case<'c>, String> {
    let fields: BTreeMap<String, &'c RawValue> =
        serde_json::from_str(text).map_err(|_| "it is no object".to_owned())?;
    let mut fields = Fields(fields);
    let label = fields.needed("label")?;
    let label = Label::parse(&label).ok_or_else(|| {
        let known = Label::ALL.map(Label::as_str).join(", ");
        format!("`label` is {label}; known are {known}")
    })?;
    let record = fields.take("record").ok_or("`record` is missing")?;
    let before = match fields.take("before") {
        Some(list) => serde_json::from_str::<Vec<&'c RawValue>>(list.get())
            .map_err(|_| "`before` is no list of records")?,
        None => Vec::new(),
    };
    let expect = match fields.take("expect") {
        Some(list) => {
            serde_json::from_str(list.get()).map_err(|_| "`expect` is no list of texts")?
        }
        None => None,
    };
    let severity_most = match fields.take("severity_most") {
        Some(number) => Some(
            number
                .get()
                .parse()
                .ok()
                .filter(|number| (1..=6).contains(number))
                .ok_or_else(|| format!("`severity_most` is {number}; a severity is 1 to 6"))?,
        ),
        None => None,
    };
    let case = Case {
        source,
        file: Arc::clone(file),
        number,
        what: fields.needed("what")?,
        label,
        row: row(fields.text("row")?, label)?,
        record: record_text(record)?,
        before: before.into_iter().map(record_text).collect::<Result<_, _>>()?,
        reference: fields.text("reference")?,
        expect,
        severity_most,
    };
    match fields.0.keys().next() {
        Some(unknown) => Err(format!("`{unknown}` is no field of a case")),
        None => Ok(case),
    }
}

fn row(id: Option<String>, label: Label) -> Result<Option<&'static CatalogueRow>, String> {
    match id {
        Some(id) => match catalogue::row(&id) {
            Some(row) => Ok(Some(row)),
            None => Err(format!("unknown row {id}; `dataward controls` lists them")),
        },
        None if label == Label::Weakening => Err("a weakening names its `row`".to_owned()),
        None => Ok(None),
    }
}

/// The record itself: the text of a string, else the JSON as it stands.
fn record_text(record: &RawValue) -> Result<Cow<'_, str>, String> {
    let json = record.get();
    match json.as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<String>(json) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(error) => Err(format!("a record is no text: {error}")),
        },
        Some(b'{' | b'[') => Ok(Cow::Borrowed(json)),
        _ => Err(format!("a record is an object or a text, not {json}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        parse(Source::RedisMonitor, "redis.monitor/x.json", text).unwrap_err().to_string()
    }

    #[test]
    fn a_case_is_read_as_it_stands() {
        let text = r#"[{"label": "weakening", "row": "redis.password.removed", "what": "w", "reference": "r",
            "record": {"a":  1.50}, "before": ["x\n"], "severity_most": 3, "expect": ["e"]}]"#;
        let cases = parse(Source::RedisMonitor, "redis.monitor/x.json", text).unwrap();
        let case = &cases[0];
        assert_eq!(case.record, r#"{"a":  1.50}"#, "not a byte is changed");
        assert_eq!(case.before, ["x\n"]);
        assert_eq!((case.row_id(), case.severity_most), ("redis.password.removed", Some(3)));
        assert_eq!(case.to_string(), "redis.monitor/x.json: case 1: w");
    }

    #[test]
    fn what_is_no_case_is_told_with_its_place() {
        assert!(error_of("{}").starts_with("redis.monitor/x.json: invalid type"));
        for (case, reason) in [
            ("1", "it is no object"),
            (
                r#"{"label": "bad"}"#,
                "`label` is bad; known are weakening, neutral, hardening, attempt",
            ),
            (r#"{"label": "neutral", "record": "x"}"#, "`what` is missing"),
            (r#"{"label": "neutral", "record": "x", "what": " "}"#, "`what` is empty"),
            (r#"{"label": "neutral", "what": "w"}"#, "`record` is missing"),
            (
                r#"{"label": "neutral", "what": "w", "record": 7}"#,
                "a record is an object or a text, not 7",
            ),
            (
                r#"{"label": "weakening", "what": "w", "record": "x"}"#,
                "a weakening names its `row`",
            ),
            (
                r#"{"label": "neutral", "what": "w", "record": "x", "row": "no.such"}"#,
                "unknown row no.such; `dataward controls` lists them",
            ),
            (
                r#"{"label": "neutral", "what": "w", "record": "x", "rwo": "x"}"#,
                "`rwo` is no field of a case",
            ),
            (
                r#"{"label": "neutral", "what": "w", "record": "x", "before": {}}"#,
                "`before` is no list of records",
            ),
            (
                r#"{"label": "neutral", "what": "w", "record": "x", "severity_most": 9}"#,
                "`severity_most` is 9; a severity is 1 to 6",
            ),
        ] {
            let good = r#"{"label": "neutral", "what": "w", "record": "x"}"#;
            let text = format!("[{good},\n{case}]");
            assert_eq!(error_of(&text), format!("redis.monitor/x.json: case 2: {reason}"));
        }
    }
}
