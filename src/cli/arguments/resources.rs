//! What may be typed about what containers use and may use.

use clap::{Args, Subcommand};

use super::options::OptionFlags;
use crate::model::Result;
use crate::model::container::Changes;

/// A verb about what containers use and may use.
#[derive(Debug, Subcommand)]
pub enum LimitVerb {
    /// Update configuration of one or more containers
    Update(UpdateArguments),
    /// Show what containers use
    Stats(StatsArguments),
}

/// `update`
#[derive(Args, Debug)]
pub struct UpdateArguments {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub options: OptionFlags<true>,
    /// Names, ids or the beginnings of ids
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

impl UpdateArguments {
    /// Returns what to change.
    ///
    /// # Errors
    /// The first value that its option does not take.
    pub fn changes(&self) -> Result<Changes> {
        let options = self.options.options()?;
        let restart = self.options.has("restart").then_some(options.supervision.restart);
        Ok(Changes { resources: options.resources, restart })
    }
}

/// `stats`
#[derive(Args, Debug)]
pub struct StatsArguments {
    /// Show all, not only those that run
    #[arg(short, long)]
    pub all: bool,
    /// Look once
    #[arg(long)]
    pub no_stream: bool,
    /// Show whole ids
    #[arg(long)]
    pub no_trunc: bool,
    /// A Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Names, ids or the beginnings of ids; all that run where there are none
    #[arg(value_name = "CONTAINER")]
    pub names: Vec<String>,
}
