//! Parts of the record about runs: how the last run was stopped, and the usage in each status.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::options::StopTimeout;
use super::status::Status;
use crate::model::value::signal::Signal;

/// How `stop`, `restart`, `kill` or `rm -f` ended a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StopRecord {
    /// The signal that was sent.
    pub signal: Signal,
    /// The grace period in seconds. `None` without a limit, and for `kill`, which does not wait.
    pub grace: Option<f64>,
    /// Whether the program had a handler for the signal (`SigCgt`, proc_pid_status(5)).
    pub handled: bool,
    /// Whether the program ignored the signal (`SigIgn`).
    #[serde(default)]
    pub ignored: bool,
    /// Whether the grace period expired and SIGKILL was sent.
    pub killed: bool,
    /// Whether the verb was `stop` or `restart`, and not `kill` or `rm -f`.
    pub stop: bool,
}

impl StopRecord {
    /// Begins the record of a `stop` with a grace period, or of a `kill` without one.
    pub fn new(signal: Signal, grace: Option<StopTimeout>, [handled, ignored]: [bool; 2]) -> Self {
        let seconds = match grace {
            Some(StopTimeout::After(time)) => Some(time.as_secs_f64()),
            Some(StopTimeout::NoLimit) | None => None,
        };
        let (killed, stop) = (false, grace.is_some());
        StopRecord { signal, grace: seconds, handled, ignored, killed, stop }
    }
}

/// What a container used while it had one status.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsagePhase {
    /// The status: running or paused.
    pub status: Status,
    /// The total time in this status.
    #[serde(alias = "lasted")]
    pub duration: Duration,
    /// The processor time used in this status.
    pub cpu: Duration,
    /// Bytes of memory at the end of the phase.
    pub memory: u64,
}

/// Adds the usage since the last change to the phase of its status.
pub fn add_phase(phases: &mut Vec<UsagePhase>, new: UsagePhase) {
    match phases.iter_mut().find(|phase| phase.status == new.status) {
        Some(phase) => {
            phase.duration += new.duration;
            phase.cpu += new.cpu;
            phase.memory = new.memory;
        }
        None => phases.push(new),
    }
}
