//! Unusual reads from the outside.

mod lessons;
mod people;
mod scene;
mod told;
