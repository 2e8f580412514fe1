//! Options that say what the monitor does while a container runs and when it ends: health checks and restarts.

use super::{Key, Options};
use crate::model::Result;
use crate::model::upkeep::Upkeep;

/// The options.
pub const KEYS: &[Key] = &[];

/// Reads them.
pub fn read(_given: &Options<'_>) -> Result<Upkeep> {
    Ok(Upkeep::default())
}
