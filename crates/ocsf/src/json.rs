//! Writing JSON in the order of the code.

use std::fmt::Write as _;

/// An object that is being written. Fields without a value are left out.
pub(crate) struct Object<'o> {
    out: &'o mut String,
    is_empty: bool,
}

/// Writes one object as a whole text.
pub(crate) fn document(fill: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::with_capacity(1024);
    object_into(&mut out, fill);
    out
}

fn object_into(out: &mut String, fill: impl FnOnce(&mut Object<'_>)) -> bool {
    out.push('{');
    let mut object = Object { out, is_empty: true };
    fill(&mut object);
    let is_empty = object.is_empty;
    out.push('}');
    is_empty
}

/// A string with its quotes and escapes.
fn string_into(out: &mut String, text: &str) {
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain_from..at]);
        plain_from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

impl Object<'_> {
    fn key(&mut self, key: &str) {
        if !self.is_empty {
            self.out.push(',');
        }
        self.is_empty = false;
        string_into(self.out, key);
        self.out.push(':');
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        string_into(self.out, value);
    }

    /// A text, if there is one.
    pub(crate) fn text_if(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// A number.
    pub(crate) fn number(&mut self, key: &str, value: impl Into<i128>) {
        self.key(key);
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{}", value.into());
    }

    /// A number, if there is one.
    pub(crate) fn number_if(&mut self, key: &str, value: Option<impl Into<i128>>) {
        if let Some(value) = value {
            self.number(key, value);
        }
    }

    /// A number that is counted in thousandths.
    pub(crate) fn thousandths(&mut self, key: &str, value: u64) {
        self.key(key);
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{}.{:03}", value / 1000, value % 1000);
    }

    /// A truth value.
    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.out.push_str(if value { "true" } else { "false" });
    }

    /// An object.
    pub(crate) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        object_into(self.out, fill);
    }

    /// An object, unless nothing is in it.
    pub(crate) fn object_unless_empty(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        let (length, was_empty) = (self.out.len(), self.is_empty);
        self.key(key);
        if object_into(self.out, fill) {
            self.out.truncate(length);
            self.is_empty = was_empty;
        }
    }

    /// A list of texts, unless it is empty.
    pub(crate) fn texts<'t>(&mut self, key: &str, values: impl IntoIterator<Item = &'t str>) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return;
        }
        self.key(key);
        self.out.push('[');
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            string_into(self.out, value);
        }
        self.out.push(']');
    }

    /// A list of objects, unless it is empty.
    pub(crate) fn objects<T>(
        &mut self,
        key: &str,
        values: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Object<'_>, T),
    ) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return;
        }
        self.key(key);
        self.out.push('[');
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            object_into(self.out, |object| fill(object, value));
        }
        self.out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_stand_in_the_order_of_the_code_and_nothing_is_null() {
        let text = document(|o| {
            o.text("b", "x");
            o.text_if("none", None);
            o.object_unless_empty("empty", |_| {});
            o.number("a", 1_u8);
            o.object("c", |o| o.flag("d", true));
            o.texts("e", []);
            o.objects("f", [1_i64, 2], |o, n| o.number("n", n));
            o.thousandths("g", 12_034);
        });
        assert_eq!(text, r#"{"b":"x","a":1,"c":{"d":true},"f":[{"n":1},{"n":2}],"g":12.034}"#);
    }

    proptest! {
        #[test]
        fn any_text_survives(text in any::<String>()) {
            let written = document(|o| o.text("t", &text));
            prop_assert!(!written.contains('\n'));
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read["t"].as_str().unwrap(), text);
        }
    }
}
