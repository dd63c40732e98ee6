//! Field types that read what a producer meant, and never fail on a type that they did not expect.
//!
//! Derived structs refuse a repeated key and a number where a string should be; both occur in real logs and neither is
//! a reason to lose an event. [`Object`] takes keys one by one (the last of equal keys wins, as in most parsers) and
//! [`Loose`] takes any scalar.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use dataward_event::audit_event::Text;
use dataward_event::limits::STATEMENT_BYTES_MAX;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::node::Node;
use crate::secrets::masked;

/// Any scalar as text, borrowed where it can be. `null`, objects and empty lists are nothing; of a list the first
/// element counts, since some products wrap a scalar in a list of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Loose<'a>(pub(crate) Option<Text<'a>>);

impl<'a> Loose<'a> {
    /// The text; `None` also where it is empty, which says nothing either.
    pub(crate) fn text(self) -> Option<Text<'a>> {
        self.0.filter(|text| !text.is_empty())
    }

    /// The text, borrowed.
    pub(crate) fn as_str(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// A truth value, also one that was written as a string.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        parse_bool(self.as_str()?)
    }

    /// A whole number that is not negative; a fraction is cut off.
    pub(crate) fn as_count(&self) -> Option<u64> {
        parse_count(self.as_str()?)
    }
}

/// Reads `true` and `false` in the spellings that occur.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Reads a count such as `89` or `89.0`. `None` for anything that is not a finite number from 0 on.
pub(crate) fn parse_count(text: &str) -> Option<u64> {
    if let Ok(count) = text.parse::<u64>() {
        return Some(count);
    }
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0)?;
    // Beyond 2^53 a fraction is not exact any more and beyond u64 it would saturate: then it is no count.
    (number < 9_007_199_254_740_992.0).then_some(number as u64)
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor(PhantomData))
    }
}

struct LooseVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for LooseVisitor<'a> {
    type Value = Loose<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Borrowed(text))))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Owned(text.to_owned()))))
    }
    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Owned(text))))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Borrowed(if value { "true" } else { "false" }))))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Owned(value.to_string()))))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Owned(value.to_string()))))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Loose(Some(Cow::Owned(value.to_string()))))
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Loose(None))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let first = seq.next_element::<Self::Value>()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.unwrap_or_default())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose(None))
    }
}

/// A struct that is filled field by field.
pub(crate) trait Fields<'de>: Default {
    /// Takes one field: either reads the value into itself or ignores it, but always consumes it.
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error>;
}

/// A struct that is read from an object, each field from the key (or keys) that it names. What is not named is skipped.
macro_rules! fields {
    ($($(#[$note:meta])* struct $name:ident<$life:lifetime> {
        $($(#[$field_note:meta])* $field:ident: $type:ty = $($key:literal)|+,)*
    })+) => {$(
        $(#[$note])*
        #[derive(Debug, Default)]
        pub(crate) struct $name<$life> {
            $($(#[$field_note])* pub(crate) $field: $type,)*
        }

        impl<'de: $life, $life> $crate::lenient::Fields<'de> for $name<$life> {
            fn take<A: serde::de::MapAccess<'de>>(
                &mut self,
                name: dataward_event::audit_event::Text<'de>,
                map: &mut A,
            ) -> Result<(), A::Error> {
                match &*name {
                    $($($key)|+ => self.$field = map.next_value()?,)*
                    _ => return $crate::lenient::ignore(map),
                }
                Ok(())
            }
        }
    )+};
}
pub(crate) use fields;

/// The text of a value as it stands, read only when somebody asks for it. `null` is nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unread<'a>(Option<&'a str>);

impl<'a> Unread<'a> {
    /// The JSON.
    pub(crate) fn json(self) -> Option<&'a str> {
        self.0
    }

    /// Reads it; nothing where it is absent or of another shape.
    pub(crate) fn read<T: Deserialize<'a>>(self) -> Option<T> {
        serde_json::from_str(self.0?).ok()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Unread<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        Ok(Self(Some(raw.get()).filter(|json| *json != "null")))
    }
}

/// A list of scalars; a single scalar is a list of one. What is no scalar is left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts<'a>(pub(crate) Vec<Text<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Node::deserialize(deserializer)? {
            Node::Null | Node::Map(_) => Vec::new(),
            Node::Scalar(text) => vec![text],
            Node::List(nodes) => nodes.iter().filter_map(Node::scalar).collect(),
        }))
    }
}

