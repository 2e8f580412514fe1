//! What may be typed after the verbs of registries: Docker's flags, and `--tls-verify` of Podman.

use clap::{ArgAction, Args};

use crate::model::observe::progress::Access;

/// How a registry is reached: Podman's and skopeo's flag, for Docker has it in its daemon.
#[derive(Args, Clone, Copy, Debug)]
pub struct Transport {
    /// Insist on TLS and a trusted certificate; loopback registries may always go without
    #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub tls_verify: bool,
}

impl Transport {
    /// For the engine.
    pub fn access(self) -> Access {
        Access { insecure: !self.tls_verify }
    }
}

/// `pull`
#[derive(Args, Debug)]
pub struct PullArguments {
    /// For this platform instead of this machine's
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<String>,
    /// Print only the reference
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub transport: Transport,
    /// [REGISTRY/]NAME[:TAG][@DIGEST]
    #[arg(value_name = "IMAGE")]
    pub reference: String,
}

/// `push`
#[derive(Args, Debug)]
pub struct PushArguments {
    /// Print only the reference
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub transport: Transport,
    /// [REGISTRY/]NAME[:TAG]
    #[arg(value_name = "IMAGE")]
    pub reference: String,
}

/// `login`
#[derive(Args, Debug)]
pub struct LoginArguments {
    /// The name there; asked for where unset
    #[arg(short, long, value_name = "NAME")]
    pub username: Option<String>,
    /// The password; everybody on this machine can see it: better use --password-stdin
    #[arg(short, long, value_name = "PASSWORD", conflicts_with = "password_stdin")]
    pub password: Option<String>,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    pub password_stdin: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub transport: Transport,
    /// The registry's host and port; docker.io where unset
    #[arg(default_value = "docker.io")]
    pub registry: String,
}

/// `logout`
#[derive(Args, Debug)]
pub struct LogoutArguments {
    /// The registry's host and port; docker.io where unset
    #[arg(default_value = "docker.io")]
    pub registry: String,
}
