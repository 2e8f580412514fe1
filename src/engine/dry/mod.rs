//! The simulated engine: a copy of the real engine's state in memory. For `--dry-run` it records
//! the verbs; in tests a function decides what its programs do.

mod builds;
mod containers;
mod fence;
mod files;
mod images;
mod life;
mod observe;
mod processes;
mod program;
mod registries;
mod state;
mod streams;
mod volumes;

#[cfg(test)]
mod tests;

pub use program::{Program, Programs};
pub use state::{ActionLog, open, simulate};
