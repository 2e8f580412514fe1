//! Flags that say what a container sees of the host and of volumes: binds, named volumes, tmpfs.

use clap::Args;

use crate::model::Result;
use crate::model::mounts::Mounts;

/// Flags that say what a container sees of the host and of volumes: binds, named volumes, tmpfs.
#[derive(Args, Debug)]
pub struct MountsArguments {}

impl MountsArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Mounts> {
        Ok(Mounts::default())
    }
}
