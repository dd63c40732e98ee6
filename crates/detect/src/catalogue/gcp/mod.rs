//! Rows of `gcp.audit`.

mod audit;
mod database;
mod keys_and_guardrails;
mod storage;

use super::CatalogueRow;

/// The source of these rows.
const SOURCE: &str = "gcp.audit";

/// The rows, family by family.
pub(super) const FAMILIES: &[&[CatalogueRow]] =
    &[storage::ROWS, database::ROWS, keys_and_guardrails::ROWS, audit::ROWS];
