//! The file system as a source of records.
//!
//! A file is known by the SHA-256 of its decompressed bytes, never by its name: a copy, a renamed file and a
//! compressed one are the same file, and reading it again adds nothing.
//!
//! Start with [`input`] (which files), then [`framing`] (where a record ends) and [`source`].

pub mod framing;
pub mod input;
pub mod source;
