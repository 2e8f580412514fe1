//! What fronts and monitors do for a verb, besides the steps of init: names, words and calls.
//!
//! Who does one of them says so by `trace::deed`; `explain` tells them beforehand by
//! `planned`, and a test holds the two together (`tests/it/teaching.rs`).

use crate::model::container::options::StopTimeout;
use crate::model::script::trace::{ProcessRole, TraceStep};
use crate::model::value::signal::Signal;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Write the files of a new container where nobody looks yet.
    WriteFiles,
    /// Give it its place and its name.
    ClaimName(String),
    /// Lock it: whoever has the lock may change it.
    TakeLock,
    /// Start its monitor, a fresh execution of this program.
    StartMonitor,
    /// Ask its monitor over a socket.
    AskMonitor,
    /// Take its files away.
    RemoveFiles,
    /// Make its cgroup.
    MakeCgroup,
    /// Write its limits.
    SetLimits,
    /// Open its log.
    OpenLog,
    /// Have it made in the process namespace of another container.
    JoinPidNamespace,
    /// Make its first process, in new namespaces; which, by their flags.
    Clone(i32),
    /// Wait until init has become the program.
    WaitForExec,
    /// Write its state.
    WriteState,
    /// Freeze its cgroup.
    Freeze,
    /// Thaw its cgroup.
    Thaw,
    /// Send a signal to its first process.
    SendSignal(Signal),
    /// Wait until it ends, at most so long.
    WaitForExit(StopTimeout),
    /// Take the exit code of its first process.
    Reap,
    /// Take its cgroup away.
    RemoveCgroup,
}

/// The flags of clone(2) in the order in which they are told, with the words of the standard.
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
                ("claim-name", format!("take the name {name}"), &["symlink", "rename"])
            }
            Operation::TakeLock => ("take-lock", "lock the container".into(), &["openat", "flock"]),
            Operation::StartMonitor => ("start-monitor", "start the monitor".into(), &["execve"]),
            Operation::AskMonitor => {
                ("ask-monitor", "ask the monitor over its socket".into(), &["sendto"])
            }
            Operation::RemoveFiles => {
                ("remove-files", "remove its files".into(), &["rename", "unlinkat"])
            }
            Operation::MakeCgroup => ("make-cgroup", "make the cgroup".into(), &["mkdir"]),
            Operation::SetLimits => {
                ("set-limits", "write the limits to the cgroup".into(), &["write"])
            }
            Operation::OpenLog => ("open-log", "open log.jsonl".into(), &["openat"]),
            Operation::JoinPidNamespace => {
                ("join-pid-namespace", "join the processes of another container".into(), &["setns"])
            }
            Operation::Clone(0) => ("clone-plain", "clone a process".into(), &["clone3"]),
            Operation::Clone(flags) => (
                "clone",
                format!("clone a process in new namespaces: {}", namespace_names(*flags)),
                &["clone3"],
            ),
            Operation::WaitForExec => {
                ("wait-for-exec", "wait until it executes its program".into(), &["read"])
            }
            Operation::WriteState => {
                ("write-state", "write state.json".into(), &["openat", "write", "rename"])
            }
            Operation::Freeze => ("freeze", "freeze the cgroup".into(), &["write"]),
            Operation::Thaw => ("thaw", "thaw the cgroup".into(), &["write"]),
            Operation::SendSignal(signal) => (
                "send-signal",
                format!("send {signal} to its first process"),
                &["pidfd_send_signal"],
            ),
            Operation::WaitForExit(StopTimeout::NoLimit) => {
                ("wait-for-exit", "wait until it ends".into(), &["poll"])
            }
            Operation::WaitForExit(StopTimeout::After(time)) => {
                let seconds = time.as_secs_f64();
                ("wait-for-exit", format!("wait until it ends, at most {seconds} s"), &["poll"])
            }
            Operation::Reap => ("reap", "take its exit code".into(), &["waitid"]),
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
            _ => None,
        }
    }
}

fn namespace_names(flags: i32) -> String {
    let kinds = NAMESPACES.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, word)| *word);
    kinds.collect::<Vec<_>>().join(", ")
}
