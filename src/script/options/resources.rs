//! Options that say how much a container may use: memory, processors, processes, block devices, limits of its processes.

use super::{Key, Options};
use crate::model::Result;
use crate::model::resources::Resources;

/// The options.
pub const KEYS: &[Key] = &[];

/// Reads them.
pub fn read(_given: &Options<'_>) -> Result<Resources> {
    Ok(Resources::default())
}
