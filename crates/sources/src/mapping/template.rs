//! A text with paths in braces: `acme://{host}/{db.name}`.

use std::borrow::Cow;

use dataward_event::audit_event::Text;

use crate::node::Node;

/// The path of what the envelope says, not the record: the host that logged it.
const HOST: &str = "envelope.host";

/// Texts and paths in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Path(String),
}

impl Template {
    /// # Errors
    /// A brace that is not closed, or a path of nothing.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (path, behind) =
                after.split_once('}').ok_or_else(|| format!("`{text}`: a brace is not closed"))?;
            if path.trim().is_empty() {
                return Err(format!("`{text}`: no path between the braces"));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Path(path.trim().to_owned()));
            rest = behind;
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The text for a record; nothing where any of its paths leads nowhere.
    pub(super) fn fill<'a>(&self, record: &Node<'a>, host: &str) -> Option<Text<'a>> {
        if let [Part::Path(path)] = self.parts.as_slice()
            && path != HOST
        {
            return at(record, path)?.scalar();
        }
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Path(path) if path == HOST => filled.push_str(host),
                Part::Path(path) => filled.push_str(&at(record, path)?.scalar()?),
            }
        }
        Some(Cow::Owned(filled))
    }

    /// The list that the only path leads to.
    pub(super) fn list<'r, 'a>(&self, record: &'r Node<'a>) -> Option<&'r [Node<'a>]> {
        let [Part::Path(path)] = self.parts.as_slice() else { return None };
        match at(record, path)? {
            Node::List(items) => Some(items),
            _ => None,
        }
    }
}

/// What a path leads to: a key that holds the points itself comes before a way through objects; a number is a place in a
/// list.
fn at<'r, 'a>(node: &'r Node<'a>, path: &str) -> Option<&'r Node<'a>> {
    if let Some(found) = node.at(&[path]) {
        return Some(found);
    }
    let (first, rest) = path.split_once('.')?;
    let next = match (node, first.parse::<usize>()) {
        (Node::List(items), Ok(place)) => items.get(place)?,
        _ => node.at(&[first])?,
    };
    match (next, rest.parse::<usize>()) {
        (Node::List(items), Ok(place)) => items.get(place),
        _ => at(next, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_through_objects_and_lists() {
        let json = r#"{"a.b":"dotted","c":{"d":[{"e":"deep"},"x"]},"n":7,"empty":null}"#;
        let record: Node<'_> = serde_json::from_str(json).unwrap();
        let filled =
            |text: &str| Template::parse(text).unwrap().fill(&record, "h1").map(Cow::into_owned);
        assert_eq!(filled("{a.b}").as_deref(), Some("dotted"));
        assert_eq!(filled("{c.d.0.e}").as_deref(), Some("deep"));
        assert_eq!(filled("{c.d.1}").as_deref(), Some("x"));
        assert_eq!(filled("db://{envelope.host}/{n}").as_deref(), Some("db://h1/7"));
        assert_eq!(filled("constant").as_deref(), Some("constant"));
        assert_eq!(filled("{empty}"), None);
        assert_eq!(filled("x{nowhere}"), None);
        assert!(Template::parse("{a").is_err());
        assert!(Template::parse("{ }").is_err());
    }
}
