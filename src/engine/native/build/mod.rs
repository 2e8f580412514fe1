//! Builds: one step after the other, each from one image to the next.
//!
//! A step that was done before, above the same image and with the same files, is not done again:
//! the image it made is taken from the store. What was not finished leaves nothing.

mod bases;
mod container;
mod flags;
mod pairs;
mod params;
mod scope;
mod sources;
mod stages;
mod state;
mod step;

pub(super) use params::BuildParams;
pub(super) use state::BuildState;
