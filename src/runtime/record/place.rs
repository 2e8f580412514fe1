//! The place of a file in which something else stands.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::Result;
use crate::model::error::Context;
use crate::sys::tree;

/// Makes room for a file: a directory and a file are kept beside it as `NAME.damaged`, anything
/// else is removed.
///
/// # Errors
/// When that is not possible.
pub(super) fn clear_place(path: &Path) -> Result<()> {
    let found = match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        found => found.context(|| format!("stat `{}`", path.display()))?,
    };
    if !found.is_dir() && !found.is_file() {
        return tree::remove_any_at(path).context(|| format!("remove `{}`", path.display()));
    }
    if found.is_dir() && fs::remove_dir(path).is_ok() {
        return Ok(());
    }
    let mut aside = path.as_os_str().to_owned();
    aside.push(".damaged");
    let aside = PathBuf::from(aside);
    tree::remove_any_at(&aside).context(|| format!("remove `{}`", aside.display()))?;
    fs::rename(path, &aside).context(|| format!("rename to `{}`", aside.display()))
}
