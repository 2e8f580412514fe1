//! Directories that the engine keeps below its root.

pub use crate::sys::store_dir::{check, is_of_store, make, names};
