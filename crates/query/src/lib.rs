//! Questions to the archive: SQL by DataFusion over the files of one version of the table, and the timeline.
//!
//! The choice that shapes it: the log decides which files there are, how large they are and what may be in them; the
//! engine only ever sees those. A file that is not as the log says ends the question with an error that names it, and
//! every answer comes with the count of files that it took. An answer is whole, or it ends with an error.
//!
//! Start with [`engine::Engine`]. [`views`] says what can be asked, `view` how a condition becomes fewer files,
//! [`timeline`] what happened around a name.

mod archive_store;
pub mod cell;
pub mod engine;
pub mod error;
mod file_bounds;
pub mod limits;
mod statement;
pub mod timeline;
mod view;
pub mod views;
