//! The arguments of the verbs of containers: Docker's flags.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::format::{filter, maybe_path};
use super::only_one::FixedFlags;
use super::options::{AllRows, OptionFlags};

/// The arguments of a verb that takes containers only.
#[derive(Args, Debug)]
pub struct Names {
    /// Names or IDs; the beginning of an ID is enough
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// The arguments that `create` and `run` share.
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
    /// Read in a line delimited file of labels
    #[arg(long, value_name = "FILE")]
    pub label_file: Vec<PathBuf>,
    /// Attach to STDIN, STDOUT or STDERR: only these
    #[arg(short, long, value_name = "STREAM")]
    pub attach: Vec<String>,
    /// Suppress the pull output
    #[arg(short, long)]
    pub quiet: bool,
    /// The flags with one value.
    #[command(flatten)]
    pub fixed: FixedFlags,
    /// Write the container ID to the file
    #[arg(long, value_name = "FILE", value_parser = maybe_path())]
    pub cidfile: Option<PathBuf>,
    /// Print help
    #[arg(long, action = ArgAction::Help)]
    pub help: Option<bool>,
    /// Image, command and its arguments
    // One list and not two: all that follows the image belongs to the command, flags included.
    #[arg(value_names = ["IMAGE", "COMMAND"], required = true, trailing_var_arg = true)]
    pub image_and_command: Vec<String>,
    /// The flags of the one table of options.
    #[command(flatten)]
    pub options: OptionFlags<AllRows>,
}

/// A pull policy: when to pull the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pull {
    /// Pull only a missing image.
    #[value(alias = "")]
    Missing,
    /// Pull even a present image.
    Always,
    /// Never pull.
    Never,
}

/// The arguments of `create`.
#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
pub struct CreateArguments {
    /// The arguments of a new container.
    #[command(flatten)]
    pub new: NewContainerArguments,
}

/// The arguments of `run`.
#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
pub struct RunArguments {
    /// Run container in background and print container ID
    #[arg(short, long)]
    pub detach: bool,
    /// Proxy all received signals to the process
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub sig_proxy: bool,
    /// Override the key sequence for detaching a container, such as ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    /// The arguments of a new container.
    #[command(flatten)]
    pub new: NewContainerArguments,
}

/// The arguments of `start`.
#[derive(Args, Debug)]
pub struct StartArguments {
    /// Attach STDOUT/STDERR and forward signals
    #[arg(short, long)]
    pub attach: bool,
    /// Attach container's STDIN
    #[arg(short, long)]
    pub interactive: bool,
    /// Proxy all received signals to the process
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub sig_proxy: bool,
    /// Override the key sequence for detaching a container, such as ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    /// Names or IDs; the beginning of an ID is enough
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// The arguments of `stop` and `restart`.
#[derive(Args, Debug)]
pub struct StopArguments {
    /// Seconds to wait before killing the container; -1 for no limit
    #[arg(
        short = 't',
        long,
        visible_alias = "time",
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    pub timeout: Option<i64>,
    /// Signal to send to the container
    #[arg(short, long)]
    pub signal: Option<String>,
    /// Names or IDs; the beginning of an ID is enough
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// The arguments of `kill`.
#[derive(Args, Debug)]
pub struct KillArguments {
    /// Signal to send to the container
    #[arg(short, long, default_value = "KILL", allow_negative_numbers = true)]
    pub signal: String,
    /// Names or IDs; the beginning of an ID is enough
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// The arguments of `rm`.
#[derive(Args, Debug)]
pub struct RmArguments {
    /// Remove anonymous volumes associated with the container
    #[arg(short, long)]
    pub volumes: bool,
    /// Force the removal of a running container (uses SIGKILL); ignore missing containers
    #[arg(short, long)]
    pub force: bool,
    /// Names or IDs; the beginning of an ID is enough
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// The arguments of `rename`.
#[derive(Args, Debug)]
pub struct RenameArguments {
    /// The container
    pub container: String,
    /// New name of the container
    pub new_name: String,
}

/// The arguments of `ps`.
#[derive(Args, Debug, Default)]
pub struct PsArguments {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    pub all: bool,
    /// Only display container IDs
    #[arg(short, long)]
    pub quiet: bool,
    /// Show the latest created container (includes all states)
    #[arg(short, long)]
    pub latest: bool,
    /// Show N last created containers (includes all states)
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true)]
    pub last: Option<i64>,
    /// Don't truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// Format output using a Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Filter output: name, id, status, label, ancestor, before, since, volume, ...
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = filter)]
    pub filter: Vec<String>,
    /// Display total file sizes
    #[arg(short, long)]
    pub size: bool,
}

/// The arguments of `logs`.
#[derive(Args, Debug)]
pub struct LogsArguments {
    /// Follow log output
    #[arg(short, long)]
    pub follow: bool,
    /// Number of lines to show from the end of the logs, or `all`
    #[arg(short = 'n', long, default_value = "all", value_name = "N", allow_hyphen_values = true)]
    pub tail: String,
    /// Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m")
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Show logs before a timestamp, or relative (e.g. "42m")
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Show timestamps
    #[arg(short, long)]
    pub timestamps: bool,
    /// Show extra details: the labels and variables that --log-opt names
    #[arg(long)]
    pub details: bool,
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub name: String,
}

/// The arguments of `inspect`.
#[derive(Args, Debug)]
pub struct InspectArguments {
    /// Format output using a Go template, or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Only inspect objects of the given type
    #[arg(long = "type", value_enum)]
    pub kind: Option<Subject>,
    /// Display total file sizes of containers
    #[arg(short, long)]
    pub size: bool,
    /// Names or IDs of containers, references or IDs of images, names of volumes
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
}

/// A type of objects that `inspect` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// A container.
    Container,
    /// An image.
    Image,
    /// A volume.
    Volume,
}
