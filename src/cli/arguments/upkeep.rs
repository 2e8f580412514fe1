//! Flags that say what the monitor does while a container runs and when it ends: health checks and restarts.

use clap::Args;

use crate::model::Result;
use crate::model::upkeep::Upkeep;

/// Flags that say what the monitor does while a container runs and when it ends: health checks and restarts.
#[derive(Args, Debug)]
pub struct UpkeepArguments {}

impl UpkeepArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Upkeep> {
        Ok(Upkeep::default())
    }
}
