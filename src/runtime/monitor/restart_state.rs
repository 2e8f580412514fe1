//! The state on which a restart depends.

use std::time::{Duration, Instant};

/// The state on which restarts depend.
#[derive(Debug)]
pub(super) struct RestartState {
    /// A request ends the container: no restart.
    pub(super) stopping: bool,
    /// The request is a `stop`, whose client waits for the exit.
    pub(super) stopped: bool,
    /// The delay before the last restart.
    pub(super) delay: Duration,
    /// When the present run started.
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
