//! Trees of any depth: removed and measured with a fixed number of descriptors.

mod remove;
mod size;

pub use remove::{freed_bytes, remove_any_at, remove_tree, remove_tree_at};
pub use size::tree_size;
