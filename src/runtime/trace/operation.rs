//! What client and monitor do for a verb, besides the steps of init: names, words and calls.
//!
//! The code that does an operation records it (`trace::record`); `explain` lists it beforehand by
//! [`Operation::describe`]. A test compares the two (`tests/it/teaching.rs`).

use crate::model::container::options::StopTimeout;
use crate::model::script::trace::{ProcessRole, TraceStep};
use crate::model::value::signal::Signal;

/// An operation of the client or the monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Write the files of a new container into a staging directory.
    WriteFiles,
    /// Claim the name, and publish the container's directory.
    ClaimName(String),
    /// Lock the container: only the holder of the lock may change it.
    TakeLock,
    /// Start the monitor, a fresh execution of this program.
    StartMonitor,
    /// Send a request to the monitor's socket.
    AskMonitor,
    /// Remove the container's files.
    RemoveFiles,
    /// Create the cgroup.
    MakeCgroup,
    /// Write the limits to the cgroup.
    SetLimits,
    /// Open the log.
    OpenLog,
    /// Join the PID namespace of another container before init is cloned.
    JoinPidNamespace,
    /// Clone the first process into new namespaces, given by their flags.
    Clone(i32),
    /// Wait until init has executed the program.
    WaitForExec,
    /// Write the container's `state.json`.
    WriteState,
    /// Freeze the cgroup.
    Freeze,
    /// Thaw the cgroup.
    Thaw,
    /// Send a signal to the container's first process.
    SendSignal(Signal),
    /// Wait until the container exits, at most for this timeout.
    WaitForExit(StopTimeout),
    /// Reap the first process, which yields the exit status.
    Reap,
    /// Remove the cgroup.
    RemoveCgroup,
}

/// The flags of clone(2) in the order of messages, with their names in namespaces(7).
pub const NAMESPACES: [(i32, &str); 7] = [
    (libc::CLONE_NEWUSER, "user"),
    (libc::CLONE_NEWPID, "pid"),
    (libc::CLONE_NEWNS, "mnt"),
    (libc::CLONE_NEWNET, "net"),
    (libc::CLONE_NEWUTS, "uts"),
    (libc::CLONE_NEWIPC, "ipc"),
    (libc::CLONE_NEWCGROUP, "cgroup"),
];

impl Operation {
    /// Describes the operation as a step of `who` that is not done yet.
    #[expect(clippy::too_many_lines, reason = "one arm an operation")]
    pub fn describe(&self, who: ProcessRole) -> TraceStep {
        let (key, what, calls): (_, String, &[&str]) = match self {
            Operation::WriteFiles => (
                "write-files",
                "write config.json, spec.json and state.json".into(),
                &["mkdir", "openat", "write"],
            ),
            Operation::ClaimName(name) => {
                ("claim-name", format!("claim the name {name}"), &["symlink", "rename"])
            }
            Operation::TakeLock => ("take-lock", "lock the container".into(), &["openat", "flock"]),
            Operation::StartMonitor => ("start-monitor", "start the monitor".into(), &["execve"]),
            Operation::AskMonitor => {
                ("send-request", "send a request to the monitor".into(), &["sendto"])
            }
            Operation::RemoveFiles => {
                ("remove-files", "remove the container's files".into(), &["rename", "unlinkat"])
            }
            Operation::MakeCgroup => ("create-cgroup", "create the cgroup".into(), &["mkdir"]),
            Operation::SetLimits => {
                ("set-limits", "write the limits to the cgroup".into(), &["write"])
            }
            Operation::OpenLog => ("open-log", "open log.jsonl".into(), &["openat"]),
            Operation::JoinPidNamespace => (
                "join-pid-namespace",
                "join the PID namespace of another container".into(),
                &["setns"],
            ),
            Operation::Clone(0) => ("clone-plain", "clone a process".into(), &["clone3"]),
            Operation::Clone(flags) => (
                "clone",
                format!("clone a process in new namespaces: {}", namespace_names(*flags)),
                &["clone3"],
            ),
            Operation::WaitForExec => {
                ("wait-for-exec", "wait until init executes the program".into(), &["read"])
            }
            Operation::WriteState => {
                ("write-state", "write state.json".into(), &["openat", "write", "rename"])
            }
            Operation::Freeze => ("freeze", "freeze the cgroup".into(), &["write"]),
            Operation::Thaw => ("thaw", "thaw the cgroup".into(), &["write"]),
            Operation::SendSignal(signal) => (
                "send-signal",
                format!("send {signal} to the first process"),
                &["pidfd_send_signal"],
            ),
            Operation::WaitForExit(StopTimeout::NoLimit) => {
                ("wait-for-exit", "wait until the container exits".into(), &["poll"])
            }
            Operation::WaitForExit(StopTimeout::After(time)) => {
                let seconds = time.as_secs_f64();
                let what = format!("wait until the container exits, at most {seconds} s");
                ("wait-for-exit", what, &["poll"])
            }
            Operation::Reap => ("reap", "collect the exit status".into(), &["waitid"]),
            Operation::RemoveCgroup => ("remove-cgroup", "remove the cgroup".into(), &["rmdir"]),
        };
        let facts = self.fields().into_iter().map(|(name, value)| (name.to_owned(), value));
        TraceStep {
            role: who,
            key: key.to_owned(),
            summary: what,
            fields: facts.collect(),
            syscalls: calls.iter().map(|call| (*call).to_owned()).collect(),
            failure: None,
            span: None,
        }
    }

    fn fields(&self) -> Option<(&'static str, String)> {
        match self {
            Operation::ClaimName(name) => Some(("name", name.clone())),
            Operation::Clone(flags) => Some(("kinds", namespace_names(*flags))),
            Operation::SendSignal(signal) => Some(("signal", signal.to_string())),
            Operation::WaitForExit(StopTimeout::After(time)) => {
                Some(("seconds", time.as_secs_f64().to_string()))
            }
            Operation::WaitForExit(StopTimeout::NoLimit) => Some(("seconds", "-1".to_owned())),
            Operation::WriteFiles
            | Operation::TakeLock
            | Operation::StartMonitor
            | Operation::AskMonitor
            | Operation::RemoveFiles
            | Operation::MakeCgroup
            | Operation::SetLimits
            | Operation::OpenLog
            | Operation::JoinPidNamespace
            | Operation::WaitForExec
            | Operation::WriteState
            | Operation::Freeze
            | Operation::Thaw
            | Operation::Reap
            | Operation::RemoveCgroup => None,
        }
    }
}

fn namespace_names(flags: i32) -> String {
    let kinds = NAMESPACES.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, word)| *word);
    kinds.collect::<Vec<_>>().join(", ")
}
