//! What may be typed after the verbs that fill the store and keep it in order: Docker's flags, and
//! Podman's of `system check`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::events::EventsArguments;
use super::format::FormatArguments;
use crate::model::value::platform::Platform;

/// A verb of the whole engine.
#[derive(Debug, Subcommand)]
pub enum SystemVerb {
    /// Show what images and containers take of the disk
    Df(DfArguments),
    /// Look for damage in the store
    Check(CheckArguments),
    /// Show what happens to containers, images and volumes
    Events(EventsArguments),
    /// Show what this engine and this host are
    Info(FormatArguments),
}

/// `images`
#[derive(Args, Debug, Default)]
pub struct ImagesArguments {
    /// Show also the steps of builds
    #[arg(short, long)]
    pub all: bool,
    /// Show what registries call them
    #[arg(long)]
    pub digests: bool,
    /// Show only ids
    #[arg(short, long)]
    pub quiet: bool,
    /// Show whole ids
    #[arg(long)]
    pub no_trunc: bool,
    /// A Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Only some: before, dangling, label, reference, since, until
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Only this repository, or this reference
    pub repository: Option<String>,
}

/// `rmi`
#[derive(Args, Debug)]
pub struct RmiArguments {
    /// Remove it although it has several references; a missing one is no error
    #[arg(short, long)]
    pub force: bool,
    /// References or ids
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<String>,
}

/// `load`
#[derive(Args, Debug)]
pub struct LoadArguments {
    /// The archive; standard input where unset
    #[arg(short, long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Of an image for several platforms, take this one: os/architecture[/variant]
    #[arg(long)]
    pub platform: Option<Platform>,
    /// Do not show progress
    #[arg(short, long)]
    pub quiet: bool,
}

/// `save`
#[derive(Args, Debug)]
pub struct SaveArguments {
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// `docker`, `oci`, or `oci-dir` for a directory
    #[arg(long, default_value = "docker")]
    pub format: String,
    /// Compress with gzip or zstd: the archive for docker, the layers for oci
    #[arg(long, value_name = "gzip|zstd", num_args = 0..=1, require_equals = true,
          default_missing_value = "gzip")]
    pub compress: Option<String>,
    /// References or ids; a name without a tag is all tags of it
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<String>,
}

/// `tag`
#[derive(Args, Debug)]
pub struct TagArguments {
    /// A reference or an id
    #[arg(value_name = "SOURCE_IMAGE[:TAG]")]
    pub image: String,
    /// The name to give it
    #[arg(value_name = "TARGET_IMAGE[:TAG]")]
    pub reference: String,
}

/// `history`
#[derive(Args, Debug)]
pub struct HistoryArguments {
    /// A Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Sizes and times for people
    #[arg(short = 'H', long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub human: bool,
    /// Show whole ids and commands
    #[arg(long)]
    pub no_trunc: bool,
    /// Show only ids
    #[arg(short, long)]
    pub quiet: bool,
    /// A reference or an id
    #[arg(value_name = "IMAGE")]
    pub image: String,
}

/// `image prune`
#[derive(Args, Debug)]
pub struct PruneImagesArguments {
    /// Remove all images that no container uses, not only those without tag
    #[arg(short, long)]
    pub all: bool,
    /// Do not ask
    #[arg(short, long)]
    pub force: bool,
    /// Only some: label=KEY[=VALUE], label!=KEY[=VALUE], until=TIME, dangling=BOOL
    #[arg(long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
}

/// `container prune`
#[derive(Args, Debug)]
pub struct PruneContainersArguments {
    /// Do not ask
    #[arg(short, long)]
    pub force: bool,
    /// Only some: label=KEY[=VALUE], label!=KEY[=VALUE], until=TIME
    #[arg(long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
}

/// `system df`
#[derive(Args, Debug)]
pub struct DfArguments {
    /// Show each image and each container
    #[arg(short, long)]
    pub verbose: bool,
    /// A Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
}

/// `system check`
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// Mend what can be mended, and remove what can't
    #[arg(short, long)]
    pub repair: bool,
    /// Only the exit code
    #[arg(short, long)]
    pub quiet: bool,
}
