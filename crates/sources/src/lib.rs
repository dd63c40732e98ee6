//! The log formats: bytes to events. The only parser code of the house.
//!
//! Decoding cannot fail: a record gives events *and* rejects ([`decode::Decoded`]), and is stateless, so that the same
//! bytes always give the same events.

pub mod decode;
