//! The verbs after `volume`, with Docker's flags.

use clap::{Args, Subcommand};

use super::format::filter;
use crate::model::container::mounts::no_plugin;
use crate::model::{Error, Kind, Result};

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
    #[arg(short, long, value_name = "DRIVER", default_value = "local")]
    pub driver: String,
    /// Set metadata for a volume
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub label: Vec<String>,
    /// Set driver specific options: type=TYPE, device=DEVICE, o=OPTIONS
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub opt: Vec<String>,
    /// Specify volume name, as VOLUME does
    #[arg(long = "name", value_name = "VOLUME", hide = true)]
    pub old_name: Option<String>,
    /// Name of the volume (default a random name)
    #[arg(value_name = "VOLUME")]
    pub name: Option<String>,
}

impl CreateVolumeArguments {
    /// Refuses a driver of a plugin.
    ///
    /// # Errors
    /// [`Kind::Unsupported`].
    pub fn check_driver(&self) -> Result<()> {
        match self.driver.as_str() {
            "" | "local" => Ok(()),
            plugin => Err(no_plugin(plugin)),
        }
    }

    /// Returns the name, of the argument or of Docker's old flag.
    ///
    /// # Errors
    /// [`Kind::Invalid`] if there are both.
    pub fn name(&self) -> Result<Option<&str>> {
        let (name, old_name) = (self.name.as_deref(), self.old_name.as_deref());
        let old_name = old_name.filter(|name| !name.is_empty());
        if name.is_some() && old_name.is_some() {
            let message = "conflicting options: cannot specify a volume-name through both --name \
                           and as a positional arg";
            return Err(Error::new(Kind::Invalid, message).hint("leave out one of the two"));
        }
        Ok(name.or(old_name).filter(|name| !name.is_empty()))
    }
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
