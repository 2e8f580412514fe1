//! The inputs of a plan besides the container's configuration.

use std::path::PathBuf;

use oci_spec::runtime::LinuxDevice;

use crate::sys::userns::Identity;

/// The properties of host and monitor that a plan depends on.
#[derive(Clone, Debug, Default)]
pub struct PlanInputs {
    /// Each v1 hierarchy to mount inside: directory name, and its mount options.
    pub cgroup_v1: Vec<(String, Vec<String>)>,
    /// The directory below `/sys/fs/cgroup` of the unified hierarchy (empty: itself), if there is
    /// one.
    pub cgroup_v2: Option<String>,
    /// For a container in the host's cgroup namespace: its own cgroup in each of these hierarchies,
    /// by the name of the hierarchy's directory. Without v1 there are none, and all is shown.
    pub own_cgroups: Option<Vec<(String, PathBuf)>>,
    /// Whether the container keeps standard input open.
    pub open_stdin: bool,
    /// Whether the container has run before: only the first start fills its volumes.
    pub has_started: bool,
    /// Whether overlay takes layers one by one (Linux 6.8).
    pub has_lowerdir_append: bool,
    /// Whether what the container writes to its root may be lost in a crash of the host: overlay
    /// then waits for no disk (overlayfs.rst, "Volatile mount").
    pub volatile: bool,
    /// The ids of the monitor in its user namespace.
    pub identity: Identity,
    /// Whether a cgroup decides which devices may be opened.
    pub limits_devices: bool,
    /// All devices of the host, for a privileged container.
    pub devices: Option<Vec<LinuxDevice>>,
}

/// The standard input of a process without a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardInput {
    /// A pipe from the caller.
    Pipe,
    /// The container's `/dev/null`.
    Null,
}
