//! Who reads what, for two months: an evaluation of how unusual bulk reads are told from usual ones.
//!
//! A [`world::World`] is a company made from a seed: people, services and jobs that read datastores, the harmless trouble
//! of every company, and attacks as they became public, each labelled. [`evaluation`] lets the detector watch it and
//! measures what it found, when, and what it said without a cause. [`baselines`] are what people would write instead.
//!
//! The world does not know the detector: its figures were chosen before it was measured, and are not tuned to it.

pub mod actor;
pub mod attack;
mod attack_reads;
pub mod baselines;
pub mod datastore;
mod day;
mod dice;
pub mod evaluation;
pub mod half_space_trees;
pub mod read;
pub mod summary;
pub mod trouble;
mod trouble_plan;
pub mod world;
