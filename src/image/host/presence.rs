//! What is on the host and what is missing: any other failure is an error, which names the file.
//! An image without a program that could not be looked at would be wrong without a word.

use std::fs::{self, Metadata, ReadDir};
use std::io;
use std::path::Path;

use crate::model::Result;
use crate::model::error::Context;

/// Returns whether an errno says that there is no such file. A path through a file leads to none.
pub(super) fn is_missing(errno: Option<i32>) -> bool {
    matches!(errno, Some(libc::ENOENT | libc::ENOTDIR))
}

/// Returns what was found; `None` if it is missing.
///
/// # Errors
/// Any other failure.
fn present<T>(found: io::Result<T>, call: &str, path: &Path) -> Result<Option<T>> {
    match found {
        Err(error) if is_missing(error.raw_os_error()) => Ok(None),
        found => found.map(Some).context(|| format!("{call} `{}`", path.display())),
    }
}

/// Returns the attributes of what a path leads to; `None` if it is missing.
pub(super) fn attributes(path: &Path) -> Result<Option<Metadata>> {
    present(path.metadata(), "stat", path)
}

/// As [`attributes`], of a link itself.
pub(super) fn own_attributes(path: &Path) -> Result<Option<Metadata>> {
    present(path.symlink_metadata(), "stat", path)
}

/// Reads a file of the configuration; empty if it is missing.
pub(super) fn text(path: &Path) -> Result<String> {
    let bytes = present(fs::read(path), "read", path)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Opens a directory; `None` if it is missing.
pub(super) fn entries(path: &Path) -> Result<Option<ReadDir>> {
    present(fs::read_dir(path), "read", path)
}
