//! What may be typed after the verbs of containers: Docker's flags.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::options::OptionFlags;

/// Containers.
#[derive(Args, Debug)]
pub struct Names {
    /// Names, ids or the beginnings of ids
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// What `create` and `run` share.
#[derive(Args, Debug)]
pub struct NewContainerArguments {
    /// Read in a file of environment variables
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<PathBuf>,
    /// Pull image before running
    #[arg(long, value_enum, default_value_t = Pull::Missing)]
    pub pull: Pull,
    /// Set platform if the image has several
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<String>,
    /// Write the container ID to the file
    #[arg(long, value_name = "FILE")]
    pub cidfile: Option<PathBuf>,
    /// Print help
    #[arg(long, action = ArgAction::Help)]
    pub help: Option<bool>,
    /// Image, command and its arguments
    // One list and not two: all that follows the image belongs to the command, flags included.
    #[arg(value_names = ["IMAGE", "COMMAND"], required = true, trailing_var_arg = true)]
    pub image_and_command: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub options: OptionFlags<false>,
}

/// Whether an image may be made or fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pull {
    /// Where it is missing.
    Missing,
    /// Each time.
    Always,
    /// Never.
    Never,
}

/// `create`
#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
pub struct CreateArguments {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub new: NewContainerArguments,
}

/// `run`
#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
pub struct RunArguments {
    /// Leave it running and print its id
    #[arg(short, long)]
    pub detach: bool,
    /// Forward signals to the container
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub sig_proxy: bool,
    /// What is typed to leave a terminal, such as ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub new: NewContainerArguments,
}

/// `start`
#[derive(Args, Debug)]
pub struct StartArguments {
    /// Show what it writes until it ends, and end with its exit code
    #[arg(short, long)]
    pub attach: bool,
    /// Give it standard input
    #[arg(short, long)]
    pub interactive: bool,
    /// Forward signals to the container
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub sig_proxy: bool,
    /// What is typed to leave a terminal, such as ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    /// Names, ids or the beginnings of ids
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// `stop` and `restart`
#[derive(Args, Debug)]
pub struct StopArguments {
    /// How many seconds to wait before the kill; -1 for ever
    #[arg(
        short = 't',
        long,
        visible_alias = "timeout",
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    pub time: Option<i64>,
    /// The signal to send
    #[arg(short, long)]
    pub signal: Option<String>,
    /// Names, ids or the beginnings of ids
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// `kill`
#[derive(Args, Debug)]
pub struct KillArguments {
    /// The signal to send
    #[arg(short, long, default_value = "KILL", allow_negative_numbers = true)]
    pub signal: String,
    /// Names, ids or the beginnings of ids
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// `rm`
#[derive(Args, Debug)]
pub struct RmArguments {
    /// Remove also the volumes that nobody named
    #[arg(short, long)]
    pub volumes: bool,
    /// Kill it first; a container that is not there is no error
    #[arg(short, long)]
    pub force: bool,
    /// Names, ids or the beginnings of ids
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// `rename`
#[derive(Args, Debug)]
pub struct RenameArguments {
    /// The container
    pub container: String,
    /// Its new name
    pub new_name: String,
}

/// `ps`
#[derive(Args, Debug, Default)]
pub struct PsArguments {
    /// Show all, not only those that run
    #[arg(short, long)]
    pub all: bool,
    /// Show only ids
    #[arg(short, long)]
    pub quiet: bool,
    /// Show the latest, whatever its state
    #[arg(short, long)]
    pub latest: bool,
    /// Show the last N, whatever their state
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true)]
    pub last: Option<i64>,
    /// Show whole ids and commands
    #[arg(long)]
    pub no_trunc: bool,
    /// A Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Only some: name, id, status, label, ancestor, exited
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
}

/// `logs`
#[derive(Args, Debug)]
pub struct LogsArguments {
    /// Go on until the container ends
    #[arg(short, long)]
    pub follow: bool,
    /// Only the last N lines, or `all`
    #[arg(short = 'n', long, default_value = "all", value_name = "N", allow_hyphen_values = true)]
    pub tail: String,
    /// Only lines from this time on: a time stamp, or how long ago, such as 10m
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only lines before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Show when each line was written
    #[arg(short, long)]
    pub timestamps: bool,
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub name: String,
}

/// `inspect`
#[derive(Args, Debug)]
pub struct InspectArguments {
    /// A Go template or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Only containers or only images
    #[arg(long = "type", value_enum)]
    pub kind: Option<Subject>,
    /// Names or ids
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
}

/// What `inspect` looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// A container.
    Container,
    /// An image.
    Image,
}
