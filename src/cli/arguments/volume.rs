//! The verbs after `volume`, with Docker's flags.

use clap::{Args, Subcommand};

use super::format::filter;

/// A verb of volumes.
#[derive(Debug, Subcommand)]
pub enum VolumeVerb {
    /// Create a volume
    Create(CreateVolumeArguments),
    /// List volumes
    #[command(visible_alias = "list")]
    Ls(VolumesArguments),
    /// Display detailed information on one or more volumes, as JSON
    Inspect(InspectVolumesArguments),
    /// Remove one or more volumes
    #[command(visible_alias = "remove")]
    Rm(RmVolumesArguments),
    /// Remove unused volumes
    Prune(PruneVolumesArguments),
}

/// The arguments of `volume create`.
#[derive(Args, Debug)]
pub struct CreateVolumeArguments {
    /// Specify volume driver name; only `local`
    #[arg(short, long, value_name = "DRIVER", default_value = "local", value_parser = ["local"])]
    pub driver: String,
    /// Set metadata for a volume
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub label: Vec<String>,
    /// Name of the volume (default a random name)
    #[arg(value_name = "VOLUME")]
    pub name: Option<String>,
}

/// The arguments of `volume ls`.
#[derive(Args, Debug)]
pub struct VolumesArguments {
    /// Only display volume names
    #[arg(short, long)]
    pub quiet: bool,
    /// Format output using a Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Filter by dangling=BOOL, label=KEY[=VALUE], name=PART
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = filter)]
    pub filter: Vec<String>,
}

/// The arguments of `volume inspect`.
#[derive(Args, Debug)]
pub struct InspectVolumesArguments {
    /// Format output using a Go template, or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Names of volumes
    #[arg(value_name = "VOLUME", required = true)]
    pub names: Vec<String>,
}

/// The arguments of `volume rm`.
#[derive(Args, Debug)]
pub struct RmVolumesArguments {
    /// Ignore volumes that do not exist
    #[arg(short, long)]
    pub force: bool,
    /// Names of volumes
    #[arg(value_name = "VOLUME", required = true)]
    pub names: Vec<String>,
}

/// The arguments of `volume prune`.
#[derive(Args, Debug)]
pub struct PruneVolumesArguments {
    /// Remove all unused volumes, not just anonymous ones
    #[arg(short, long)]
    pub all: bool,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    pub force: bool,
    /// Filter by label=KEY[=VALUE], label!=KEY[=VALUE]
    #[arg(long, value_name = "KEY=VALUE", value_parser = filter)]
    pub filter: Vec<String>,
}
