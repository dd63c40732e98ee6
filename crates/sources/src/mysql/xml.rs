//! Records as XML: the new style with an element for each field, the old one with attributes.

use std::borrow::Cow;

use dataward_event::audit_event::Text;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::happening::{Happening, What};
use super::json;
use crate::container::Fault;
use crate::time_text;

/// Whether a line is such a record, or stands between them.
pub(crate) fn is_record(line: &str) -> bool {
    ["<AUDIT_RECORD", "<AUDIT>", "</AUDIT>"].iter().any(|begin| line.starts_with(begin))
}

/// Reads a record.
pub(super) fn read(text: &str) -> Result<Happening<'_>, Fault> {
    if ["<?xml", "<AUDIT>", "</AUDIT>"].iter().any(|begin| text.starts_with(begin))
        && !text.contains("<AUDIT_RECORD")
    {
        return Err(Fault::no_event("a line between the records of a file"));
    }
    happening(fields(text)?)
}

/// The fields of a record by name.
fn fields(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let malformed = |reader: &Reader<&[u8]>| {
        Fault::shape(format!("XML is malformed or cut off at byte {}", reader.buffer_position()))
    };
    let mut reader = Reader::from_str(text);
    let mut fields = Vec::new();
    let mut is_inside = false;
    let mut open: Option<(String, String)> = None;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) if element.name().as_ref() == b"AUDIT_RECORD" => {
                is_inside = true;
                attributes(&element, &mut fields).ok_or_else(|| malformed(&reader))?;
            }
            Ok(Event::Empty(element)) if element.name().as_ref() == b"AUDIT_RECORD" => {
                attributes(&element, &mut fields).ok_or_else(|| malformed(&reader))?;
                return Ok(fields);
            }
            Ok(Event::Start(element)) if is_inside => {
                let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
                open = Some((name, String::new()));
            }
            Ok(Event::Text(part)) => {
                if let Some((_, value)) = &mut open {
                    value.push_str(&part.decode().map_err(|_| malformed(&reader))?);
                }
            }
            Ok(Event::CData(part)) => {
                if let Some((_, value)) = &mut open {
                    value.push_str(&part.decode().map_err(|_| malformed(&reader))?);
                }
            }
            Ok(Event::GeneralRef(reference)) => {
                if let Some((_, value)) = &mut open {
                    let name = reference.decode().map_err(|_| malformed(&reader))?;
                    match reference.resolve_char_ref() {
                        Ok(Some(character)) => value.push(character),
                        // What a control character was written as is kept as it stands.
                        _ => match resolve_xml_entity(&name) {
                            Some(resolved) => value.push_str(resolved),
                            None => value.push_str(&format!("&{name};")),
                        },
                    }
                }
            }
            Ok(Event::End(element)) if element.name().as_ref() == b"AUDIT_RECORD" => {
                return Ok(fields);
            }
            Ok(Event::End(_)) => fields.extend(open.take()),
            Ok(Event::Eof) => return Err(malformed(&reader)),
            Ok(_) => {}
            Err(_) => return Err(malformed(&reader)),
        }
    }
}

fn attributes(element: &BytesStart<'_>, fields: &mut Vec<(String, String)>) -> Option<()> {
    for attribute in element.html_attributes() {
        let attribute = attribute.ok()?;
        let name = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
        let value = attribute.unescape_value().ok()?.into_owned();
        // Percona's old style puts names into quotes, too.
        fields.push((name.trim_matches('"').to_owned(), value));
    }
    Some(())
}

fn happening(mut fields: Vec<(String, String)>) -> Result<Happening<'static>, Fault> {
    let mut take = |names: &[&str]| -> Option<Text<'static>> {
        let at = fields.iter().rposition(|(name, _)| names.contains(&&**name))?;
        Some(Cow::Owned(fields.swap_remove(at).1))
    };
    let Some(name) = take(&["NAME"]) else {
        return Err(Fault::shape("expected an AUDIT_RECORD with a NAME"));
    };
    let class = take(&["COMMAND_CLASS"]);
    let what = what(&name, class.as_deref())?;
    let status = take(&["STATUS"]).and_then(|status| status.parse::<i64>().ok());
    let failed = take(&["STATUS_CODE"]).and_then(|status| status.parse::<i64>().ok());
    let user = take(&["USER"]).map(|user| Cow::Owned(user_name(&user).to_owned()));
    let options = take(&["STARTUP_OPTIONS", "MYSQL_OPTIONS"]);
    Ok(Happening {
        what,
        time: take(&["TIMESTAMP"]).and_then(|time| time_text::parse(&time)),
        code: name,
        command: class,
        user,
        proxied: take(&["PROXY_USER"]),
        host: take(&["HOST"]),
        ip: take(&["IP"]),
        connection: take(&["CONNECTION_ID"]).filter(|id| id != "0"),
        database: take(&["DB"]).filter(|database| !database.is_empty()),
        table: take(&["TABLE"]).filter(|table| !table.is_empty()),
        statement: take(&["SQLTEXT"]).filter(|text| !text.is_empty()),
        status: status.or(failed),
        options: options.into_iter().collect(),
        ..Happening::default()
    })
}

/// `ada` of `ada[ada] @ localhost [127.0.0.1]`.
pub(super) fn user_name(user: &str) -> &str {
    user.split_once('[').map_or(user, |(name, _)| name).trim()
}

/// What a record of this name tells, if it is an event.
pub(super) fn what(name: &str, class: Option<&str>) -> Result<What, Fault> {
    Ok(match name {
        "Audit" => What::AuditStart,
        "NoAudit" => What::AuditStop,
        "Connect" | "Change user" => What::LogOn,
        "Quit" => What::LogOff,
        "TableRead" => What::TableRead,
        "TableInsert" => What::TableWrite,
        "TableUpdate" => What::TableUpdate,
        "TableDelete" => What::TableDelete,
        "Prepare" | "Close stmt" | "Reset stmt" | "Long Data" => {
            return Err(Fault::no_event("a step before or behind the execution of a statement"));
        }
        // A command that has a class is a statement, whatever it is called.
        _ if class.is_some_and(|class| !class.is_empty() && class != "error") => What::Statement,
        other => return json::command(other),
    })
}
