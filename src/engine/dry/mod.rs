//! The engine of `--dry-run`: a copy of the real engine's state in memory, on which verbs are simulated and printed.

mod builds;
mod containers;
mod files;
mod images;
mod life;
mod observe;
mod processes;
mod registries;
mod state;
mod streams;
mod volumes;

pub use state::{ActionLog, open};
