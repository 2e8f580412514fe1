//! The verbs that create images from containers and files, with Docker's flags.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::format::maybe_path;
use super::only_one::FixedBuildFlags;
use super::options::{BuildRows, OptionFlags};

/// A verb that creates images.
#[derive(Debug, Subcommand)]
pub enum BuildVerb {
    /// Import the contents from a tarball to create a filesystem image
    Import(ImportArguments),
    /// Build an image from a Dockerfile
    Build(Box<BuildArguments>),
}

/// A verb of a container's files.
#[derive(Debug, Subcommand)]
pub enum FilesVerb {
    /// Inspect changes to files or directories on a container's filesystem
    Diff(DiffArguments),
    /// Create a new image from a container's changes
    Commit(CommitArguments),
    /// Export a container's filesystem as a tar archive
    Export(ExportArguments),
}

/// The arguments of `diff`.
#[derive(Args, Debug)]
pub struct DiffArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

/// The arguments of `commit`.
#[derive(Args, Debug)]
pub struct CommitArguments {
    /// Author, such as 'John Hannibal Smith <hannibal@a-team.com>'
    #[arg(short, long)]
    pub author: Option<String>,
    /// Apply a Dockerfile instruction to the created image, such as 'CMD ["sh"]'
    #[arg(short, long, value_name = "INSTRUCTION")]
    pub change: Vec<String>,
    /// Commit message
    #[arg(short, long)]
    pub message: Option<String>,
    /// Pause the container during commit
    #[arg(short, long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub pause: bool,
    /// Do not pause the container during commit
    #[arg(long)]
    pub no_pause: bool,
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    /// Name and optionally a tag of the image
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub reference: Option<String>,
}

/// The arguments of `export`.
#[derive(Args, Debug)]
pub struct ExportArguments {
    /// Write to a file, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

/// The arguments of `import`.
#[derive(Args, Debug)]
pub struct ImportArguments {
    /// Apply a Dockerfile instruction to the created image, such as 'CMD ["sh"]'
    #[arg(short, long, value_name = "INSTRUCTION")]
    pub change: Vec<String>,
    /// Set commit message for imported image
    #[arg(short, long)]
    pub message: Option<String>,
    /// Platform of the image, such as linux/arm64
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    pub platform: Option<String>,
    /// Tar archive, plain or compressed; `-` is standard input
    #[arg(value_name = "FILE|-")]
    pub source: String,
    /// Name and optionally a tag of the image
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub reference: Option<String>,
}

/// The arguments of `build`.
#[derive(Args, Debug)]
pub struct BuildArguments {
    /// Name and optionally a tag in the name:tag format
    #[arg(short, long, value_name = "NAME[:TAG]")]
    pub tag: Vec<String>,
    /// Name of the Dockerfile (default PATH/Dockerfile); `-` is standard input
    #[arg(short, long, value_name = "FILE", value_parser = maybe_path())]
    pub file: Option<PathBuf>,
    /// Set build-time variables; KEY alone takes the caller's value
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub build_arg: Vec<String>,
    /// Set metadata for an image
    #[arg(long, value_name = "KEY=VALUE")]
    pub label: Vec<String>,
    /// Set the target build stage to build (default the last)
    #[arg(long, value_name = "STAGE")]
    pub target: Option<String>,
    /// Do not use cache when building the image
    #[arg(long)]
    pub no_cache: bool,
    /// Suppress the build output and print image ID on success
    #[arg(short, long)]
    pub quiet: bool,
    /// Set type of progress output: auto, plain and tty do not differ, quiet is -q
    #[arg(long, value_parser = ["auto", "plain", "tty", "quiet"], value_name = "KIND",
          hide_possible_values = true)]
    pub progress: Option<String>,
    /// Output destination: a directory, or type=local|tar|docker|oci,dest=PATH
    #[arg(short, long, value_name = "DEST")]
    pub output: Vec<String>,
    /// Always attempt to pull a newer version of the image
    #[arg(long)]
    pub pull: bool,
    /// Write the image ID to the file
    #[arg(long, value_name = "FILE", value_parser = maybe_path())]
    pub iidfile: Option<PathBuf>,
    /// Secret to expose to the build: for RUN --mount=type=secret
    #[arg(long, value_name = "id=ID[,src=FILE|,env=NAME]")]
    pub secret: Vec<String>,
    /// The flags with one value.
    #[command(flatten)]
    pub fixed: FixedBuildFlags,
    /// Directory of the build context; `-` reads a Dockerfile or a tar archive from standard input
    #[arg(value_name = "PATH|-")]
    pub context: String,
    /// The flags of the one table of options, for the containers of RUN.
    #[command(flatten)]
    pub run: OptionFlags<BuildRows>,
}
