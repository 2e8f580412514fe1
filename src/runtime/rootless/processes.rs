//! The processes of a container that has no cgroup: all that are in its mount namespace, which no
//! container shares and none can leave without a capability that it does not have.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags};

use crate::model::value::signal::Signal;
use crate::sys::process;

/// What tells the mount namespace of a process from all others; `None` where it has ended.
pub fn mounts_of(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/mnt")).ok()
}

/// The numbers of all processes that see these mounts.
pub fn with_mounts(mounts: &Path) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let sees = |pid: &u32| {
        i32::try_from(*pid).ok().and_then(mounts_of).is_some_and(|theirs| theirs == mounts)
    };
    pids.filter(sees).collect()
}

/// Kills all that see these mounts, and those that they make meanwhile.
pub fn kill_all(mounts: &Path) {
    // A round that finds nobody new is the last; one that can't be killed must not hold it up.
    let mut known = std::collections::BTreeSet::new();
    loop {
        let new: Vec<_> =
            with_mounts(mounts).into_iter().filter(|pid| known.insert(*pid)).collect();
        if new.is_empty() {
            return;
        }
        new.into_iter().filter_map(|pid| i32::try_from(pid).ok()).for_each(|pid| kill(pid, mounts));
    }
}

fn kill(pid: i32, mounts: &Path) {
    let Some(number) = Pid::from_raw(pid) else { return };
    let Ok(process) = rustix::process::pidfd_open(number, PidfdFlags::empty()) else { return };
    // What was opened is still the container's.
    if mounts_of(pid).is_some_and(|theirs| theirs == mounts) {
        let _ = process::send_signal(&process, Signal::KILL.number());
    }
}
