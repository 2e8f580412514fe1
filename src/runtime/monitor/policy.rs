//! What a run uses, counted for each status that it has.

use std::time::{Duration, Instant};

use super::Monitor;
use crate::model::container::phase::{UsagePhase, add_phase};
use crate::model::container::status::Status;

/// Since when it is counted, and how much was used until then.
#[derive(Clone, Copy, Debug)]
pub(super) struct UsageMeter {
    since: Instant,
    cpu: Duration,
}

impl UsageMeter {
    /// From now on, in a new cgroup.
    pub(super) fn begin() -> Self {
        UsageMeter { since: Instant::now(), cpu: Duration::ZERO }
    }
}

impl Monitor {
    /// Counts what was used since the last call for this status.
    pub(super) fn measure(&mut self, status: Status) {
        let (now, usage) = (Instant::now(), self.cgroup.usage());
        let phase = UsagePhase {
            status,
            duration: now.saturating_duration_since(self.meter.since),
            cpu: usage.cpu_time.saturating_sub(self.meter.cpu),
            memory: usage.memory,
        };
        add_phase(&mut self.state.phases, phase);
        self.meter = UsageMeter { since: now, cpu: usage.cpu_time };
    }
}
