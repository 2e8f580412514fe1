//! What a plan depends on besides the container's configuration.

use oci_spec::runtime::LinuxDevice;

use crate::sys::userns::Identity;

/// What a plan depends on of the host and the monitor.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Each v1 hierarchy to show inside: directory name, and its mount options.
    pub cgroup_v1: Vec<(String, Vec<String>)>,
    /// Whether the unified hierarchy is there, and where below `/sys/fs/cgroup` (empty: itself).
    pub cgroup_v2: Option<String>,
    /// Whether the container keeps standard input open.
    pub open_stdin: bool,
    /// Whether overlay takes layers one by one (Linux 6.8).
    pub has_lowerdir_append: bool,
    /// The ids of the monitor in its user namespace.
    pub identity: Identity,
    /// All devices of the host, for a privileged container.
    pub devices: Option<Vec<LinuxDevice>>,
}
