//! Rows of `aws.cloudtrail`.

mod audit;
mod database;
mod identities;
mod keys_and_identity;
mod lakes_and_backups;
mod network_and_copies;
mod rds;
mod search_and_cache;
mod storage;
mod storage_settings;
mod streams_and_files;
mod vpc;
mod warehouse;
mod watching;

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
    storage_settings::ROWS,
    identities::ROWS,
    lakes_and_backups::ROWS,
    watching::ROWS,
];
