//! The arguments of the verbs of registries: Docker's flags, and `--tls-verify` of Podman.

use clap::{ArgAction, Args};

use super::only_one::Trust;
use crate::model::observe::progress::Access;
use crate::model::value::platform::Platform;

/// The flag for the connection to a registry. Podman and skopeo have the flag; Docker
/// configures its daemon.
#[derive(Args, Clone, Copy, Debug)]
pub struct Transport {
    /// Require HTTPS and verify certificates; a loopback registry may always use HTTP
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub tls_verify: bool,
}

impl Transport {
    /// Returns the flag in the form that the engine takes.
    pub fn access(self) -> Access {
        Access { insecure: !self.tls_verify }
    }
}

/// The arguments of `pull`.
#[derive(Args, Debug)]
pub struct PullArguments {
    /// Download all tagged images in the repository
    #[arg(short, long)]
    pub all_tags: bool,
    /// Set platform if the image is multi-platform (default the host's)
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<String>,
    /// Suppress verbose output
    #[arg(short, long)]
    pub quiet: bool,
    /// Whether images are verified.
    #[command(flatten)]
    pub trust: Trust,
    /// The connection to the registry.
    #[command(flatten)]
    pub transport: Transport,
    /// [REGISTRY/]NAME[:TAG][@DIGEST]
    #[arg(value_name = "IMAGE")]
    pub reference: String,
}

/// The arguments of `push`.
#[derive(Args, Debug)]
pub struct PushArguments {
    /// Push all tags of an image to the repository
    #[arg(short, long)]
    pub all_tags: bool,
    /// Push only the given platform variant: that of the image
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<Platform>,
    /// Suppress verbose output
    #[arg(short, long)]
    pub quiet: bool,
    /// Whether images are verified.
    #[command(flatten)]
    pub trust: Trust,
    /// The connection to the registry.
    #[command(flatten)]
    pub transport: Transport,
    /// [REGISTRY/]NAME[:TAG]
    #[arg(value_name = "IMAGE")]
    pub reference: String,
}

/// The arguments of `login`.
#[derive(Args, Debug)]
pub struct LoginArguments {
    /// Username (prompts if not set)
    #[arg(short, long, value_name = "NAME")]
    pub username: Option<String>,
    /// Password; other users of the host can see it, so prefer --password-stdin
    #[arg(short, long, value_name = "PASSWORD", conflicts_with = "password_stdin")]
    pub password: Option<String>,
    /// Take the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// The connection to the registry.
    #[command(flatten)]
    pub transport: Transport,
    /// Host and port of the registry
    #[arg(default_value = "docker.io")]
    pub registry: String,
}

/// The arguments of `logout`.
#[derive(Args, Debug)]
pub struct LogoutArguments {
    /// Host and port of the registry
    #[arg(default_value = "docker.io")]
    pub registry: String,
}
