//! The simulated engine: a copy of the real engine's state in memory. `--dry-run` prints the verbs
//! on it; tests decide what its programs do.

mod builds;
mod containers;
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
