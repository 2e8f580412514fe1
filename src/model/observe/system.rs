//! Facts of the engine and the host, for `info` and `version`.

use serde::Serialize;

/// The output of `info`.
#[derive(Clone, Debug, Serialize)]
pub struct Info {
    /// lifebox's version.
    pub version: String,
    /// Where everything is stored.
    pub root: String,
    /// How many containers there are, by status.
    pub containers: u64,
    /// How many run.
    pub running: u64,
    /// How many are paused.
    pub paused: u64,
    /// How many have exited or never started.
    pub stopped: u64,
    /// How many images there are.
    pub images: u64,
    /// The host's name.
    pub name: String,
    /// The host's distribution with its version, such as `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// The version of the distribution, such as `12`.
    pub os_version: String,
    /// The kernel's release.
    pub kernel: String,
    /// Such as `x86_64`.
    pub architecture: String,
    /// `v2`, `v1` or `hybrid`.
    pub cgroup_version: String,
    /// The controllers that containers get.
    pub cgroup_controllers: Vec<String>,
    /// The storage driver: `overlay2` or `vfs`.
    pub storage: String,
    /// The number of processors.
    pub cpus: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Whether the engine runs as an ordinary user.
    pub rootless: bool,
    /// The users of an ordinary user's containers, as lines of `uid_map`: first inside, first
    /// outside, how many.
    pub uid_map: Vec<String>,
    /// The groups, in the same form.
    pub gid_map: Vec<String>,
    /// The security options of this host, in Docker's words: `name=seccomp,profile=builtin`.
    pub security_options: Vec<String>,
    /// What this host cannot do and how to allow it.
    pub warnings: Vec<String>,
}
