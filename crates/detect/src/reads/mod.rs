//! Unusual reads: who reads far more, or elsewhere, than ever before.
//!
//! [`bulk_reads`] is the state of a partition and what an event does to it; [`judge`] how an event is judged as it comes;
//! [`close`] what a day teaches when it is over. An [`actor`] has [`window`]s of volume with a [`baseline`] each, a
//! [`pair`] for each datastore, and what its like lend it ([`peers`]). Evidence comes in families ([`evidence`]); what a
//! score means is learned from ordinary days ([`score_pool`]), and from which one on people are told follows from a
//! [`budget`]. An [`incident`] is what they were told of an actor, [`wording`] how it reads.
//!
//! State is a function of a partition's events in order, and of the context as it was adopted.

pub mod actor;
pub mod baseline;
pub mod budget;
pub mod bulk_reads;
pub mod calibration;
pub mod close;
pub mod coverage;
pub mod deed;
pub mod drift;
pub mod evidence;
mod figures;
pub mod incident;
pub mod judge;
pub mod metric;
pub mod networks;
pub mod object_rings;
pub mod objects_seen;
pub mod office_hours;
pub mod pair;
pub mod peers;
pub mod portrait;
pub mod rate;
pub mod read_volume;
pub mod score_pool;
mod sparse;
mod speaker;
pub mod store;
pub mod tail;
pub mod verdict;
pub mod window;
pub mod wording;
