//! Options that say what a container sees of the host and of volumes: binds, named volumes, tmpfs.

use super::{Key, Options};
use crate::model::Result;
use crate::model::mounts::Mounts;

/// The options.
pub const KEYS: &[Key] = &[];

/// Reads them.
pub fn read(_given: &Options<'_>) -> Result<Mounts> {
    Ok(Mounts::default())
}
