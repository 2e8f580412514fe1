//! Options that say what a container may do: capabilities, system calls, privileges, a read-only root, devices.

use rhai::{Array, Dynamic};

use super::super::values;
use super::{Key, Options, Takes, key};
use crate::model::Result;
use crate::model::container::security::Security;
use crate::model::value::capability;

/// The options.
pub const KEYS: &[Key] = &[
    key("cap_add", Takes::Texts, "capabilities to add, such as \"NET_ADMIN\", or \"ALL\""),
    key("cap_drop", Takes::Texts, "capabilities to drop, or \"ALL\""),
    key("privileged", Takes::Flag, "all capabilities, devices and system calls"),
    key("read_only", Takes::Flag, "nothing can be written to the root"),
    key(
        "security",
        Takes::Texts,
        "\"no-new-privileges\", \"seccomp=FILE\", \"seccomp=unconfined\", \"apparmor=PROFILE\"",
    ),
    key("devices", Takes::Texts, "devices of the host: \"/dev/x[:/dev/y[:rwm]]\""),
    key("group_add", Takes::Texts, "further groups, names or numbers"),
];

/// Reads them.
pub fn read(given: &Options<'_>) -> Result<Security> {
    let list = |name: &str| given.get(name, texts).map(Option::unwrap_or_default);
    let capabilities = |name: &str| {
        let names = list(name)?;
        Ok(given.try_get(name, |_| capability::canonical_all(&names))?.unwrap_or_default())
    };
    let devices = list("devices")?;
    let read_devices =
        |_: &Dynamic| devices.iter().map(|text| text.parse()).collect::<Result<Vec<_>>>();
    let mut security = Security {
        cap_add: capabilities("cap_add")?,
        cap_drop: capabilities("cap_drop")?,
        privileged: given.flag("privileged")?,
        read_only: given.flag("read_only")?,
        devices: given.try_get("devices", read_devices)?.unwrap_or_default(),
        groups: list("group_add")?,
        ..Security::default()
    };
    let options = list("security")?;
    given.try_get("security", |_| options.iter().try_for_each(|option| security.set(option)))?;
    Ok(security)
}

/// One text or an array of them; a number stands for itself.
fn texts(value: &Dynamic) -> Option<Vec<String>> {
    match value.read_lock::<Array>() {
        Some(items) => items.iter().map(values::scalar).collect(),
        None => Some(vec![values::scalar(value)?]),
    }
}
