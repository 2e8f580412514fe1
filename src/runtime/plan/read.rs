//! Conversions of texts, paths and mount options of a configuration for a plan.

use std::ffi::CString;

use crate::model::{Error, Kind, Result};
use crate::sys::mount::{Attributes, Setting};

/// Returns the error for a configuration without `field`.
pub(super) fn missing(field: &str) -> Error {
    Error::new(Kind::Corrupt, format!("config.json has no `{field}`"))
}

/// Converts `value` to a text for system calls, which has no NUL byte.
pub(super) fn text(value: &str) -> Result<CString> {
    CString::new(value).map_err(|_| {
        Error::new(Kind::Invalid, format!("`{}` contains a NUL byte", value.escape_debug()))
    })
}

/// Converts `path` to one relative to the root.
pub(super) fn relative_to_root(path: &str) -> Result<CString> {
    text(path.trim_start_matches('/'))
}

/// Returns a setting of a file system, a flag if `value` is empty.
pub(super) fn setting(key: &str, value: &str) -> Result<Setting> {
    let value = Some(value).filter(|value| !value.is_empty());
    Ok(Setting { key: text(key)?, value: value.map(text).transpose()? })
}

/// Splits mount options into attributes of the mount and settings of the file system.
pub(super) fn options_of(options: &[String]) -> Result<(Attributes, Vec<Setting>)> {
    let mut attributes = Attributes::empty();
    let mut settings = Vec::new();
    for option in options {
        match option.as_str() {
            "ro" => attributes |= Attributes::MOUNT_ATTR_RDONLY,
            "nosuid" => attributes |= Attributes::MOUNT_ATTR_NOSUID,
            "nodev" => attributes |= Attributes::MOUNT_ATTR_NODEV,
            "noexec" => attributes |= Attributes::MOUNT_ATTR_NOEXEC,
            "strictatime" => attributes |= Attributes::MOUNT_ATTR_STRICTATIME,
            "noatime" => attributes |= Attributes::MOUNT_ATTR_NOATIME,
            // `relatime` is the kernel's default; the other options always hold.
            "rw" | "relatime" | "bind" | "rbind" | "rprivate" | "private" | "rslave" => {}
            other => settings.push(match other.split_once('=') {
                Some((key, value)) => setting(key, value)?,
                None => Setting { key: text(other)?, value: None },
            }),
        }
    }
    Ok((attributes, settings))
}
