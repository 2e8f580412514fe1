//! What the monitor decides by: when to restart, and what a run uses.

use std::time::{Duration, Instant};

/// What restarts depend on.
#[derive(Debug)]
pub(super) struct RestartState {
    /// Somebody ends it: no restart.
    pub(super) stopping: bool,
    /// It is ended by `stop`, which is told when it has.
    pub(super) stopped: bool,
    /// The pause before the last restart.
    pub(super) delay: Duration,
    /// When the present run began.
    pub(super) run_started: Instant,
}

impl RestartState {
    pub(super) fn new() -> Self {
        RestartState {
            stopping: false,
            stopped: false,
            delay: Duration::ZERO,
            run_started: Instant::now(),
        }
    }
}

/// Since when it is counted, and how much was used until then.
#[derive(Clone, Copy, Debug)]
pub(super) struct UsageMeter {
    pub(super) since: Instant,
    pub(super) cpu: Duration,
}

impl UsageMeter {
    /// From now on, in a new cgroup.
    pub(super) fn begin() -> Self {
        UsageMeter { since: Instant::now(), cpu: Duration::ZERO }
    }
}
