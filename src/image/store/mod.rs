//! The image store: find, list, import, tag, remove, prune and check images.

pub(crate) mod check;
mod contents;
pub(crate) mod document;
mod fence;
pub(super) mod handle;
pub(crate) mod import;
pub(crate) mod index;
pub(crate) mod lookup;
pub(crate) mod merged_lowers;
mod prune;
mod remaining;
pub(crate) mod remove;
mod tag;
mod unchanged;
mod usage;

pub(crate) use handle::by_reference;
pub use handle::{Store, as_reference, entry_at};
pub use unchanged::ListIdentity;
