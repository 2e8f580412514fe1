//! Asks a container whether it is well, again and again, by a program that runs inside.
//!
//! The program is the child of a helper, as that of any exec; the monitor is the helper's front,
//! and never waits for it: its connection is one more that the loop looks at.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Monitor;
use crate::model::Result;
use crate::model::observe::event::Action;
use crate::model::value::health_check::{
    Health, HealthCheck, HealthStatus, HealthcheckResult, OUTPUT,
};
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::value::units::format_duration;
use crate::runtime::Runtime;
use crate::runtime::client::exec;
use crate::runtime::protocol::connection::{Connection, Received};
use crate::runtime::protocol::{ExecSpec, Reply, Request};

/// Asks one container.
#[derive(Debug)]
pub(super) struct HealthChecker {
    check: HealthCheck,
    command: Vec<String>,
    runtime: Runtime,
    /// When to ask next; `None` while it is not asked.
    next: Option<Instant>,
    pending: Option<PendingCheck>,
}

/// A question without an answer.
#[derive(Debug)]
struct PendingCheck {
    helper: Connection,
    output: Vec<u8>,
    truncated: bool,
    start: Timestamp,
    /// How long the container had run.
    ran: Duration,
    /// How long the answer may take.
    timeout: Duration,
    deadline: Instant,
}

impl HealthChecker {
    /// For a container that is to be asked.
    pub(super) fn new(check: &HealthCheck, root: &Path, cgroup_parent: &str) -> Option<Self> {
        let command = check.command()?;
        let runtime = Runtime::new(root, cgroup_parent);
        Some(HealthChecker { check: check.clone(), command, runtime, next: None, pending: None })
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
    fn start_check(&self, id: &ContainerId, ran: Duration) -> Result<PendingCheck> {
        let spec = ExecSpec {
            id: exec::new_id()?,
            args: self.command.clone(),
            env: exec::environment_of(&self.runtime.directory(id))?,
            user: None,
            workdir: None,
            tty: false,
            stdin: false,
            detach: false,
            privileged: false,
            size: None,
        };
        let start = Timestamp::now();
        let mut helper = self.runtime.spawn_helper(id)?;
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
    fn result(&mut self) -> Option<(i32, String)> {
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
    fn give_up(&mut self) {
        // A helper that has gone has nothing to end.
        let _ = self.helper.send(&Request::Kill { signal: Signal::KILL });
    }
}

impl Monitor {
    /// After a start: it is to be asked from now on.
    pub(super) fn start_checks(&mut self) {
        if self.checker.is_some() {
            self.state.health = Some(Health::starting());
            self.schedule_check();
        }
    }

    /// Before a pause and at the end: it is not asked any more. Nobody knows then whether it is
    /// well, and Docker calls that unhealthy. The caller records it.
    pub(super) fn stop_checks(&mut self) {
        let Some(checker) = &mut self.checker else { return };
        checker.next = None;
        if let Some(mut asked) = checker.pending.take() {
            asked.give_up();
        }
        // Nothing has happened to it: Docker tells of no event here either.
        if let Some(health) = &mut self.state.health {
            health.status = HealthStatus::Unhealthy;
        }
    }

    /// How long the container has run.
    fn ran(&self) -> Duration {
        let since = self.state.started_at.unwrap_or_default();
        Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default()
    }

    /// From now on, or again after a pause: it is asked when the time for the next has passed.
    pub(super) fn schedule_check(&mut self) {
        let ran = self.ran();
        let (Some(checker), Some(health)) = (&mut self.checker, &self.state.health) else { return };
        checker.next = Instant::now().checked_add(checker.check.next_delay(health.status, ran));
    }

    /// Asks when it is time, and takes the answer when it is there.
    pub(super) fn run_health_checks(&mut self) {
        // Most containers are not asked: this is called whenever one writes.
        if self.checker.is_none() {
            return;
        }
        let ran = self.ran();
        let Some(checker) = &mut self.checker else { return };
        let (start, at, (exit_code, output)) = if let Some(asked) = &mut checker.pending {
            let Some(answer) = asked.result() else { return };
            (asked.start, asked.ran, answer)
        } else if checker.next.is_some_and(|next| Instant::now() >= next) {
            checker.next = None;
            match checker.start_check(&self.spec.id, ran) {
                Ok(asked) => {
                    checker.pending = Some(asked);
                    return;
                }
                Err(error) => (Timestamp::now(), ran, (-1, error.to_string())),
            }
        } else {
            return;
        };
        checker.pending = None;
        let check = checker.check.clone();
        let answer = HealthcheckResult { start, end: Timestamp::now(), exit_code, output };
        self.record_result(answer, &check, at);
        self.schedule_check();
        // A full disk must not end a container; the next answer is recorded again.
        let _ = self.directory.write_state(&self.state);
    }

    /// Takes an answer into what is known of its health.
    fn record_result(&mut self, answer: HealthcheckResult, check: &HealthCheck, ran: Duration) {
        let Some(health) = &mut self.state.health else { return };
        let before = health.status;
        health.record(answer, check, ran);
        let status = health.status;
        if status != before {
            self.event(Action::HealthStatus.of(status.as_str()), &[]);
        }
    }
}
