//! What may be typed to make images of containers and files: Docker's flags.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

/// A verb that makes images.
#[derive(Debug, Subcommand)]
pub enum BuildVerb {
    /// Make an image of a root file system in a tar archive
    Import(ImportArguments),
    /// Build an image from a Dockerfile
    Build(BuildArguments),
}

/// A verb of a container's files.
#[derive(Debug, Subcommand)]
pub enum FilesVerb {
    /// Show what a container has changed of its image's files
    Diff(DiffArguments),
    /// Make an image of a container
    Commit(CommitArguments),
    /// Write all files of a container as a tar
    Export(ExportArguments),
}

/// `diff`
#[derive(Args, Debug)]
pub struct DiffArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

/// `commit`
#[derive(Args, Debug)]
pub struct CommitArguments {
    /// Who made it
    #[arg(short, long)]
    pub author: Option<String>,
    /// An instruction of a Dockerfile that changes the configuration, such as 'CMD ["sh"]'
    #[arg(short, long, value_name = "INSTRUCTION")]
    pub change: Vec<String>,
    /// What the history says of it
    #[arg(short, long)]
    pub message: Option<String>,
    /// Freeze the container meanwhile
    #[arg(short, long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub pause: bool,
    /// Do not freeze it
    #[arg(long)]
    pub no_pause: bool,
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    /// What the image is called
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub reference: Option<String>,
}

/// `export`
#[derive(Args, Debug)]
pub struct ExportArguments {
    /// The file; standard output where unset
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

/// `import`
#[derive(Args, Debug)]
pub struct ImportArguments {
    /// An instruction of a Dockerfile that sets the configuration, such as 'CMD ["sh"]'
    #[arg(short, long, value_name = "INSTRUCTION")]
    pub change: Vec<String>,
    /// What the history says of it
    #[arg(short, long)]
    pub message: Option<String>,
    /// The platform it is for, such as linux/arm64
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    pub platform: Option<String>,
    /// The tar archive, plain or compressed; `-` is standard input
    #[arg(value_name = "FILE|-")]
    pub source: String,
    /// What the image is called
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub reference: Option<String>,
}

/// `build`
#[derive(Args, Debug)]
pub struct BuildArguments {
    /// What the image is called
    #[arg(short, long, value_name = "NAME[:TAG]")]
    pub tag: Vec<String>,
    /// The Dockerfile; PATH/Dockerfile where unset, `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Set an argument of the Dockerfile; KEY alone takes the caller's value
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub build_arg: Vec<String>,
    /// Set a label
    #[arg(long, value_name = "KEY=VALUE")]
    pub label: Vec<String>,
    /// The stage to build; the last where unset
    #[arg(long, value_name = "STAGE")]
    pub target: Option<String>,
    /// Do all steps anew
    #[arg(long)]
    pub no_cache: bool,
    /// Print only the image's id
    #[arg(short, long)]
    pub quiet: bool,
    /// How progress is shown; only `plain` and `auto`, which are the same
    #[arg(long, value_parser = ["auto", "plain"], value_name = "KIND")]
    pub progress: Option<String>,
    /// Fetch the images that stages begin with
    #[arg(long)]
    pub pull: bool,
    /// The network of commands; only `none`
    #[arg(long, value_parser = ["none", "default"], value_name = "NETWORK")]
    pub network: Option<String>,
    /// Write the image's id to a file
    #[arg(long, value_name = "FILE")]
    pub iidfile: Option<PathBuf>,
    /// The directory whose files can be copied; `-` reads a Dockerfile from standard input
    #[arg(value_name = "PATH|-")]
    pub context: String,
}
