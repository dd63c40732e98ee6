//! Which rows of the control catalogue this crate emits: the id, the control and the setting of each.
//!
//! A weakening and the change that restores it name the same setting, so that they meet in one state. What a row means,
//! how bad it is and what to do about it stands in the catalogue itself, which is the detector's; a test there holds both
//! together by [`emitted`].

pub(crate) mod atlas;
mod aws;
pub(crate) mod azure;
pub(crate) mod databricks;
pub(crate) mod elastic;
pub(crate) mod gcp;
pub(crate) mod k8s;
pub(crate) mod kafka;
pub(crate) mod mongodb;
pub(crate) mod mysql;
pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod snowflake;

use dataward_event::change::Control;

pub(crate) use aws::*;

/// What a change of one catalogue row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmittedRow {
    /// The id of the row.
    pub id: &'static str,
    /// The control that the row judges.
    pub control: Control,
    /// The setting, in the product's words.
    pub setting: &'static str,
}

/// Rows as constants, and the list of them.
macro_rules! rows {
    ($($name:ident: $control:ident, $id:literal, $setting:literal;)*) => {
        $(pub(crate) const $name: EmittedRow = EmittedRow {
            id: $id,
            control: Control::$control,
            setting: $setting,
        };)*
        pub(super) const ROWS: &[EmittedRow] = &[$($name),*];
    };
}
use rows;

/// Every row that a decoder of this crate may name in a change.
pub fn emitted() -> impl Iterator<Item = &'static EmittedRow> {
    [
        atlas::ROWS,
        aws::ROWS,
        azure::ROWS,
        databricks::ROWS,
        elastic::ROWS,
        gcp::ROWS,
        k8s::ROWS,
        kafka::ROWS,
        mongodb::ROWS,
        mysql::ROWS,
        postgres::ROWS,
        redis::ROWS,
        snowflake::ROWS,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<_> = emitted().map(|row| row.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
