//! MongoDB.

pub(crate) mod atlas;
pub(crate) mod audit;
mod changes;
