//! JSON objects that leave out what is not known.

use serde_json::{Map, Value};

/// An object in the making.
#[derive(Debug, Default)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    /// An object without fields.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a field where there is a value.
    pub(crate) fn maybe(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds an object where it has fields.
    pub(crate) fn nested(self, key: &str, object: Self) -> Self {
        if object.0.is_empty() { self } else { self.with(key, object) }
    }

    /// Adds a list where it has elements.
    pub(crate) fn list(self, key: &str, values: Vec<Value>) -> Self {
        if values.is_empty() { self } else { self.with(key, values) }
    }

    /// Whether it has no field.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

/// A text that may be missing.
pub(crate) fn text<'t>(text: &'t Option<std::borrow::Cow<'_, str>>) -> Option<&'t str> {
    text.as_deref()
}
