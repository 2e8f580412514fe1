//! Text, paths and mount options of a configuration, as a plan takes them.

use std::ffi::CString;

use crate::model::{Error, Kind, Result};
use crate::sys::mount::{Attributes, Setting};

/// The error for a configuration without `field`.
pub(super) fn missing(field: &str) -> Error {
    Error::new(Kind::Corrupt, format!("config.json has no `{field}`"))
}

/// `value` as a text for system calls, which has no NUL byte.
pub(super) fn text(value: &str) -> Result<CString> {
    CString::new(value).map_err(|_| {
        Error::new(Kind::Invalid, format!("`{}` has a NUL byte", value.escape_debug()))
    })
}

/// `path` relative to the root.
pub(super) fn relative_to_root(path: &str) -> Result<CString> {
    text(path.trim_start_matches('/'))
}

/// A setting of a file system; a flag where `value` is empty.
pub(super) fn setting(key: &str, value: &str) -> Result<Setting> {
    let value = Some(value).filter(|value| !value.is_empty());
    Ok(Setting { key: text(key)?, value: value.map(text).transpose()? })
}

/// Mount attributes, and what is left for the file system itself.
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
            // `relatime` is the kernel's default; the others say what is always so here.
            "rw" | "relatime" | "bind" | "rbind" | "rprivate" | "private" | "rslave" => {}
            other => settings.push(match other.split_once('=') {
                Some((key, value)) => setting(key, value)?,
                None => Setting { key: text(other)?, value: None },
            }),
        }
    }
    Ok((attributes, settings))
}
