//! The arguments of the verbs of usage and limits: `stats` and `update`.

use clap::{Args, Subcommand};

use super::only_one::KernelMemory;
use super::options::{InvalidFlag, LiveRows, OptionFlags};
use crate::model::container::Changes;

/// A verb of the usage and the limits of containers.
#[derive(Debug, Subcommand)]
pub enum LimitVerb {
    /// Update configuration of one or more containers
    Update(UpdateArguments),
    /// Display a live stream of container(s) resource usage statistics
    Stats(StatsArguments),
}

/// The arguments of `update`.
#[derive(Args, Debug)]
pub struct UpdateArguments {
    /// The flags of the one table of options.
    #[command(flatten)]
    pub options: OptionFlags<LiveRows>,
    /// The limit of kernel memory.
    #[command(flatten)]
    pub kernel: KernelMemory,
    /// Names or IDs; the beginning of an ID is enough
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

impl UpdateArguments {
    /// Returns the changes.
    ///
    /// # Errors
    /// Fails at the first value that is invalid for its option.
    pub fn changes(&self) -> Result<Changes, InvalidFlag> {
        let options = self.options.options()?;
        let restart = self.options.has("restart").then_some(options.supervision.restart);
        Ok(Changes { resources: options.resources, restart })
    }
}

/// The arguments of `stats`.
#[derive(Args, Debug)]
pub struct StatsArguments {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    pub all: bool,
    /// Disable streaming stats and only pull the first result
    #[arg(long)]
    pub no_stream: bool,
    /// Do not truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// Format output using a Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Names or IDs; all running containers by default
    #[arg(value_name = "CONTAINER")]
    pub names: Vec<String>,
}
