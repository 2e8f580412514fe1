//! What fronts and monitors do for a verb, besides the steps of init: names, words and calls.
//!
//! Who does one of them says so by `trace::deed`; `explain` tells them beforehand by
//! [`planned`], and a test holds the two together (`tests/it/teaching.rs`).

use crate::model::container::options::Grace;
use crate::model::script::trace::{Deed, Who};
use crate::model::value::signal::Signal;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Write the files of a new container where nobody looks yet.
    WriteFiles,
    /// Give it its place and its name.
    TakeName(String),
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
    JoinProcesses,
    /// Make its first process, in new namespaces; which, by their flags.
    Clone(i32),
    /// Wait until init has become the program.
    AwaitExecution,
    /// Write its state.
    Record,
    /// Freeze its cgroup.
    Freeze,
    /// Thaw its cgroup.
    Thaw,
    /// Send a signal to its first process.
    SendSignal(Signal),
    /// Wait until it ends, at most so long.
    AwaitEnd(Grace),
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

impl Act {
    /// It as a deed of `who`, not yet done.
    pub fn told(&self, who: Who) -> Deed {
        let (key, what, calls): (_, String, &[&str]) = match self {
            Act::WriteFiles => (
                "write-files",
                "write config.json, spec.json and state.json".into(),
                &["mkdir", "openat", "write"],
            ),
            Act::TakeName(name) => {
                ("take-name", format!("take the name {name}"), &["symlink", "rename"])
            }
            Act::TakeLock => ("take-lock", "lock the container".into(), &["openat", "flock"]),
            Act::StartMonitor => ("start-monitor", "start the monitor".into(), &["execve"]),
            Act::AskMonitor => {
                ("ask-monitor", "ask the monitor over its socket".into(), &["sendto"])
            }
            Act::RemoveFiles => {
                ("remove-files", "remove its files".into(), &["rename", "unlinkat"])
            }
            Act::MakeCgroup => ("make-cgroup", "make the cgroup".into(), &["mkdir"]),
            Act::SetLimits => ("set-limits", "write the limits to the cgroup".into(), &["write"]),
            Act::OpenLog => ("open-log", "open log.jsonl".into(), &["openat"]),
            Act::JoinProcesses => {
                ("join-processes", "join the processes of another container".into(), &["setns"])
            }
            Act::Clone(0) => ("clone-plain", "clone a process".into(), &["clone3"]),
            Act::Clone(flags) => (
                "clone",
                format!("clone a process in new namespaces: {}", kinds(*flags)),
                &["clone3"],
            ),
            Act::AwaitExecution => {
                ("await-execution", "wait until it executes its program".into(), &["read"])
            }
            Act::Record => ("record", "write state.json".into(), &["openat", "write", "rename"]),
            Act::Freeze => ("freeze", "freeze the cgroup".into(), &["write"]),
            Act::Thaw => ("thaw", "thaw the cgroup".into(), &["write"]),
            Act::SendSignal(signal) => (
                "send-signal",
                format!("send {signal} to its first process"),
                &["pidfd_send_signal"],
            ),
            Act::AwaitEnd(Grace::Forever) => ("await-end", "wait until it ends".into(), &["poll"]),
            Act::AwaitEnd(Grace::For(time)) => {
                let seconds = time.as_secs_f64();
                ("await-end", format!("wait until it ends, at most {seconds} s"), &["poll"])
            }
            Act::Reap => ("reap", "take its exit code".into(), &["waitid"]),
            Act::RemoveCgroup => ("remove-cgroup", "remove the cgroup".into(), &["rmdir"]),
        };
        let facts = self.facts().into_iter().map(|(name, value)| (name.to_owned(), value));
        Deed {
            who,
            key: key.to_owned(),
            what,
            facts: facts.collect(),
            calls: calls.iter().map(|call| (*call).to_owned()).collect(),
            failure: None,
            span: None,
        }
    }

    fn facts(&self) -> Option<(&'static str, String)> {
        match self {
            Act::TakeName(name) => Some(("name", name.clone())),
            Act::Clone(flags) => Some(("kinds", kinds(*flags))),
            Act::SendSignal(signal) => Some(("signal", signal.to_string())),
            Act::AwaitEnd(Grace::For(time)) => Some(("seconds", time.as_secs_f64().to_string())),
            Act::AwaitEnd(Grace::Forever) => Some(("seconds", "-1".to_owned())),
            _ => None,
        }
    }
}

fn kinds(flags: i32) -> String {
    let kinds = NAMESPACES.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, word)| *word);
    kinds.collect::<Vec<_>>().join(", ")
}
