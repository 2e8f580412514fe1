//! Flags that say how much a container may use: memory, processors, processes, block devices, limits of its processes.

use clap::Args;

use crate::model::Result;
use crate::model::resources::Resources;

/// Flags that say how much a container may use: memory, processors, processes, block devices, limits of its processes.
#[derive(Args, Debug)]
pub struct ResourcesArguments {}

impl ResourcesArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Resources> {
        Ok(Resources::default())
    }
}
