//! The role of this process in the engine, given by argument 0.

use std::ffi::OsString;

use super::protocol::role_names::{EXEC, MONITOR, RESOURCE_REAPER};
use super::{client, exec, monitor};
use crate::sys;

/// Returns whether this process was started as a monitor, as the helper of an exec or as a resource
/// reaper: then `main` must call [`run`] before all else.
pub fn is_role() -> bool {
    role().is_some()
}

/// Runs the role, and returns the exit code.
pub fn run() -> u8 {
    sys::inherited::reset_for_role();
    role().map_or(1, |run| run())
}

fn role() -> Option<fn() -> u8> {
    let name: OsString = std::env::args_os().next()?;
    match name.to_str()? {
        MONITOR => Some(monitor::run),
        EXEC => Some(exec::run),
        RESOURCE_REAPER => Some(client::session::run),
        _ => None,
    }
}
