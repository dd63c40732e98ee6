//! The archive: one Delta table of Parquet that is the truth about rows, progress, alerts and
//! state.
//!
//! The choice that shapes it: everything of a checkpoint becomes visible in one Delta commit, or
//! not at all. Next offsets, epochs of claims, snapshot numbers and sink cursors stand in the
//! commit as app ids beside the files; a commit is made on exactly the version whose app ids were
//! compared, so a writer whose partition was claimed cannot commit.
//!
//! Start with [`delta_archive::DeltaArchive`]. `writer` has the order of writes, `table` one commit
//! and what became of it, `claims` the fence. Rows go in through [`rows`] and come back through
//! `row_view`. [`verify`] proves an archive whole and trusts nothing of all that; [`lease`] tells a
//! standby when it is worth while to claim.

mod accounts;
mod app_id;
pub mod by_time;
pub mod checkup;
mod claims;
mod column;
mod columns;
mod commit_log;
mod data_file;
mod data_reader;
pub mod delta_archive;
pub mod durable_local;
mod exposure_row;
pub mod exposures;
mod file_statistics;
pub mod head;
mod interval_set;
pub mod lease;
pub mod location;
mod log_audit;
mod log_checkpoint;
mod manifest;
mod recent_files;
mod replay;
pub mod report;
pub mod row_kind;
mod row_view;
pub mod rows;
pub mod schema;
mod state_store;
mod table;
pub mod table_files;
pub mod verify;
mod writer;
