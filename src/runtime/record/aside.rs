//! Removes what is below the root, and sets aside what cannot be removed.

use std::fs;
use std::path::Path;

use crate::model::Result;
use crate::model::error::Context as _;
use crate::sys::tree::{remove_any_at, remove_tree_at};

/// The ending of a directory that could not be removed: only `system check --repair` tries again,
/// not every command.
pub(super) const ASIDE: &str = "kept";

/// Removes a root that has no container any more, with everything in it.
///
/// # Errors
/// The first obstacle, such as an immutable file.
pub fn remove_root(path: &Path) -> Result<()> {
    remove_tree_at(path).context(|| format!("remove `{}`", path.display()))
}

/// Removes a tree, or what stands in its place.
pub(super) fn remove_tree(path: &Path) -> Result<()> {
    remove_any_at(path).map_err(|error| {
        let hint =
            "remove what holds it (`chattr -i`, `umount`), then: lifebox system check --repair";
        error.context(format!("remove `{}`", path.display())).hint(hint)
    })
}

/// Marks a directory that could not be removed.
pub(super) fn set_aside(path: &Path) {
    // Without the mark, a later command only tries again.
    let _ = fs::rename(path, path.with_extension(ASIDE));
}
