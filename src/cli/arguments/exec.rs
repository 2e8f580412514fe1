//! The verbs that work inside a container, with Docker's flags.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

/// A verb of the processes and files inside a container.
#[derive(Debug, Subcommand)]
pub enum ProcessVerb {
    /// Execute a command in a running container
    Exec(ExecArguments),
    /// Attach local standard input, output and error streams to a running container
    Attach(AttachArguments),
    /// Display the running processes of a container
    Top(TopArguments),
    /// Copy files/folders between a container and the local filesystem
    Cp(CpArguments),
    /// List port mappings or a specific mapping for the container
    Port(PortArguments),
}

/// The arguments of `exec`.
#[derive(Args, Debug)]
pub struct ExecArguments {
    /// Detached mode: run command in the background
    #[arg(short, long)]
    pub detach: bool,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    pub interactive: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    pub tty: bool,
    /// Give extended privileges to the command
    #[arg(long)]
    pub privileged: bool,
    /// Set environment variables; KEY alone takes the caller's value
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    pub env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<PathBuf>,
    /// Username or UID (format: <name|uid>[:<group|gid>])
    #[arg(short, long, value_name = "USER[:GROUP]")]
    pub user: Option<String>,
    /// Working directory inside the container
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<String>,
    /// Override the key sequence for detaching a container, such as ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    /// The container, and the command to run in it
    #[arg(value_names = ["CONTAINER", "COMMAND"], required = true, num_args = 2..,
          trailing_var_arg = true)]
    pub container_and_command: Vec<String>,
}

/// The arguments of `attach`.
#[derive(Args, Debug)]
pub struct AttachArguments {
    /// Do not attach STDIN
    #[arg(long)]
    pub no_stdin: bool,
    /// Proxy all received signals to the process
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub sig_proxy: bool,
    /// Override the key sequence for detaching a container, such as ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

/// The arguments of `top`.
#[derive(Args, Debug)]
pub struct TopArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    /// Options of ps of this host, such as -o pid,comm (default -ef)
    #[arg(value_name = "PS OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub options: Vec<String>,
}

/// The arguments of `cp`.
#[derive(Args, Debug)]
pub struct CpArguments {
    /// Archive mode (copy all uid/gid information)
    #[arg(short, long)]
    pub archive: bool,
    /// Always follow symbol link in FROM
    #[arg(short = 'L', long)]
    pub follow_link: bool,
    /// Suppress progress output during copy
    #[arg(short, long)]
    pub quiet: bool,
    /// CONTAINER:PATH, a path of the host, or `-` to read a tar from standard input
    #[arg(value_name = "FROM", allow_hyphen_values = true)]
    pub from: String,
    /// CONTAINER:PATH, a path of the host, or `-` to write a tar to standard output
    #[arg(value_name = "TO", allow_hyphen_values = true)]
    pub to: String,
}

/// The arguments of `port`.
#[derive(Args, Debug)]
pub struct PortArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    /// Port of the container, such as 80 or 80/udp
    #[arg(value_name = "PORT[/PROTOCOL]")]
    pub port: Option<String>,
}
