//! The processes of a container that has no cgroup: all that are in its mount namespace, which no
//! container shares and none can leave without a capability that it does not have.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags};

use crate::model::value::signal::Signal;
use crate::sys::process;

/// Returns the identity of a process's mount namespace; `None` if the process has exited.
pub fn mounts_of(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/mnt")).ok()
}

/// Returns the ids of all processes in a mount namespace.
pub fn with_mounts(mounts: &Path) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let sees = |pid: &u32| {
        i32::try_from(*pid).ok().and_then(mounts_of).is_some_and(|theirs| theirs == mounts)
    };
    pids.filter(sees).collect()
}

/// Kills all processes in a mount namespace, including new ones.
pub fn kill_all(mounts: &Path) {
    // A round that finds no new process is the last; a process that cannot be killed must not hold
    // it up.
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
    // The descriptor still refers to a process of the container.
    if mounts_of(pid).is_some_and(|theirs| theirs == mounts) {
        let _ = process::send_signal(&process, Signal::KILL.number());
    }
}
