//! Runs the health check of a container: a program inside.
//!
//! The program is the child of a helper, as with any exec. The monitor is the helper's client and
//! never blocks on it.

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
use crate::runtime::protocol::{ExecSpec, Reply, Request, role_names};
use crate::runtime::record::container_store::ContainerStore;
use crate::runtime::spawn::engine_process::Children;

/// The health checks of one container.
#[derive(Debug)]
pub(super) struct HealthChecker {
    pub(super) check: HealthCheck,
    command: Vec<String>,
    containers: ContainerStore,
    root: PathBuf,
    cgroup_parent: String,
    children: Children,
    /// When the next check starts; `None` while there are no checks.
    pub(super) next: Option<Instant>,
    pub(super) pending: Option<PendingCheck>,
}

/// A check without a result yet.
#[derive(Debug)]
pub(super) struct PendingCheck {
    helper: Connection,
    output: Vec<u8>,
    truncated: bool,
    pub(super) start: Timestamp,
    /// How long the container had run at the start of the check.
    pub(super) ran: Duration,
    /// How long the check may take.
    timeout: Duration,
    deadline: Instant,
}

impl HealthChecker {
    /// Returns the checker of a container that has a health check.
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

    /// Returns when the next check starts, or the pending one times out.
    pub(super) fn due(&self) -> Option<Instant> {
        self.pending.as_ref().map(|check| check.deadline).or(self.next)
    }

    /// Returns the descriptor that is readable once there is a result.
    pub(super) fn result_fd(&self) -> Option<BorrowedFd<'_>> {
        self.pending.as_ref().map(|check| check.helper.as_fd())
    }

    /// Starts a check of a container that has run for `ran`.
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
        let mut helper = self.children.spawn(
            role_names::EXEC,
            &self.root,
            id,
            &self.cgroup_parent,
            Stdio::null(),
        )?;
        helper.send(&Request::Exec(Box::new(spec)))?;
        let timeout = self.check.effective_timeout();
        let until = Instant::now().checked_add(timeout).unwrap_or_else(Instant::now);
        Ok(PendingCheck {
            helper,
            output: Vec::new(),
            truncated: false,
            start,
            ran,
            timeout,
            deadline: until,
        })
    }
}

impl PendingCheck {
    /// Returns the exit code and the output, once the check has finished.
    pub(super) fn result(&mut self) -> Option<(i32, String)> {
        loop {
            match self.helper.receive(Some(Instant::now()), None) {
                Ok(Received::Output(_, bytes)) => {
                    let room = OUTPUT - self.output.len();
                    self.output.extend_from_slice(&bytes[..room.min(bytes.len())]);
                    self.truncated |= bytes.len() > room;
                }
                Ok(Received::Reply(Reply::Exited { code })) => return Some((code, self.text())),
                // A program that does not exist counts as a failed check (moby,
                // `daemon/health.go`).
                Ok(Received::Reply(Reply::Failed(error))) => return Some((-1, error.to_string())),
                Ok(Received::Reply(_)) => {}
                Ok(Received::Closed) => {
                    return Some((-1, "the health check was killed".to_owned()));
                }
                Err(_) if Instant::now() < self.deadline => return None,
                Err(_) => {
                    self.give_up();
                    let timeout = format_duration(self.timeout);
                    return Some((-1, format!("Health check exceeded timeout ({timeout})")));
                }
            }
        }
    }

    /// Returns the program's output, with a mark if it was cut.
    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.output);
        if self.truncated { format!("{text}...") } else { text.into_owned() }
    }

    /// Kills the program and its process group.
    pub(super) fn give_up(&mut self) {
        // A helper that has exited has nothing to kill.
        let _ = self.helper.send(&Request::Kill { signal: Signal::KILL });
    }
}
