//! Options that say what a container shares with the host or with another container: network, processes, IPC, host name.

use super::{Key, Options};
use crate::model::Result;
use crate::model::sharing::Sharing;

/// The options.
pub const KEYS: &[Key] = &[];

/// Reads them.
pub fn read(_given: &Options<'_>) -> Result<Sharing> {
    Ok(Sharing::default())
}
