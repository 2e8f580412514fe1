//! Files that the engine keeps below its root.

pub use crate::sys::record_file::{open, open_lock, open_or_create_lock, read_text};
