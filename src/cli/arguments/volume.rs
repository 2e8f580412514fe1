//! What may be typed after `volume`: Docker's verbs and flags.

use clap::{Args, Subcommand};

/// A verb of volumes.
#[derive(Debug, Subcommand)]
pub enum VolumeVerb {
    /// Make a volume
    Create(CreateVolumeArguments),
    /// List volumes
    #[command(visible_alias = "list")]
    Ls(VolumesArguments),
    /// Show all about volumes, as JSON
    Inspect(InspectVolumesArguments),
    /// Remove volumes
    #[command(visible_alias = "remove")]
    Rm(RmVolumesArguments),
    /// Remove volumes that no container uses
    Prune(PruneVolumesArguments),
}

/// `volume create`
#[derive(Args, Debug)]
pub struct CreateVolumeArguments {
    /// What keeps it; only `local`
    #[arg(short, long, value_name = "DRIVER", default_value = "local", value_parser = ["local"])]
    pub driver: String,
    /// Set a label
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub label: Vec<String>,
    /// Its name; a random one where unset
    #[arg(value_name = "VOLUME")]
    pub name: Option<String>,
}

/// `volume ls`
#[derive(Args, Debug)]
pub struct VolumesArguments {
    /// Show only names
    #[arg(short, long)]
    pub quiet: bool,
    /// A Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Only some: dangling=BOOL, label=KEY[=VALUE], name=PART
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
}

/// `volume inspect`
#[derive(Args, Debug)]
pub struct InspectVolumesArguments {
    /// A Go template or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Names
    #[arg(value_name = "VOLUME", required = true)]
    pub names: Vec<String>,
}

/// `volume rm`
#[derive(Args, Debug)]
pub struct RmVolumesArguments {
    /// A volume that is not there is no error
    #[arg(short, long)]
    pub force: bool,
    /// Names
    #[arg(value_name = "VOLUME", required = true)]
    pub names: Vec<String>,
}

/// `volume prune`
#[derive(Args, Debug)]
pub struct PruneVolumesArguments {
    /// Remove also those that have a name
    #[arg(short, long)]
    pub all: bool,
    /// Do not ask
    #[arg(short, long)]
    pub force: bool,
    /// Only some: label=KEY[=VALUE], label!=KEY[=VALUE]
    #[arg(long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
}
