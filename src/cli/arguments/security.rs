//! Flags that say what a container may do: capabilities, system calls, privileges, a read-only root, devices.

use clap::Args;

use crate::model::Result;
use crate::model::security::Security;

/// Flags that say what a container may do: capabilities, system calls, privileges, a read-only root, devices.
#[derive(Args, Debug)]
pub struct SecurityArguments {}

impl SecurityArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Security> {
        Ok(Security::default())
    }
}
