//! Records in the wire format of Confluent's Schema Registry: a zero byte, the schema's number, and an event in JSON, Avro or
//! Protobuf.
//!
//! The schema of a number never changes, so decoding stays a function of the record. Who fetches it is somebody else:
//! [`Schemas`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use dataward_event::quarantine::QuarantineReason;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

use crate::container::Fault;

/// What every record of this format begins with.
const MAGIC: u8 = 0;

/// How long the head is, in bytes: the zero byte and the number.
const HEAD_BYTES: usize = 5;

/// How deep messages of Protobuf may lie inside one another in a head.
const NESTED_MAX: u64 = 32;

/// Where schemas come from.
pub trait Schemas: fmt::Debug + Send + Sync {
    /// The schema of a number. It waits for a registry that does not answer.
    ///
    /// # Errors
    /// A sentence: the registry has none of this number, it cannot be read, or the process is to stop.
    fn schema(&self, id: u32) -> Result<Arc<Schema>, String>;
}

/// A schema, ready for use.
pub enum Schema {
    /// The event is JSON as it stands.
    Json,
    /// Avro's binary encoding.
    Avro(Box<apache_avro::Schema>),
    /// Protobuf, and the file that the record's message stands in.
    Protobuf(DescriptorPool, String),
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "Json",
            Self::Avro(_) => "Avro",
            Self::Protobuf(..) => "Protobuf",
        })
    }
}

/// The name under which the registry's own text of a Protobuf schema is compiled.
const MAIN_FILE: &str = "registry/schema.proto";

impl Schema {
    /// A schema from the registry's texts. `references` are the texts that it names, by the names it gives them.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(
        kind: &str,
        text: &str,
        references: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        match kind {
            "JSON" => Ok(Self::Json),
            "AVRO" => {
                let mut texts: Vec<&str> = references.values().map(String::as_str).collect();
                texts.push(text);
                let mut schemas =
                    apache_avro::Schema::parse_list(texts).map_err(|e| e.to_string())?;
                let schema = schemas.pop().ok_or("an empty schema")?;
                Ok(Self::Avro(Box::new(schema)))
            }
            "PROTOBUF" => {
                let mut files = references.clone();
                files.insert(MAIN_FILE.to_owned(), text.to_owned());
                let mut resolver = ChainFileResolver::new();
                resolver.add(Texts(files));
                resolver.add(GoogleFileResolver::new());
                let mut compiler = protox::Compiler::with_file_resolver(resolver);
                compiler.open_file(MAIN_FILE).map_err(|error| error.to_string())?;
                Ok(Self::Protobuf(compiler.descriptor_pool(), MAIN_FILE.to_owned()))
            }
            other => Err(format!("a schema of the kind {other}")),
        }
    }
}

/// Files of Protobuf that are kept as texts.
struct Texts(BTreeMap<String, String>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.get(name) {
            Some(text) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// What stands in a record of this format.
#[derive(Debug)]
pub(crate) enum Framed<'p> {
    /// Text as it stands.
    Text(&'p [u8]),
    /// What a binary encoding says, as JSON.
    Made(String),
}

/// Whether a record is of this format.
pub(crate) fn is_framed(payload: &[u8]) -> bool {
    payload.first() == Some(&MAGIC) && payload.len() > HEAD_BYTES
}

/// Takes the head off and reads what stands behind it.
///
/// # Errors
/// There is no registry, it has no such schema, or the bytes are not of it.
pub(crate) fn open<'p>(
    payload: &'p [u8],
    schemas: Option<&dyn Schemas>,
) -> Result<Framed<'p>, Fault> {
    let (head, body) = payload.split_at(HEAD_BYTES);
    let id = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    // JSON needs no schema to be read.
    if matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) && schemas.is_none()
        || body.trim_ascii_start().starts_with(b"{")
    {
        return Ok(Framed::Text(body));
    }
    let Some(schemas) = schemas else {
        return Err(Fault::shape(format!(
            "a record of schema {id}, but no schema registry is configured for its topic"
        )));
    };
    let invalid = |detail: String| Fault::new(QuarantineReason::InvalidValue, detail);
    let schema = schemas.schema(id).map_err(|error| invalid(format!("schema {id}: {error}")))?;
    let made = match &*schema {
        Schema::Json => return Ok(Framed::Text(body)),
        Schema::Avro(schema) => avro(schema, body),
        Schema::Protobuf(pool, file) => protobuf(pool, file, body),
    };
    made.map(Framed::Made)
        .map_err(|what| invalid(format!("the bytes are not of schema {id}: {what}")))
}

fn avro(schema: &apache_avro::Schema, mut body: &[u8]) -> Result<String, &'static str> {
    let value = apache_avro::from_avro_datum(schema, &mut body, None)
        .map_err(|_| "Avro cannot be read by it")?;
    if !body.is_empty() {
        return Err("there are bytes behind the value");
    }
    let json = serde_json::Value::try_from(value).map_err(|_| "a value that JSON cannot hold")?;
    Ok(json.to_string())
}

