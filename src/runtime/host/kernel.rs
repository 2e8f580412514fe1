//! What this machine is, as far as containers care.

use super::lsm;
use crate::model::container::resources::Ulimit;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::cgroup::Hierarchies;
use crate::runtime::plan;
use crate::runtime::rootless;
use crate::sys::userns;

/// This machine.
#[derive(Debug)]
pub struct Description {
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
    /// Whether this is an ordinary user.
    pub rootless: bool,
    /// The users of such a user's containers, as lines of `uid_map`.
    pub uid_map: Vec<String>,
    /// The same for groups.
    pub gid_map: Vec<String>,
    /// What confines containers, as `name=seccomp,profile=builtin`.
    pub security_options: Vec<String>,
    /// What it cannot do, and how to allow it.
    pub warnings: Vec<String>,
}

/// The host name of this machine.
pub fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Whether a process has a handler for a signal, and whether it ignores it (proc_pid_status(5)).
/// Without a handler the kernel gives it none that could end it, where it is the first of a process
/// namespace (pid_namespaces(7)).
pub fn signal_disposition(pid: i32, signal: Signal) -> [bool; 2] {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    ["SigCgt:", "SigIgn:"].map(|name| {
        let set = status.lines().find_map(|line| line.strip_prefix(name));
        let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
        set & (1 << (signal.number() - 1)) != 0
    })
}

/// The first child of a process; none where the kernel does not tell.
pub fn first_child(pid: i32) -> Option<i32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    std::fs::read_to_string(path).ok()?.split_whitespace().next()?.parse().ok()
}

/// Asks the kernel. Containers get their cgroups below `cgroup_parent`.
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
            "this user has no cgroup, so there is no limit, no `pause` and no `stats`; {}",
            rootless::delegation_hint(None, false)
        ));
    }
    let filesystems = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !filesystems.lines().any(|line| line.ends_with("\toverlay")) {
        warnings.push("the kernel has no overlay file system loaded: modprobe overlay".to_owned());
    }
    let maps = rootless::maps();
    let name = rustix::system::uname();
    let total = rustix::system::sysinfo();
    Description {
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

fn format_id_map(ranges: &[userns::Range]) -> Vec<String> {
    let line =
        |range: &userns::Range| format!("{} {} {}", range.inside, range.outside, range.count);
    ranges.iter().map(line).collect()
}

/// When a process started, in clock ticks since boot: field 22 of proc_pid_stat(5).
pub(crate) fn start_time(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The second field is in parentheses and may hold anything, so it is skipped from the end.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().nth(19).and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// Which boot this is.
pub fn boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

/// Whether overlay takes layers one by one (Linux 6.8).
pub(crate) fn has_lowerdir_append() -> bool {
    kernel_version() >= (6, 8)
}

/// How many layers a root may be stacked of. overlayfs takes 500; older kernels take them as one
/// text that must fit into a page (mount(2)), with some 85 bytes for each.
pub fn max_layers() -> usize {
    if has_lowerdir_append() { 400 } else { 45 }
}

/// The kernel's version, major and minor; (0, 0) where its release says none.
pub(crate) fn kernel_version() -> (u32, u32) {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy();
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Random bytes of the kernel.
///
/// # Errors
/// Only before the kernel has any, early at boot.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    crate::sys::random()
}

/// Refuses a score that this process may not give: an ordinary user can only make it more likely
/// that a process is chosen when memory runs out (proc_pid_oom_score_adj(5)).
///
/// # Errors
/// [`Kind::Denied`], with the least that is allowed.
pub fn check_oom_score(score: Option<i64>) -> Result<()> {
    let text = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    let least = text.trim().parse().unwrap_or(i64::MIN);
    if let Some(score) = score.filter(|score| userns::in_user_namespace() && *score < least) {
        let message = format!("--oom-score-adj {score}: only root may give less than {least}");
        return Err(Error::new(Kind::Denied, message).hint("leave it out, or run as root"));
    }
    Ok(())
}

/// Refuses limits of processes that this process may not give: only CAP_SYS_RESOURCE raises a hard
/// limit (setrlimit(2)).
///
/// # Errors
/// [`Kind::Denied`], with the most that is allowed.
pub fn check_ulimits(ulimits: &[Ulimit]) -> Result<()> {
    const CAP_SYS_RESOURCE: u64 = 24;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    // In a user namespace it means nothing for limits.
    if !userns::in_user_namespace() && effective.unwrap_or_default() >> CAP_SYS_RESOURCE & 1 == 1 {
        return Ok(());
    }
    for ulimit in ulimits {
        let resource = plan::resource(&ulimit.name)?;
        let Some(most) = rustix::process::getrlimit(resource).maximum else { continue };
        if ulimit.hard.cast_unsigned() > most {
            let message = format!("ulimit {ulimit}: only CAP_SYS_RESOURCE may raise a hard limit");
            let hint = format!("at most {0}={most}:{most} is possible here", ulimit.name);
            return Err(Error::new(Kind::Denied, message).hint(hint));
        }
    }
    Ok(())
}
