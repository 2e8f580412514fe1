//! Why a container has its status, read from its record.

use super::phase::StopRecord;
use super::record::Container;
use super::status::Status;
use crate::model::value::env::DEFAULT_PATH;
use crate::model::value::signal::Signal;

/// The error in the record of a run whose monitor was killed.
pub const MONITOR_KILLED: &str = "its monitor was killed, and the container with it";
/// The error in the record of a run that ended with the host.
pub const HOST_RESTARTED: &str = "the host was restarted";

/// Why a container has its status.
#[derive(Clone, Debug, PartialEq)]
pub enum StatusReason {
    /// Created, never started.
    NotStarted,
    /// The container runs.
    Running,
    /// The container runs, and its health check fails.
    Unhealthy,
    /// The container is paused.
    Paused,
    /// The container exited with this code and will be restarted.
    Restarting(i32),
    /// The record is damaged.
    Damaged,
    /// The program does not exist.
    ProgramMissing {
        /// The program as configured.
        program: String,
        /// The directories that were searched; empty for a path with `/`.
        path: Vec<String>,
    },
    /// The program exists and cannot be executed.
    ProgramRefused {
        /// The program as configured.
        program: String,
    },
    /// The start failed, with this error.
    StartFailed(String),
    /// The program exited with code 0.
    Done,
    /// The program exited with this code.
    Failed(i32),
    /// The kernel killed the program because memory ran out.
    OutOfMemory {
        /// The limit in bytes; 0 where the memory of the host was full.
        limit: u64,
        /// The peak in bytes; 0 where the kernel does not count it.
        peak: u64,
    },
    /// `stop` killed the container after the grace period.
    KilledAfterGrace(StopRecord),
    /// `stop` sent its signal, and the program exited with this code in time.
    Stopped(StopRecord, i32),
    /// `kill` or `rm -f` killed the container.
    Killed(StopRecord),
    /// A signal that lifebox did not send ended the program.
    Signalled(Signal),
    /// The program exited with 128 + this signal, as shells do when a child dies of it.
    ExitedLikeSignal(Signal),
    /// The monitor was killed or the host restarted; the error says which.
    Lost(String),
}

impl StatusReason {
    /// Reads the reason from the record of a container.
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
            let limit = container.spec.host_config.resources.memory.unwrap_or(0);
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
                // A shell, or `--init`, returns this code for a program that it ran.
                (None, Some(signal)) => StatusReason::ExitedLikeSignal(signal),
                (None, None) => StatusReason::Failed(code),
            },
        }
    }

    /// Returns the key of the reason in the texts of all languages.
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
            StatusReason::ExitedLikeSignal(_) => "exited-like-signal",
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

/// Returns the directories of the container's PATH; of [`DEFAULT_PATH`] without one.
fn search_path(container: &Container) -> Vec<String> {
    let set = container.spec.config.env.iter().rev();
    let path = set.filter_map(|entry| entry.strip_prefix("PATH=")).next();
    let path = path.unwrap_or(DEFAULT_PATH);
    path.split(':').filter(|directory| !directory.is_empty()).map(str::to_owned).collect()
}
