//! What the host offers containers, and what it lacks: for `info`.

use crate::runtime::cgroup::{self, Hierarchies};
use crate::runtime::host::lsm;
use crate::runtime::rootless;
use crate::sys::userns;

/// What the host offers containers.
#[derive(Debug)]
pub struct Description {
    /// The host's name.
    pub name: String,
    /// The host's distribution with its version; empty if the host does not say.
    pub operating_system: String,
    /// The version of the distribution; empty if the host does not say.
    pub os_version: String,
    /// The kernel's release.
    pub kernel: String,
    /// Such as `x86_64`.
    pub architecture: String,
    /// `v2`, `v1`, `hybrid`, or `none`.
    pub cgroup_version: String,
    /// The controllers that containers get.
    pub cgroup_controllers: Vec<String>,
    /// The number of processors.
    pub cpus: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Whether this process belongs to an ordinary user.
    pub rootless: bool,
    /// The user ids of an ordinary user's containers, as lines of `uid_map`.
    pub uid_map: Vec<String>,
    /// The group ids, as lines of `gid_map`.
    pub gid_map: Vec<String>,
    /// What confines containers, as `name=seccomp,profile=builtin`.
    pub security_options: Vec<String>,
    /// What the host cannot do, each with the command that changes it.
    pub warnings: Vec<String>,
}

/// Describes the host. Containers get their cgroups below `cgroup_parent`.
pub fn describe(cgroup_parent: &str) -> Description {
    let mut warnings = Vec::new();
    let hierarchies = Hierarchies::of_host().unwrap_or_else(|error| {
        warnings.push(error.to_string());
        Hierarchies::default()
    });
    let version = hierarchies.version();
    let hierarchies = hierarchies.delegated(cgroup_parent.as_ref());
    warnings.extend(rootless::warnings());
    if userns::in_user_namespace() && hierarchies == Hierarchies::default() {
        warnings.push(format!(
            "limits, `pause` and `stats` are not available, because this user has no cgroup: {}",
            cgroup::delegation_hint(None, false)
        ));
    }
    let filesystems = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !filesystems.lines().any(|line| line.ends_with("\toverlay")) {
        warnings.push("the kernel has no overlay file system loaded: modprobe overlay".to_owned());
    }
    let maps = rootless::maps();
    let name = rustix::system::uname();
    let total = rustix::system::sysinfo();
    let release = ["/etc/os-release", "/usr/lib/os-release"];
    let release = release.iter().find_map(|path| std::fs::read_to_string(path).ok());
    let release = release.unwrap_or_default();
    Description {
        name: name.nodename().to_string_lossy().into_owned(),
        operating_system: field(&release, "PRETTY_NAME"),
        os_version: field(&release, "VERSION_ID"),
        kernel: name.release().to_string_lossy().into_owned(),
        architecture: name.machine().to_string_lossy().into_owned(),
        cgroup_version: version.to_owned(),
        cgroup_controllers: hierarchies.controllers_below(cgroup_parent.as_ref()),
        cpus: std::thread::available_parallelism().map_or(1, |count| count.get() as u64),
        memory: total.totalram.saturating_mul(u64::from(total.mem_unit)),
        rootless: maps.is_some(),
        security_options: lsm::security_options(maps.is_some()),
        uid_map: maps.map(|maps| format_id_map(&maps.uids)).unwrap_or_default(),
        gid_map: maps.map(|maps| format_id_map(&maps.gids)).unwrap_or_default(),
        warnings,
    }
}

/// Returns a field of os-release(5), without its quotes.
fn field(release: &str, name: &str) -> String {
    let value = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
}

fn format_id_map(ranges: &[userns::Range]) -> Vec<String> {
    let line =
        |range: &userns::Range| format!("{} {} {}", range.inside, range.outside, range.count);
    ranges.iter().map(line).collect()
}
