//! The keeper of the shared state: what it concludes, whatever the order of arrival.

mod acts;
mod crowd;
mod order;
mod scene;
mod story;
mod windows;
