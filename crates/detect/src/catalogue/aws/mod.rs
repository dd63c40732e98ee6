//! Rows of `aws.cloudtrail`.

mod audit;
mod database;
mod keys_and_identity;
mod network_and_copies;
mod rds;
mod search_and_cache;
mod storage;
mod streams_and_files;
mod vpc;
mod warehouse;

use super::CatalogueRow;

/// The source of these rows.
const SOURCE: &str = "aws.cloudtrail";

/// The rows, family by family.
pub(super) const FAMILIES: &[&[CatalogueRow]] = &[
    storage::ROWS,
    database::ROWS,
    search_and_cache::ROWS,
    keys_and_identity::ROWS,
    network_and_copies::ROWS,
    audit::ROWS,
    rds::ROWS,
    warehouse::ROWS,
    streams_and_files::ROWS,
    vpc::ROWS,
];
