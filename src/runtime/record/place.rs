//! The place of a file or a directory in which something else stands.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::Result;
use crate::model::error::Context;
use crate::sys::{store_dir, tree};

/// Makes room for a file: a directory and a file are kept beside it as `NAME.damaged`, anything
/// else is removed.
///
/// # Errors
/// When that is not possible.
pub(crate) fn clear_place(path: &Path) -> Result<()> {
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

/// Makes room for a directory. What has content is kept beside it, and its name is returned: a
/// file, and a link to a directory. Anything else is removed.
///
/// # Errors
/// When that is not possible.
pub(super) fn clear_directory(path: &Path) -> Result<Option<String>> {
    let found = path.symlink_metadata().context(|| format!("stat `{}`", path.display()))?;
    let has_content = found.is_file() && found.len() > 0 || found.is_symlink() && path.is_dir();
    if !has_content {
        tree::remove_any_at(path).context(|| format!("remove `{}`", path.display()))?;
        return Ok(None);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // With a point, no volume has this name.
    let free = |number: u32| match number {
        1 => format!(".{name}.damaged"),
        _ => format!(".{name}.damaged-{number}"),
    };
    let is_free = |name: &String| path.with_file_name(name).symlink_metadata().is_err();
    let aside = (1..).map(free).find(is_free).unwrap_or_default();
    let kept = path.with_file_name(&aside);
    fs::rename(path, &kept).context(|| format!("rename to `{}`", kept.display()))?;
    Ok(Some(aside))
}

/// Replaces what stands in the place of a directory by an empty one. Returns what is kept, as
/// [`clear_directory`].
///
/// # Errors
/// When that is not possible.
pub(crate) fn replace_by_directory(path: &Path) -> Result<Option<String>> {
    let kept = match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        _ => clear_directory(path)?,
    };
    store_dir::make(path)?;
    Ok(kept)
}
