//! How the cases went, in numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Label};
use super::trial::{Tried, Verdict, run};

/// How many cases of what kind, and how many of them went right.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// All cases.
    pub cases: usize,
    /// Those that went right in every respect.
    pub right: usize,
    /// Weakenings.
    pub weakenings: usize,
    /// Weakenings that raised the alarm of their row.
    pub found: usize,
    /// Cases that must stay quiet.
    pub quiet: usize,
    /// Those of them that did.
    pub kept_quiet: usize,
    /// Cases that were written from the product's documentation alone.
    pub documented: usize,
}

impl Counts {
    fn count(&mut self, case: &Case<'_>, tried: &Tried) {
        self.cases += 1;
        self.right += usize::from(tried.verdict == Verdict::Right);
        self.documented += usize::from(case.reference.is_some());
        if case.label == Label::Weakening {
            self.weakenings += 1;
            self.found += usize::from(tried.names(case.row_id()));
        } else {
            self.quiet += 1;
            self.kept_quiet += usize::from(tried.alarms.is_empty());
        }
    }
}

/// How the cases of a source went.
#[derive(Debug, Default)]
pub struct OfSource<'r, 'c> {
    /// All of them.
    pub counts: Counts,
    /// The rows that they are about.
    pub rows: BTreeSet<&'static str>,
    /// Those that did not go right, with what happened.
    pub failing: Vec<(&'r Case<'c>, Tried)>,
}

/// How cases went.
#[derive(Debug, Default)]
pub struct Report<'r, 'c> {
    /// By the name of their source.
    pub sources: BTreeMap<&'static str, OfSource<'r, 'c>>,
    /// By the row that they are about; those that name none stand under the empty one.
    pub rows: BTreeMap<&'static str, Counts>,
}

impl<'r, 'c> Report<'r, 'c> {
    /// Runs cases.
    pub fn of(cases: impl IntoIterator<Item = &'r Case<'c>>) -> Self
    where
        'c: 'r,
    {
        let mut report = Self::default();
        for case in cases {
            let tried = run(case);
            let of_source = report.sources.entry(case.source.name()).or_default();
            of_source.counts.count(case, &tried);
            of_source.rows.extend(case.row.map(|row| row.id));
            report.rows.entry(case.row_id()).or_default().count(case, &tried);
            if tried.verdict != Verdict::Right {
                of_source.failing.push((case, tried));
            }
        }
        report
    }

    /// All that did not go right.
    pub fn failing(&self) -> impl Iterator<Item = &(&'r Case<'c>, Tried)> {
        self.sources.values().flat_map(|of_source| &of_source.failing)
    }
}
