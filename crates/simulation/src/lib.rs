//! What the world does, from a seed: workloads, labelled incidents, and fakes of every port that can fail.
//!
//! The same seed always gives the same bytes. Nothing here is used by a running system but the `demo`.
//!
//! Start with [`world`]: the whole loop among fakes, with every promise checked.

pub mod broker;
pub mod chronicle;
pub mod clock;
pub mod cloudtrail;
pub mod corpus;
pub mod fate;
pub mod incident;
pub mod judge;
pub mod mariadb_server;
pub mod memory_archive;
pub mod memory_rows;
pub mod memory_sink;
pub mod memory_table;
pub mod postgres_server;
pub mod reads;
pub mod rsyslog;
mod search_audit;
mod server_process;
pub mod simulated_kafka;
pub mod story;
pub mod topic_log;
pub mod world;
