//! Options of Dockerfile instructions.

use super::run_mounts;
use crate::engine::dockerfile::Flag;
use crate::model::{Error, Kind, Result};

/// Refuses the options of `RUN` that lifebox does not support. Returns whether the command has no
/// network, also where the build has one.
pub(super) fn check_run_flags(flags: &[Flag]) -> Result<bool> {
    let mut without_network = false;
    for (name, value) in flags {
        match (name.as_str(), value.as_deref()) {
            ("mount", Some(text)) => drop(run_mounts::fields(text)?),
            ("network", Some("none")) => without_network = true,
            ("network", Some("default")) | ("security", Some("sandbox")) => {}
            _ => return Err(unknown_flag("RUN", name)),
        }
    }
    Ok(without_network)
}

pub(super) fn unknown_flag(verb: &str, name: &str) -> Error {
    Error::new(Kind::Unsupported, format!("the option --{name} of {verb} is not supported"))
}

/// Returns the value of an option.
pub(super) fn value<'a>(flags: &'a [Flag], name: &str) -> Option<&'a str> {
    flags.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref())
}
