//! Events to findings.
//!
//! Pure: no clock, no environment, no randomness, no I/O, no unordered map where order shows. The choice that shapes
//! it is that there are two kinds of state. [`partition_state::PartitionState`] is a function of the events of one
//! partition in order; [`keeper::Keeper`], which judges protection, is a function of the *set* of posture events,
//! whatever their arrival. Both are saved as segments of bytes that are equal after any restart.
//!
//! Start with [`keeper`], then [`datastore_state`] (what is kept of a datastore), [`posture`] (what an event does to it)
//! and [`told`] (what follows). For reads start with [`reads`].

mod above;
mod act;
pub mod actor_key;
pub mod attempts;
mod born;
pub mod catalogue;
pub mod census;
pub mod concluded;
pub mod context;
mod copied;
mod copies;
mod crowd;
pub mod datastore_state;
pub mod datastores;
pub mod duplicates;
pub mod flows;
pub mod guards;
mod heard;
pub mod keeper;
mod late;
mod life;
pub mod lineage;
pub mod opening;
pub mod partition_state;
pub mod phrases;
pub mod place;
pub mod plan;
pub mod posture;
pub mod posture_event;
pub mod quarantine_rate;
pub mod reach;
pub mod read_inside;
pub mod read_total;
pub mod reads;
pub mod rhythm;
mod saved_keeper;
mod sentences;
pub mod setting;
pub mod severity;
mod silence;
pub mod state;
pub mod statement;
pub mod timers;
pub mod told;
