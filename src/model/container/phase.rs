//! What the record keeps of a run: how it was asked to stop, and what it used in each status.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::options::StopTimeout;
use super::status::Status;
use crate::model::value::signal::Signal;

/// How somebody asked a run to end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StopRecord {
    /// The signal that was sent.
    pub signal: Signal,
    /// How many seconds it was waited before the kill; `None` for ever, or for `kill`, which does
    /// not wait.
    pub grace: Option<f64>,
    /// Whether the program had a handler for the signal (`SigCgt`, proc_pid_status(5)).
    pub handled: bool,
    /// Whether it ignored the signal (`SigIgn`).
    #[serde(default)]
    pub ignored: bool,
    /// Whether the time was over and SIGKILL sent.
    pub killed: bool,
    /// Whether it was `stop` or `restart`, and not `kill` or `rm -f`.
    pub stop: bool,
}

impl StopRecord {
    /// As the monitor is asked to: by `stop` with a grace time, or by `kill`.
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
    /// Which: running or paused.
    pub status: Status,
    /// How long, all its times of this status together.
    #[serde(alias = "lasted")]
    pub duration: Duration,
    /// Processor time used in it.
    pub cpu: Duration,
    /// Bytes of memory at its end.
    pub memory: u64,
}

/// Adds what was used since the last change to the phase of this status.
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
