//! The control catalogue: every change of protection that is judged, as data.
//!
//! A row says which operations it looks at, when it fires and when it stays quiet, what restores it, how bad it is and
//! what to do next. The decoders name a row in each change that they find; what they test for is code, what it means is
//! here.

mod atlas;
mod aws;
mod azure;
mod databricks;
mod elastic;
mod gcp;
mod k8s;
mod kafka;
mod mongodb;
mod mysql;
mod postgres;
mod redis;
mod snowflake;

use dataward_event::change::Control;

/// How sure we are that the row reads the event right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Seen in captured events, or plain in the product's reference.
    High,
    /// Clear in the reference, not yet seen in a captured event.
    Medium,
    /// To be confirmed by a captured event: it may not alert above severity 3.
    Verify,
}

impl Confidence {
    /// The name in listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Verify => "verify",
        }
    }
}

/// One kind of change of protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogueRow {
    /// The stable id: `aws.s3.bucket_policy.public`.
    pub id: &'static str,
    /// The source whose events it judges.
    pub source: &'static str,
    /// The operations it looks at, weakening and restoring ones.
    pub operations: &'static [&'static str],
    /// The control.
    pub control: Control,
    /// The setting, in the product's words.
    pub setting: &'static str,
    /// OCSF severity of the weakening, 1 to 6, before the detector weighs it.
    pub severity: u8,
    /// ATT&CK technique ids: the current version's first, then the one it replaced.
    pub attack: &'static [&'static str],
    /// How sure we are.
    pub confidence: Confidence,
    /// What makes it fire.
    pub fires_when: &'static str,
    /// What looks alike and stays quiet.
    pub quiet_when: &'static str,
    /// What ends it.
    pub restored_by: &'static str,
    /// Where the product describes the operation.
    pub reference: &'static str,
    /// What to do next.
    pub remediation: &'static str,
}

/// Every row, source by source.
pub fn rows() -> impl Iterator<Item = &'static CatalogueRow> {
    const SINGLE: &[&[CatalogueRow]] = &[
        atlas::ROWS,
        databricks::ROWS,
        elastic::ROWS,
        k8s::ROWS,
        kafka::ROWS,
        mongodb::ROWS,
        mysql::ROWS,
        postgres::ROWS,
        redis::ROWS,
        snowflake::ROWS,
    ];
    [aws::FAMILIES, azure::FAMILIES, gcp::FAMILIES, SINGLE].into_iter().flatten().copied().flatten()
}

/// The row of an id.
pub fn row(id: &str) -> Option<&'static CatalogueRow> {
    rows().find(|row| row.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_rows_are_found_by_them() {
        let ids: BTreeSet<_> = rows().map(|row| row.id).collect();
        assert_eq!(ids.len(), rows().count());
        for expected in rows() {
            assert_eq!(row(expected.id), Some(expected));
        }
        assert_eq!(row("no.such.row"), None);
    }

    #[test]
    fn every_row_is_complete() {
        for row in rows() {
            assert!((1..=6).contains(&row.severity), "{}", row.id);
            assert!(!row.operations.is_empty() && !row.attack.is_empty(), "{}", row.id);
            for text in
                [row.fires_when, row.quiet_when, row.restored_by, row.reference, row.remediation]
            {
                assert!(!text.is_empty(), "{}", row.id);
            }
        }
    }
}
