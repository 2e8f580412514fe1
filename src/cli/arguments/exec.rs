//! What may be typed to get into a container: Docker's flags.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

/// A verb that gets into a container.
#[derive(Debug, Subcommand)]
pub enum ProcessVerb {
    /// Run a further program in a container
    Exec(ExecArguments),
    /// Connect to a container that runs
    Attach(AttachArguments),
    /// Show the processes of a container
    Top(TopArguments),
    /// Copy files between a container and this machine
    Cp(CpArguments),
    /// Show the ports of a container that can be reached from outside
    Port(PortArguments),
}

/// `exec`
#[derive(Args, Debug)]
pub struct ExecArguments {
    /// Leave it running
    #[arg(short, long)]
    pub detach: bool,
    /// Give it standard input
    #[arg(short, long)]
    pub interactive: bool,
    /// Give it a terminal
    #[arg(short, long)]
    pub tty: bool,
    /// Give it all capabilities
    #[arg(long)]
    pub privileged: bool,
    /// Set a variable; KEY alone takes the caller's value
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    pub env: Vec<String>,
    /// Read variables from a file
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<PathBuf>,
    /// User and group, by name or number
    #[arg(short, long, value_name = "USER[:GROUP]")]
    pub user: Option<String>,
    /// The working directory, absolute
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<String>,
    /// What is typed to leave a terminal, such as ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    /// The container, and what to run in it
    #[arg(value_names = ["CONTAINER", "COMMAND"], required = true, num_args = 2..,
          trailing_var_arg = true)]
    pub container_and_command: Vec<String>,
}

/// `attach`
#[derive(Args, Debug)]
pub struct AttachArguments {
    /// Do not give it standard input
    #[arg(long)]
    pub no_stdin: bool,
    /// Forward signals to the container
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub sig_proxy: bool,
    /// What is typed to leave a terminal, such as ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

/// `top`
#[derive(Args, Debug)]
pub struct TopArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    /// As for ps; only -ef, which is the default
    #[arg(value_name = "PS OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub options: Vec<String>,
}

/// `cp`
#[derive(Args, Debug)]
pub struct CpArguments {
    /// Keep user and group
    #[arg(short, long)]
    pub archive: bool,
    /// Copy what a link leads to
    #[arg(short = 'L', long)]
    pub follow_link: bool,
    /// Do not say what was copied
    #[arg(short, long)]
    pub quiet: bool,
    /// CONTAINER:PATH, a path of this machine, or `-` for a tar on standard input
    #[arg(value_name = "FROM", allow_hyphen_values = true)]
    pub from: String,
    /// The same; `-` writes a tar to standard output
    #[arg(value_name = "TO", allow_hyphen_values = true)]
    pub to: String,
}

/// `port`
#[derive(Args, Debug)]
pub struct PortArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    /// Only where this port of the container is, such as 80 or 80/udp
    #[arg(value_name = "PORT[/PROTOCOL]")]
    pub port: Option<String>,
}
