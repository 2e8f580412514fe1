//! Resource usage of a container: the counters of its cgroup.

use std::time::Duration;

use super::file::read;
use super::group::Cgroup;
use crate::model::observe::stats::Stats;

impl Cgroup {
    /// Returns the current usage, without the network. What the host does not count is zero.
    pub fn usage(&self) -> Stats {
        let mut stats = Stats::default();
        let unified = self.unified.as_deref();
        let text = |v1: &str, old: &str, new: &str| match (self.v1_with(v1), unified) {
            (Some(directory), _) => read(directory, old).unwrap_or_default(),
            (None, Some(directory)) => read(directory, new).unwrap_or_default(),
            (None, None) => String::new(),
        };
        let number = |text: String| text.trim().parse::<u64>().unwrap_or_default();
        let is_v1 = |controller: &str| self.v1_with(controller).is_some();
        stats.cpu_time = if is_v1("cpuacct") {
            Duration::from_nanos(number(text("cpuacct", "cpuacct.usage", "")))
        } else {
            Duration::from_micros(field(&text("cpuacct", "", "cpu.stat"), "usage_usec"))
        };
        let used = number(text("memory", "memory.usage_in_bytes", "memory.current"));
        let cache = if is_v1("memory") { "total_inactive_file" } else { "inactive_file" };
        let cache = field(&text("memory", "memory.stat", "memory.stat"), cache);
        stats.memory = used.saturating_sub(cache);
        let limit = text("memory", "memory.limit_in_bytes", "memory.max");
        let limit = limit.trim().parse().unwrap_or(u64::MAX);
        stats.memory_limit = limit.min(host_memory());
        stats.pids = number(text("pids", "pids.current", "pids.current"));
        stats.block = self.block();
        stats
    }

    fn block(&self) -> Option<(u64, u64)> {
        if let Some(directory) = self.v1_with("blkio") {
            let text = read(directory, "blkio.throttle.io_service_bytes").ok()?;
            let sum = |word: &str| -> u64 {
                let of = |line: &str| {
                    let mut words = line.split_whitespace().skip(1);
                    if words.next()? == word { words.next()?.parse::<u64>().ok() } else { None }
                };
                text.lines().filter_map(of).sum::<u64>()
            };
            return Some((sum("Read"), sum("Write")));
        }
        let text = read(self.unified.as_deref()?, "io.stat").ok()?;
        let sum = |key: &str| -> u64 {
            let words = text.split_whitespace();
            words.filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok()).sum()
        };
        Some((sum("rbytes="), sum("wbytes=")))
    }
}

/// Returns the number after a key, in a file of such lines.
fn field(text: &str, key: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

fn host_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}
