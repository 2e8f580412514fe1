//! Attributes of files and directories: which ones images may have, and copying them.

use std::os::fd::OwnedFd;

use crate::model::Result;
use crate::sys::fs;

/// Returns whether an extended attribute may come from an image, or go into one.
pub(crate) fn is_allowed_xattr(key: &str) -> bool {
    key == "security.capability" || (key.starts_with("user.") && !key.starts_with("user.overlay."))
}

/// Copies the extended attributes that images may have.
pub(super) fn copy_xattrs(from: &OwnedFd, to: &OwnedFd) -> Result<()> {
    for key in fs::list_xattrs(from)?.iter().filter(|key| is_allowed_xattr(key)) {
        if let Some(value) = fs::get_xattr(from, key)? {
            fs::set_xattr(to, key, &value)?;
        }
    }
    Ok(())
}

/// Sets owner, extended attributes, mode and time of `to` to those of `from`.
pub(crate) fn take_attributes(from: &OwnedFd, to: &OwnedFd) -> Result<()> {
    let attributes = fs::stat_fd(from)?;
    fs::set_owner(to, attributes.st_uid, attributes.st_gid)?;
    for key in fs::list_xattrs(to)?.iter().filter(|key| is_allowed_xattr(key)) {
        fs::remove_xattr(to, key)?;
    }
    copy_xattrs(from, to)?;
    fs::set_mode(to, attributes.st_mode & 0o7777)?;
    let nanoseconds = u32::try_from(attributes.st_mtime_nsec).unwrap_or(0);
    fs::set_times(to, attributes.st_mtime, nanoseconds)
}
