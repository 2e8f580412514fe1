//! What a container uses at one moment.

use std::time::{Duration, Instant};

/// What a container uses at one moment; all zero while it does not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// When it was looked at.
    pub at: Option<Instant>,
    /// Processor time it has used.
    pub cpu_time: Duration,
    /// Bytes of memory, without the file cache that could be given back at once.
    pub memory: u64,
    /// The most it may use: its limit, or the host's memory.
    pub memory_limit: u64,
    /// Bytes received and sent on the network, without its own loopback.
    pub network: (u64, u64),
    /// Bytes read from and written to block devices, where the host counts them.
    pub block: Option<(u64, u64)>,
    /// Processes and threads.
    pub pids: u64,
}

impl Stats {
    /// Per cent of one processor that were used since `before`.
    pub fn cpu_percent(&self, before: &Stats) -> f64 {
        let (Some(now), Some(then)) = (self.at, before.at) else { return 0.0 };
        let wall = now.saturating_duration_since(then).as_secs_f64();
        let used = self.cpu_time.saturating_sub(before.cpu_time).as_secs_f64();
        if wall > 0.0 { used / wall * 100.0 } else { 0.0 }
    }

    /// Per cent of the memory that it may use.
    pub fn memory_percent(&self) -> f64 {
        match self.memory_limit {
            0 => 0.0,
            limit => self.memory as f64 / limit as f64 * 100.0,
        }
    }
}
