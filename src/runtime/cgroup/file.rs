//! The files of a cgroup.

use std::fs;
use std::path::Path;

use crate::model::Result;
use crate::model::error::Context;

/// Writes a file of the cgroup at `directory`.
pub(super) fn write(directory: &Path, file: &str, value: &str) -> Result<()> {
    let path = directory.join(file);
    fs::write(&path, value).context(|| format!("write `{value}` to `{}`", path.display()))
}

/// Reads a file of the cgroup at `directory`.
pub(super) fn read(directory: &Path, file: &str) -> Result<String> {
    let path = directory.join(file);
    fs::read_to_string(&path).context(|| format!("read `{}`", path.display()))
}
