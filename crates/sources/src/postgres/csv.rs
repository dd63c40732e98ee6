//! Fields of CSV as PostgreSQL writes it: quotes are doubled, line breaks stand inside of quotes.

use std::borrow::Cow;

use dataward_event::audit_event::Text;

/// The fields of one record, from the left. A quote that is never closed ends with the text.
pub(super) struct Fields<'t>(Option<&'t str>);

impl<'t> Fields<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self(Some(text).filter(|text| !text.is_empty()))
    }
}

impl<'t> Iterator for Fields<'t> {
    type Item = Text<'t>;

    fn next(&mut self) -> Option<Text<'t>> {
        let text = self.0?;
        let Some(quoted) = text.strip_prefix('"') else {
            let end = text.find(',').unwrap_or(text.len());
            self.0 = text.get(end + 1..);
            return Some(Cow::Borrowed(&text[..end]));
        };
        let mut at = 0;
        let mut has_doubled = false;
        let end = loop {
            let Some(quote) = quoted[at..].find('"') else { break quoted.len() };
            at += quote;
            if !quoted[at + 1..].starts_with('"') {
                break at;
            }
            has_doubled = true;
            at += 2;
        };
        let behind = quoted.get(end + 1..).unwrap_or_default();
        self.0 = behind.find(',').map(|comma| &behind[comma + 1..]);
        let field = &quoted[..end];
        Some(if has_doubled {
            Cow::Owned(field.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(field)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        Fields::new(text).map(Cow::into_owned).collect()
    }

    #[test]
    fn fields_are_taken_apart() {
        assert_eq!(all("a,,b"), ["a", "", "b"]);
        assert_eq!(all("a,\"b,\"\"c\"\"\nd\",e"), ["a", "b,\"c\"\nd", "e"]);
        assert_eq!(all("a,"), ["a", ""]);
        assert_eq!(all("\"cut, off"), ["cut, off"]);
        assert_eq!(all("\"\",1"), ["", "1"]);
        assert_eq!(all(""), Vec::<String>::new());
    }
}
