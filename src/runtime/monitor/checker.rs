//! Asks a container whether it is well, by a program that runs inside.
//!
//! The program is the child of a helper, as that of any exec; the monitor is the helper's client
//! and never waits for it.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::model::Result;
use crate::model::value::health_check::{HealthCheck, OUTPUT};
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::value::units::format_duration;
use crate::runtime::exec::environment::{environment_of, new_id};
use crate::runtime::protocol::connection::{Connection, Received};
use crate::runtime::protocol::{ExecSpec, Reply, Request, role};
use crate::runtime::record::container_store::ContainerStore;
use crate::runtime::spawn::role::Children;

/// Asks one container.
#[derive(Debug)]
pub(super) struct HealthChecker {
    pub(super) check: HealthCheck,
    command: Vec<String>,
    containers: ContainerStore,
    root: PathBuf,
    cgroup_parent: String,
    children: Children,
    /// When to ask next; `None` while it is not asked.
    pub(super) next: Option<Instant>,
    pub(super) pending: Option<PendingCheck>,
}

/// A question without an answer.
#[derive(Debug)]
pub(super) struct PendingCheck {
    helper: Connection,
    output: Vec<u8>,
    truncated: bool,
    pub(super) start: Timestamp,
    /// How long the container had run.
    pub(super) ran: Duration,
    /// How long the answer may take.
    timeout: Duration,
    deadline: Instant,
}

impl HealthChecker {
    /// For a container that is to be asked.
    pub(super) fn new(check: &HealthCheck, root: &Path, cgroup_parent: &str) -> Option<Self> {
        let command = check.command()?;
        Some(HealthChecker {
            check: check.clone(),
            command,
            containers: ContainerStore::at(root),
            root: root.to_owned(),
            cgroup_parent: cgroup_parent.trim_matches('/').to_owned(),
            children: Children::default(),
            next: None,
            pending: None,
        })
    }

    /// When something is to be done, if nothing happens before.
    pub(super) fn due(&self) -> Option<Instant> {
        self.pending.as_ref().map(|asked| asked.deadline).or(self.next)
    }

    /// Where the answer comes from.
    pub(super) fn result_fd(&self) -> Option<BorrowedFd<'_>> {
        self.pending.as_ref().map(|asked| asked.helper.as_fd())
    }

    /// Asks a container that has run for `ran`.
    pub(super) fn start_check(&self, id: &ContainerId, ran: Duration) -> Result<PendingCheck> {
        let spec = ExecSpec {
            id: new_id()?,
            args: self.command.clone(),
            env: environment_of(&self.containers.directory(id))?,
            user: None,
            workdir: None,
            tty: false,
            stdin: false,
            detach: false,
            privileged: false,
            size: None,
        };
        let start = Timestamp::now();
        let mut helper =
            self.children.spawn(role::EXEC, &self.root, id, &self.cgroup_parent, Stdio::null())?;
        helper.send(&Request::Exec(Box::new(spec)))?;
        let patience = self.check.effective_timeout();
        let until = Instant::now().checked_add(patience).unwrap_or_else(Instant::now);
        Ok(PendingCheck {
            helper,
            output: Vec::new(),
            truncated: false,
            start,
            ran,
            timeout: patience,
            deadline: until,
        })
    }
}

impl PendingCheck {
    /// The exit code and what was said, once there is an answer.
    pub(super) fn result(&mut self) -> Option<(i32, String)> {
        loop {
            match self.helper.receive(Some(Instant::now()), None) {
                Ok(Received::Output(_, bytes)) => {
                    let room = OUTPUT - self.output.len();
                    self.output.extend_from_slice(&bytes[..room.min(bytes.len())]);
                    self.truncated |= bytes.len() > room;
                }
                Ok(Received::Reply(Reply::Exited { code })) => return Some((code, self.text())),
                // A program that is not there is no answer (moby, `daemon/health.go`).
                Ok(Received::Reply(Reply::Failed(error))) => return Some((-1, error.to_string())),
                Ok(Received::Reply(_)) => {}
                Ok(Received::Closed) => {
                    return Some((-1, "the health check was killed".to_owned()));
                }
                Err(_) if Instant::now() < self.deadline => return None,
                Err(_) => {
                    self.give_up();
                    let patience = format_duration(self.timeout);
                    return Some((-1, format!("Health check exceeded timeout ({patience})")));
                }
            }
        }
    }

    /// What the program wrote, and a mark where there was more.
    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.output);
        if self.truncated { format!("{text}...") } else { text.into_owned() }
    }

    /// Ends the program and what it has started, of which nothing more is wanted.
    pub(super) fn give_up(&mut self) {
        // A helper that has gone has nothing to end.
        let _ = self.helper.send(&Request::Kill { signal: Signal::KILL });
    }
}
