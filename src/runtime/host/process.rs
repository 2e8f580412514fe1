//! Facts about a process in the host's `/proc`.

use std::collections::BTreeSet;

use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::sys::process_state::ProcessState;

/// Returns whether a process handles a signal, and whether it ignores it (proc_pid_status(5)).
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

/// Returns the processes of the engine whose argument 0 is `name`, with their other arguments. A
/// program in a container may choose its arguments, and does not count.
pub(crate) fn with_name(name: &str) -> Vec<(i32, Vec<String>)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let own = containers_of("self");
    let matching = |pid: i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut words = line.trim_end_matches('\0').split('\0').map(str::to_owned);
        let is_named = words.next()? == name;
        (is_named && containers_of(&pid.to_string()) == own).then(|| (pid, words.collect()))
    };
    pids.filter_map(matching).collect()
}

/// Returns the containers in whose cgroups a process is: this engine may run in some itself.
fn containers_of(process: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default();
    let parts = text.lines().flat_map(|line| line.split('/'));
    parts.filter(|part| part.parse::<ContainerId>().is_ok()).map(str::to_owned).collect()
}

/// Returns the children of a process, none if the kernel does not list them.
pub fn children(pid: i32) -> Vec<i32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

/// Returns the first child of a process, `None` if the kernel does not list children.
pub fn first_child(pid: i32) -> Option<i32> {
    children(pid).first().copied()
}

/// Returns when a process started, in clock ticks since boot; 0 if there is none.
pub(crate) fn start_time(pid: i32) -> u64 {
    ProcessState::of(pid).map_or(0, |process| process.start)
}
