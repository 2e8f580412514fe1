//! What a run of the container uses.

use std::time::{Duration, Instant};

/// When the count started, and what was used until then.
#[derive(Clone, Copy, Debug)]
pub(super) struct UsageMeter {
    pub(super) since: Instant,
    pub(super) cpu: Duration,
}

impl UsageMeter {
    /// Starts counting, in a new cgroup.
    pub(super) fn start() -> Self {
        UsageMeter { since: Instant::now(), cpu: Duration::ZERO }
    }
}
