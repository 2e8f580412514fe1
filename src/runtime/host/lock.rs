//! Locks between processes of the engine.

pub use crate::sys::lock::{Share, acquire};
