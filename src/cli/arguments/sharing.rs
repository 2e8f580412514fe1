//! Flags that say what a container shares with the host or with another container: network, processes, IPC, host name.

use clap::Args;

use crate::model::Result;
use crate::model::sharing::Sharing;

/// Flags that say what a container shares with the host or with another container: network, processes, IPC, host name.
#[derive(Args, Debug)]
pub struct SharingArguments {}

impl SharingArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Sharing> {
        Ok(Sharing::default())
    }
}
