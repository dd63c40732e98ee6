//! The reference page of a source, and its essentials: the table «in short» near the top of the page.

use crate::source::Source;

/// A line of a page's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Essential {
    /// What it is about: `switch on`, `ship`, `tells`, `cannot tell`, `trap`.
    pub about: &'static str,
    /// What there is to know.
    pub text: &'static str,
}

impl Source {
    /// The essentials of its page, in the page's order; none where it has no page.
    pub fn essentials(self) -> Vec<Essential> {
        let rows = self.page().unwrap_or_default().lines();
        let table = rows.skip_while(|line| !line.starts_with("| in short |")).skip(2);
        let cells =
            table.map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
        cells.map(|(about, text)| Essential { about, text }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_essentials() {
        for source in Source::ALL.into_iter().filter(|source| *source != Source::Auto) {
            let about: Vec<_> = source.essentials().iter().map(|line| line.about).collect();
            assert_eq!(
                about,
                ["switch on", "ship", "tells", "cannot tell", "trap"],
                "{}",
                source.name()
            );
            let title = source.page().and_then(|page| page.lines().next()).unwrap_or_default();
            assert_eq!(title, format!("# {}", source.name()));
        }
    }
}