fn protobuf(pool: &DescriptorPool, file: &str, mut body: &[u8]) -> Result<String, &'static str> {
    let message = message_of(pool, file, &mut body).ok_or("it has no message of this place")?;
    let value =
        DynamicMessage::decode(message, body).map_err(|_| "Protobuf cannot be read by it")?;
    serde_json::to_string(&value).map_err(|_| "a value that JSON cannot hold")
}

/// The message that the head names by its place: a list of places, each inside the one before; an empty list is the first.
fn message_of(pool: &DescriptorPool, file: &str, body: &mut &[u8]) -> Option<MessageDescriptor> {
    let count = zigzag(body)?;
    let mut places = vec![0];
    if count > 0 {
        if count > NESTED_MAX {
            return None;
        }
        places.clear();
        for _ in 0..count {
            places.push(zigzag(body)?);
        }
    }
    let file = pool.get_file_by_name(file)?;
    let mut places = places.into_iter().map(|place| usize::try_from(place).ok());
    let mut message = file.messages().nth(places.next()??)?;
    for place in places {
        let inner = message.child_messages().nth(place?)?;
        message = inner;
    }
    Some(message)
}

/// A number of the head: zigzag in groups of seven bits. `None` for a negative one, which none is.
fn zigzag(body: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (first, rest) = body.split_first()?;
        *body = rest;
        number |= u64::from(first & 0x7F) << shift;
        if first & 0x80 == 0 {
            return (number & 1 == 0).then_some(number >> 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug)]
    struct Fixed(BTreeMap<u32, Arc<Schema>>);

    impl Schemas for Fixed {
        fn schema(&self, id: u32) -> Result<Arc<Schema>, String> {
            self.0
                .get(&id)
                .cloned()
                .ok_or_else(|| "the registry has none of this number".to_owned())
        }
    }

    const AVRO: &str = r#"{"type":"record","name":"E","fields":[{"name":"atype","type":"string"},{"name":"n","type":["null","long"]}]}"#;
    const PROTO: &str = r#"
        syntax = "proto3";
        import "common/user.proto";
        message Other { string x = 1; }
        message Event { string atype = 1; common.User user = 2; message Inner { int64 n = 1; } }
    "#;
    const USER: &str = r#"syntax = "proto3"; package common; message User { string name = 1; }"#;

    fn schemas() -> Fixed {
        let none = BTreeMap::new();
        let references = [("common/user.proto".to_owned(), USER.to_owned())].into();
        Fixed(
            [
                (1, Arc::new(Schema::parse("AVRO", AVRO, &none).unwrap())),
                (2, Arc::new(Schema::parse("PROTOBUF", PROTO, &references).unwrap())),
                (3, Arc::new(Schema::parse("JSON", "{}", &none).unwrap())),
            ]
            .into(),
        )
    }

    fn opened(payload: &[u8]) -> Result<String, String> {
        match open(payload, Some(&schemas())) {
            Ok(Framed::Text(text)) => Ok(String::from_utf8_lossy(text).into_owned()),
            Ok(Framed::Made(text)) => Ok(text),
            Err(fault) => Err(fault.detail),
        }
    }

    #[test]
    fn each_encoding_becomes_json() {
        // Avro: a text of four bytes, the second branch of the union, the number 3.
        let avro = [&[0, 0, 0, 0, 1][..], &[8], b"find", &[2, 6]].concat();
        assert_eq!(opened(&avro).unwrap(), r#"{"atype":"find","n":3}"#);
        // Protobuf: one place, the message 1; field 1 is a text, field 2 a message with a text.
        let body = [&[2, 2, 0x0A, 4][..], b"find", &[0x12, 5, 0x0A, 3], b"ada"].concat();
        let protobuf = [&[0, 0, 0, 0, 2][..], &body].concat();
        assert_eq!(opened(&protobuf).unwrap(), r#"{"atype":"find","user":{"name":"ada"}}"#);
        let json = [&[0, 0, 0, 0, 3][..], br#"{"atype":"find"}"#].concat();
        assert_eq!(opened(&json).unwrap(), r#"{"atype":"find"}"#);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let refused = |payload: &[u8]| opened(payload).unwrap_err();
        assert!(refused(&[0, 0, 0, 0, 9, 1]).contains("schema 9"));
        assert!(refused(&[0, 0, 0, 0, 1, 200]).contains("not of schema 1"));
        assert!(refused(&[0, 0, 0, 0, 2, 2, 20, 1]).contains("no message of this place"));
        let without = open(&[0, 0, 0, 0, 1, 2], None).map(|_| ()).unwrap_err();
        assert!(without.detail.contains("no schema registry"), "{}", without.detail);
        assert!(Schema::parse("PROTOBUF", "message {", &BTreeMap::new()).is_err());
        assert!(Schema::parse("AVRO", "{}", &BTreeMap::new()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(id in 1_u8..4, body in prop::collection::vec(any::<u8>(), 1..64)) {
            let payload = [&[0, 0, 0, 0, id][..], &body].concat();
            let _ = opened(&payload);
        }
    }
}
