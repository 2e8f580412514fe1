//! Why a container is as it is: what its record says of its end, as one of the known stories.

use super::phase::StopRecord;
use super::record::Container;
use super::status::Status;
use crate::model::value::env::DEFAULT_PATH;
use crate::model::value::signal::Signal;

/// Why a run was lost: its record says one of these.
pub const MONITOR_KILLED: &str = "its monitor was killed, and the container with it";
/// The other.
pub const HOST_RESTARTED: &str = "the host was restarted";

/// Why a container is as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum StatusReason {
    /// It was made and not started.
    NotStarted,
    /// It runs.
    Running,
    /// It runs, and its health check fails.
    Unhealthy,
    /// It is frozen.
    Paused,
    /// It ended with this code and will be started again.
    Restarting(i32),
    /// Its record is damaged.
    Damaged,
    /// Its program is not there.
    ProgramMissing {
        /// As it was asked for.
        program: String,
        /// The directories that were searched; empty where it has a `/`.
        path: Vec<String>,
    },
    /// Its program is there and can't be executed.
    ProgramRefused {
        /// As it was asked for.
        program: String,
    },
    /// It could not be started, for this reason.
    StartFailed(String),
    /// Its program was done, and all was well.
    Done,
    /// Its program ended with a code of its own.
    Failed(i32),
    /// It wanted more memory than it may have.
    OutOfMemory {
        /// Its limit in bytes; 0 where the machine was full.
        limit: u64,
        /// The most that it had, in bytes; 0 where the kernel does not count that.
        peak: u64,
    },
    /// It was asked to stop, did not end in time, and was killed.
    KilledAfterGrace(StopRecord),
    /// It was asked to stop, and did.
    Stopped(StopRecord, i32),
    /// Somebody killed it.
    Killed(StopRecord),
    /// A signal ended it that lifebox did not send.
    Signalled(Signal),
    /// It exited with 128 and the number of this signal, as shells do for what they ran.
    ExitedLikeSignal(Signal),
    /// Its monitor or the machine went away under it.
    Lost(String),
}

impl StatusReason {
    /// What the record of a container says.
    pub fn from_container(container: &Container) -> StatusReason {
        let state = &container.state;
        match state.status {
            Status::Created if state.error.is_empty() => return StatusReason::NotStarted,
            Status::Running if container.health() == "unhealthy" => return StatusReason::Unhealthy,
            Status::Running => return StatusReason::Running,
            Status::Paused => return StatusReason::Paused,
            Status::Restarting => return StatusReason::Restarting(state.exit_code),
            Status::Dead => return StatusReason::Damaged,
            Status::Created | Status::Exited => {}
        }
        // A start that failed leaves no end of a run after it.
        let ran = state.started_at.is_some() && state.finished_at.is_some();
        if !state.error.is_empty() && (!ran || state.exit_code == 127 || state.exit_code == 126) {
            return start_failure(container);
        }
        if !state.error.is_empty() && matches!(state.exit_code, 137 | 255) && !state.oom_killed {
            return StatusReason::Lost(state.error.clone());
        }
        if state.oom_killed && state.exit_code != 0 {
            let limit = container.spec.host.resources.memory.unwrap_or(0);
            let limit = u64::try_from(limit).unwrap_or(0);
            return StatusReason::OutOfMemory { limit, peak: state.memory_peak };
        }
        match (&state.stopped, state.exit_code) {
            (Some(stopped), _) if stopped.killed => StatusReason::KilledAfterGrace(stopped.clone()),
            (Some(stopped), code) if stopped.stop => StatusReason::Stopped(stopped.clone(), code),
            (Some(stopped), code) if code == 128 + stopped.signal.number() => {
                StatusReason::Killed(stopped.clone())
            }
            (_, 0) => StatusReason::Done,
            (_, code) => match (state.exit_signal, Signal::from_number(code - 128)) {
                (Some(signal), _) => StatusReason::Signalled(signal),
                // A shell, or `--init`, says so of a program that it ran.
                (None, Some(signal)) => StatusReason::ExitedLikeSignal(signal),
                (None, None) => StatusReason::Failed(code),
            },
        }
    }

    /// Its name in the texts of all languages.
    pub fn key(&self) -> &'static str {
        match self {
            StatusReason::NotStarted => "not-started",
            StatusReason::Running => "running",
            StatusReason::Unhealthy => "unhealthy",
            StatusReason::Paused => "paused",
            StatusReason::Restarting(_) => "restarting",
            StatusReason::Damaged => "damaged",
            StatusReason::ProgramMissing { path, .. } if path.is_empty() => "file-missing",
            StatusReason::ProgramMissing { .. } => "program-missing",
            StatusReason::ProgramRefused { .. } => "program-refused",
            StatusReason::StartFailed(_) => "start-failed",
            StatusReason::Done => "done",
            StatusReason::Failed(126) => "failed-not-executable",
            StatusReason::Failed(127) => "failed-not-found",
            StatusReason::Failed(_) => "failed",
            StatusReason::OutOfMemory { limit: 0, .. } => "machine-full",
            StatusReason::OutOfMemory { .. } => "out-of-memory",
            StatusReason::KilledAfterGrace(StopRecord { ignored: true, .. }) => "killed-ignored",
            StatusReason::KilledAfterGrace(StopRecord { handled: false, .. }) => "killed-unhandled",
            StatusReason::KilledAfterGrace(_) => "killed-late",
            StatusReason::Stopped(..) => "stopped",
            StatusReason::Killed(_) => "killed",
            StatusReason::Signalled(_) => "signalled",
            StatusReason::ExitedLikeSignal(_) => "says-signal",
            StatusReason::Lost(reason) if reason == HOST_RESTARTED => "lost-host",
            StatusReason::Lost(_) => "lost-monitor",
        }
    }
}

fn start_failure(container: &Container) -> StatusReason {
    let program = container.spec.config.argv().first().cloned().unwrap_or_default();
    // Only the last step of a start names the program.
    if !container.state.error.contains(&format!("`{program}`: ")) {
        return StatusReason::StartFailed(container.state.error.clone());
    }
    match container.state.exit_code {
        127 => {
            let path = if program.contains('/') { Vec::new() } else { search_path(container) };
            StatusReason::ProgramMissing { program, path }
        }
        126 => StatusReason::ProgramRefused { program },
        _ => StatusReason::StartFailed(container.state.error.clone()),
    }
}

/// The directories of the container's PATH; Docker's where its environment has none.
fn search_path(container: &Container) -> Vec<String> {
    let set = container.spec.config.env.iter().rev();
    let path = set.filter_map(|entry| entry.strip_prefix("PATH=")).next();
    let path = path.unwrap_or(DEFAULT_PATH);
    path.split(':').filter(|directory| !directory.is_empty()).map(str::to_owned).collect()
}
