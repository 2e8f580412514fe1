//! Builds: a sequence of steps, each from one image to the next.
//!
//! A step that was run before, on the same image and with the same files, is taken from the cache.
//! An unfinished step leaves nothing behind.

mod bases;
mod caches;
mod container;
mod flags;
mod hold;
mod instruction_files;
mod mounted;
mod pairs;
mod params;
mod run_mounts;
mod scope;
mod sources;
mod stages;
mod state;
mod step;

pub(super) use hold::ImageHold;
pub(super) use params::BuildParams;
pub(super) use state::BuildState;
