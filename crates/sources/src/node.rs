//! A JSON value that borrows its texts from the record.

use std::borrow::Cow;
use std::fmt;

use dataward_event::audit_event::Text;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::lenient::{Key, parse_bool, parse_count};

/// One value. Numbers and truth values stay text until somebody asks for them.
#[derive(Debug, Clone, Default)]
pub(crate) enum Node<'a> {
    #[default]
    Null,
    Scalar(Text<'a>),
    List(Vec<Node<'a>>),
    Map(Vec<(Text<'a>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// The value at a path; of equal keys the last one.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        let mut node = self;
        for key in path {
            let Self::Map(fields) = node else { return None };
            node = fields.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)?;
        }
        Some(node)
    }

    /// The text of this scalar, if it is one and not empty.
    pub(crate) fn scalar(&self) -> Option<Text<'a>> {
        match self {
            Self::Scalar(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    /// The scalar at a path.
    pub(crate) fn text(&self, path: &[&str]) -> Option<Text<'a>> {
        self.at(path)?.scalar()
    }

    /// The scalar at a path, also if it is empty.
    pub(crate) fn any_text(&self, path: &[&str]) -> Option<Text<'a>> {
        match self.at(path)? {
            Self::Scalar(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The count at a path.
    pub(crate) fn count(&self, path: &[&str]) -> Option<u64> {
        parse_count(&self.text(path)?)
    }

    /// The whole number at a path, which may be negative.
    pub(crate) fn integer(&self, path: &[&str]) -> Option<i64> {
        let text = self.text(path)?;
        text.parse().ok().or_else(|| parse_count(&text).and_then(|count| i64::try_from(count).ok()))
    }

    /// The truth value at a path.
    pub(crate) fn flag(&self, path: &[&str]) -> Option<bool> {
        parse_bool(&self.text(path)?)
    }

    /// The same value, borrowing nothing.
    pub(crate) fn into_owned(self) -> Node<'static> {
        let own = |text: Text<'a>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Node::Null,
            Self::Scalar(text) => Node::Scalar(own(text)),
            Self::List(items) => Node::List(items.into_iter().map(Self::into_owned).collect()),
            Self::Map(fields) => Node::Map(
                fields.into_iter().map(|(name, value)| (own(name), value.into_owned())).collect(),
            ),
        }
    }

    /// The texts of the list at a path.
    pub(crate) fn texts(&self, path: &[&str]) -> impl Iterator<Item = Text<'a>> {
        self.list(path).iter().filter_map(Self::scalar)
    }

    /// Whether something stands at a path, `null` included.
    pub(crate) fn has(&self, path: &[&str]) -> bool {
        self.at(path).is_some()
    }

    /// Whether this is an object without fields.
    pub(crate) fn is_empty_map(&self) -> bool {
        matches!(self, Self::Map(fields) if fields.is_empty())
    }

    /// The elements of the list at a path; none if there is no list.
    pub(crate) fn list(&self, path: &[&str]) -> &[Self] {
        match self.at(path) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }
}

impl Node<'_> {
    /// Every scalar below, by its path with points between the keys; `null` has no text. Lists count as their first element.
    pub(crate) fn leaves(&self) -> Vec<(String, Option<String>)> {
        fn walk(node: &Node<'_>, path: &str, found: &mut Vec<(String, Option<String>)>) {
            match node {
                Node::Map(fields) => {
                    for (name, value) in fields {
                        let path = if path.is_empty() {
                            name.to_string()
                        } else {
                            format!("{path}.{name}")
                        };
                        walk(value, &path, found);
                    }
                }
                Node::List(items) => {
                    let first = items.first().and_then(Node::scalar);
                    found.push((path.to_owned(), first.map(Cow::into_owned)));
                }
                Node::Scalar(text) => found.push((path.to_owned(), Some(text.to_string()))),
                Node::Null => found.push((path.to_owned(), None)),
            }
        }
        let mut found = Vec::new();
        walk(self, "", &mut found);
        found
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Scalar(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Node::Scalar(Cow::Owned(text.to_owned())))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Node::Scalar(Cow::Borrowed(if value { "true" } else { "false" })))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Node::Scalar(Cow::Owned(value.to_string())))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Node::Scalar(Cow::Owned(value.to_string())))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Node::Scalar(Cow::Owned(value.to_string())))
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(Key(name)) = map.next_key::<Key<'de>>()? {
            fields.push((name, map.next_value()?));
        }
        Ok(Node::Map(fields))
    }
}
