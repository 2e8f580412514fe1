//! Options that say what a container may do: capabilities, system calls, privileges, a read-only root, devices.

use super::{Key, Options};
use crate::model::Result;
use crate::model::security::Security;

/// The options.
pub const KEYS: &[Key] = &[];

/// Reads them.
pub fn read(_given: &Options<'_>) -> Result<Security> {
    Ok(Security::default())
}
