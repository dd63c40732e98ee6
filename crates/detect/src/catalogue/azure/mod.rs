//! Rows of `azure.activity`.

mod database;
mod guards;
mod storage;

use super::CatalogueRow;

/// The source of these rows.
const SOURCE: &str = "azure.activity";

/// The rows, family by family.
pub(super) const FAMILIES: &[&[CatalogueRow]] = &[storage::ROWS, database::ROWS, guards::ROWS];
