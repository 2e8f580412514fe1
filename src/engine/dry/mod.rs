//! The engine of `--dry-run`: a copy of the real engine's state in memory, on which verbs are simulated and printed.

mod backend;
mod containers;
mod files;
mod images;
pub mod state;
mod streams;
mod volumes;

pub use state::open;
