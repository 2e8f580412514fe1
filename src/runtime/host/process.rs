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

/// Returns the processes whose argument 0 is `name`, with their other arguments.
pub(crate) fn with_name(name: &str) -> Vec<(i32, Vec<String>)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let matching = |pid: i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut words = line.trim_end_matches('\0').split('\0').map(str::to_owned);
        (words.next()? == name).then(|| (pid, words.collect()))
    };
    pids.filter_map(matching).collect()
}

/// Describes the state of a process: field 3 of proc_pid_stat(5).
pub(crate) fn state_of(pid: i32) -> &'static str {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    match rest.trim_start().chars().next() {
        Some('T' | 't') => "stopped",
        Some('D') => "waiting for a device, and unkillable",
        Some('Z' | 'X') | None => "exited",
        Some(_) => "running",
    }
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
