//! What a container uses at one moment.

use std::time::{Duration, Instant};

/// What a container uses at one moment; all zero while it does not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// When the usage was read.
    pub at: Option<Instant>,
    /// Processor time used since the start.
    pub cpu_time: Duration,
    /// Bytes of memory, without the file cache that the kernel can free immediately.
    pub memory: u64,
    /// The memory limit, or the host's memory without one.
    pub memory_limit: u64,
    /// Bytes received and sent on the network, without the loopback interface.
    pub network: (u64, u64),
    /// Bytes read from and written to block devices, where the host counts them.
    pub block: Option<(u64, u64)>,
    /// Processes and threads.
    pub pids: u64,
}

impl Stats {
    /// Returns the processor usage since `before`, in percent of one processor.
    pub fn cpu_percent(&self, before: &Stats) -> f64 {
        let (Some(now), Some(then)) = (self.at, before.at) else { return 0.0 };
        let wall = now.saturating_duration_since(then).as_secs_f64();
        let used = self.cpu_time.saturating_sub(before.cpu_time).as_secs_f64();
        if wall > 0.0 { used / wall * 100.0 } else { 0.0 }
    }

    /// Returns the memory usage, in percent of the limit.
    pub fn memory_percent(&self) -> f64 {
        match self.memory_limit {
            0 => 0.0,
            limit => self.memory as f64 / limit as f64 * 100.0,
        }
    }
}
