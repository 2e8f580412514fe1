//! Options that say what a container may do: capabilities, system calls, privileges, a read-only root, devices.

use rhai::{Array, Dynamic};

use super::key::{OptionSpec, ValueType, option_spec};
use super::parsed::ParsedOptions;
use crate::model::Result;
use crate::model::container::security::Security;
use crate::model::value::capability;
use crate::script::values;

/// The options.
pub const KEYS: &[OptionSpec] = &[
    option_spec(
        "cap_add",
        ValueType::StringList,
        "capabilities to add, such as \"NET_ADMIN\", or \"ALL\"",
    ),
    option_spec("cap_drop", ValueType::StringList, "capabilities to drop, or \"ALL\""),
    option_spec("privileged", ValueType::Flag, "all capabilities, devices and system calls"),
    option_spec("read_only", ValueType::Flag, "nothing can be written to the root"),
    option_spec(
        "security",
        ValueType::StringList,
        "\"no-new-privileges\", \"seccomp=FILE\", \"seccomp=unconfined\", \"apparmor=PROFILE\"",
    ),
    option_spec("devices", ValueType::StringList, "devices of the host: \"/dev/x[:/dev/y[:rwm]]\""),
    option_spec("group_add", ValueType::StringList, "further groups, names or numbers"),
];

/// Reads them.
pub fn read(given: &ParsedOptions<'_>) -> Result<Security> {
    let list = |name: &str| given.get(name, texts).map(Option::unwrap_or_default);
    let capabilities = |name: &str| {
        let names = list(name)?;
        Ok(given.get_with(name, |_| capability::canonical_all(&names))?.unwrap_or_default())
    };
    let devices = list("devices")?;
    let read_devices =
        |_: &Dynamic| devices.iter().map(|text| text.parse()).collect::<Result<Vec<_>>>();
    let mut security = Security {
        cap_add: capabilities("cap_add")?,
        cap_drop: capabilities("cap_drop")?,
        privileged: given.flag("privileged")?,
        read_only: given.flag("read_only")?,
        devices: given.get_with("devices", read_devices)?.unwrap_or_default(),
        groups: list("group_add")?,
        ..Security::default()
    };
    let options = list("security")?;
    given.get_with("security", |_| options.iter().try_for_each(|option| security.set(option)))?;
    Ok(security)
}

/// One text or an array of them; a number stands for itself.
fn texts(value: &Dynamic) -> Option<Vec<String>> {
    match value.read_lock::<Array>() {
        Some(items) => items.iter().map(values::scalar).collect(),
        None => Some(vec![values::scalar(value)?]),
    }
}
