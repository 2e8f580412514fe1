//! The arguments of the verbs that fill and maintain the store: Docker's flags, and Podman's of
//! `system check`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::build::BuildArguments;
use super::events::EventsArguments;
use super::format::{FormatArguments, filter};
use crate::model::value::platform::Platform;

/// A verb of the noun `system`.
#[derive(Debug, Subcommand)]
pub enum SystemVerb {
    /// Show disk usage
    Df(DfArguments),
    /// Check the store for damage
    Check(SystemCheckArguments),
    /// Get real time events of containers, images and volumes
    Events(EventsArguments),
    /// Remove unused data
    Prune(PruneSystemArguments),
    /// Display system-wide information
    Info(FormatArguments),
}

/// The arguments of `images`.
#[derive(Args, Debug, Default)]
pub struct ImagesArguments {
    /// Show all images (default hides intermediate images)
    #[arg(short, long)]
    pub all: bool,
    /// Show digests
    #[arg(long)]
    pub digests: bool,
    /// Only show image IDs
    #[arg(short, long)]
    pub quiet: bool,
    /// Don't truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// Format output using a Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Filter output: before, dangling, label, reference, since, until
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = filter)]
    pub filter: Vec<String>,
    /// Show only this repository, or this reference
    pub repository: Option<String>,
}

/// The arguments of `rmi`.
#[derive(Args, Debug)]
pub struct RmiArguments {
    /// Force removal of the image; ignore images that do not exist
    #[arg(short, long)]
    pub force: bool,
    /// Do not delete untagged parents, as always: `image prune` does
    #[arg(long)]
    pub no_prune: bool,
    /// Remove only the given platform variant: that of the image
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Vec<Platform>,
    /// References or ids
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<String>,
}

/// The arguments of `image inspect`.
#[derive(Args, Debug)]
pub struct InspectImageArguments {
    /// Format output using a Go template, or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Inspect only the given platform variant: that of the image
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<Platform>,
    /// References or ids
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<String>,
}

/// The arguments of `load`.
#[derive(Args, Debug)]
pub struct LoadArguments {
    /// Read from tar archive file, instead of standard input
    #[arg(short, long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Load only the given platform variant: os/architecture[/variant]
    #[arg(long)]
    pub platform: Option<Platform>,
    /// Suppress the load output
    #[arg(short, long)]
    pub quiet: bool,
}

/// The arguments of `save`.
#[derive(Args, Debug)]
pub struct SaveArguments {
    /// Write to a file, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Save image to docker, oci, or oci-dir (a directory)
    #[arg(long, default_value = "docker")]
    pub format: String,
    /// Compress the archive (docker) or the layers (oci) with gzip or zstd
    #[arg(long, value_name = "gzip|zstd", num_args = 0..=1, require_equals = true,
          default_missing_value = "gzip")]
    pub compress: Option<String>,
    /// Save only the given platform variant: that of the image
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<Platform>,
    /// References or ids; a name without a tag means all its tags
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<String>,
}

/// The arguments of `tag`.
#[derive(Args, Debug)]
pub struct TagArguments {
    /// Reference or id of an image
    #[arg(value_name = "SOURCE_IMAGE[:TAG]")]
    pub image: String,
    /// Reference to create
    #[arg(value_name = "TARGET_IMAGE[:TAG]")]
    pub reference: String,
}

/// The arguments of `history`.
#[derive(Args, Debug)]
pub struct HistoryArguments {
    /// Format output using a Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Print sizes and dates in human readable format
    #[arg(short = 'H', long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub human: bool,
    /// Don't truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// Only show image IDs
    #[arg(short, long)]
    pub quiet: bool,
    /// Show history for the given platform: that of the image
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<Platform>,
    /// Reference or id of an image
    #[arg(value_name = "IMAGE")]
    pub image: String,
}

/// The arguments of `image prune`.
#[derive(Args, Debug)]
pub struct PruneImagesArguments {
    /// Remove all unused images, not just dangling ones
    #[arg(short, long)]
    pub all: bool,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    pub force: bool,
    /// Filter by label=KEY[=VALUE], label!=KEY[=VALUE], until=TIME, dangling=BOOL
    #[arg(long, value_name = "KEY=VALUE", value_parser = filter)]
    pub filter: Vec<String>,
}

/// The arguments of `container prune`.
#[derive(Args, Debug)]
pub struct PruneContainersArguments {
    /// Do not prompt for confirmation
    #[arg(short, long)]
    pub force: bool,
    /// Filter by label=KEY[=VALUE], label!=KEY[=VALUE], until=TIME
    #[arg(long, value_name = "KEY=VALUE", value_parser = filter)]
    pub filter: Vec<String>,
}

/// The arguments of `system prune`.
#[derive(Args, Debug)]
pub struct PruneSystemArguments {
    /// Remove all unused images, not just dangling ones
    #[arg(short, long)]
    pub all: bool,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    pub force: bool,
    /// Prune anonymous volumes
    #[arg(long)]
    pub volumes: bool,
    /// Filter by label=KEY[=VALUE], label!=KEY[=VALUE], until=TIME
    #[arg(long, value_name = "KEY=VALUE", value_parser = filter)]
    pub filter: Vec<String>,
}

/// A verb of the noun `builder`.
#[derive(Debug, Subcommand)]
pub enum BuilderVerb {
    /// Build an image from a Dockerfile
    Build(Box<BuildArguments>),
    /// Remove build cache
    Prune(PruneBuilderArguments),
}

/// The arguments of `builder prune`.
#[derive(Args, Debug)]
pub struct PruneBuilderArguments {
    /// Remove all unused build cache, not just dangling ones
    #[arg(short, long)]
    pub all: bool,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    pub force: bool,
    /// Filter by until=TIME
    #[arg(long, value_name = "KEY=VALUE", value_parser = filter)]
    pub filter: Vec<String>,
    /// Amount of disk space to keep for cache
    #[arg(long, value_name = "BYTES")]
    pub keep_storage: Option<String>,
}

/// The arguments of `system df`.
#[derive(Args, Debug)]
pub struct DfArguments {
    /// Show detailed information on space usage
    #[arg(short, long)]
    pub verbose: bool,
    /// Format output using a Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
}

/// The arguments of `system check`.
#[derive(Args, Debug)]
pub struct SystemCheckArguments {
    /// Repair damage; remove what cannot be repaired
    #[arg(short, long)]
    pub repair: bool,
    /// Print nothing; report by the exit code
    #[arg(short, long)]
    pub quiet: bool,
}
