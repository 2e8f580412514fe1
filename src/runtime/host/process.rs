//! Facts about a process in the host's `/proc`.

use crate::model::value::signal::Signal;

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

/// Returns the first child of a process, `None` if the kernel does not list children.
pub fn first_child(pid: i32) -> Option<i32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    std::fs::read_to_string(path).ok()?.split_whitespace().next()?.parse().ok()
}

/// Returns when a process started, in clock ticks since boot: field 22 of proc_pid_stat(5).
pub(crate) fn start_time(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The second field is in parentheses and may hold anything, so it is skipped from the end.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().nth(19).and_then(|field| field.parse().ok()).unwrap_or(0)
}