/// Consumes a value that nobody needs.
pub(crate) fn ignore<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_| ())
}

/// An object read by [`Fields`]; anything that is no object is an empty one. `is_object` tells which it was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object<T> {
    /// What was read.
    pub(crate) fields: T,
    /// Whether it was an object.
    pub(crate) is_object: bool,
}

impl<'de, T: Fields<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Fields<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = T::default();
        while let Some(Key(name)) = map.next_key::<Key<'de>>()? {
            fields.take(name, &mut map)?;
        }
        Ok(Object { fields, is_object: true })
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Object::default())
    }
    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Object::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Object::default())
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Object::default())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Object::default())
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Object::default())
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Object::default())
    }
}

/// A key, borrowed unless it holds an escape.
pub(crate) struct Key<'a>(pub(crate) Text<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Loose::deserialize(deserializer).map(|loose| Key(loose.0.unwrap_or_default()))
    }
}

/// A statement as its column keeps it: without secrets, and cut. The raw record keeps all of it.
pub(crate) fn bounded_statement(text: Text<'_>) -> Text<'_> {
    if text.len() <= STATEMENT_BYTES_MAX {
        return masked(text);
    }
    let end = text.floor_char_boundary(STATEMENT_BYTES_MAX);
    masked(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    })
}

/// The scalars that stand directly in an object, in order; what is nested deeper is left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scalars<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'a> Scalars<'a> {
    /// Reads the scalars of a value; none if it is no object.
    pub(crate) fn read(raw: Option<&'a RawValue>) -> Self {
        raw.and_then(|raw| serde_json::from_str::<Object<Self>>(raw.get()).ok())
            .unwrap_or_default()
            .fields
    }

    /// The value of a key, if it is there and not empty.
    pub(crate) fn get(&self, key: &str) -> Option<&Text<'a>> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

impl<'de: 'a, 'a> Fields<'de> for Scalars<'a> {
    fn take<A: MapAccess<'de>>(&mut self, name: Text<'de>, map: &mut A) -> Result<(), A::Error> {
        if let Some(value) = map.next_value::<Loose<'a>>()?.text() {
            self.0.push((name, value));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loose(json: &str) -> Option<String> {
        serde_json::from_str::<Loose<'_>>(json).unwrap().text().map(Text::into_owned)
    }

    #[test]
    fn any_scalar_is_text() {
        assert_eq!(loose(r#""a""#).as_deref(), Some("a"));
        assert_eq!(loose(r#"["a","b"]"#).as_deref(), Some("a"));
        assert_eq!(loose("17").as_deref(), Some("17"));
        assert_eq!(loose("-1.5").as_deref(), Some("-1.5"));
        assert_eq!(loose("true").as_deref(), Some("true"));
        assert_eq!(loose("null"), None);
        assert_eq!(loose(r#"{"a":1}"#), None);
        assert_eq!(loose("[]"), None);
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let Loose(Some(Cow::Borrowed(text))) = serde_json::from_str(r#""plain""#).unwrap() else {
            panic!("copied");
        };
        assert_eq!(text, "plain");
    }

    #[test]
    fn counts_are_read_from_any_number() {
        assert_eq!(parse_count("89"), Some(89));
        assert_eq!(parse_count("89.0"), Some(89));
        assert_eq!(parse_count("-1"), None);
        assert_eq!(parse_count("1e300"), None);
        assert_eq!(parse_count("NaN"), None);
    }
}
