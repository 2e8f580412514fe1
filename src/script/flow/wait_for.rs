//! Waits until a container meets a condition, and fails as soon as it never will.
//!
//! One loop checks the condition. Between two checks it waits for the container's next event; it
//! has subscribed before the first check, so that no event falls in between. A port or a program's
//! answer has no event and is checked at intervals.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use regex::Regex;

use super::race::{Job, run_concurrently};
use crate::engine::{Attach, Backend, CancelToken, EventStream};
use crate::model::container::Container as Record;
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::status::Status;
use crate::model::observe::event::{EventFilter, EventOptions};
use crate::model::observe::log::{LogLine, LogOptions, Stream};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::{Error, Kind, Result};
use crate::script::options::{Condition, WaitCondition};
use crate::script::values::exec_result::CappedOutput;
use crate::script::values::handle::Container;

/// The interval between two checks of a condition that has no event.
const PAUSE: Duration = Duration::from_millis(50);
/// The interval between two checks that run a command.
const LONG_PAUSE: Duration = Duration::from_millis(200);
/// The time for a command that runs at or shortly before the timeout.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// How many of the last lines an error shows.
const LAST_LINES: u64 = 5;

/// What one check of a condition has found.
#[derive(Debug)]
enum Progress {
    /// The condition holds.
    Holds,
    /// The condition may hold later; why it does not yet, if that is known.
    NotYet(Option<String>),
    /// The condition will never hold.
    Never(Error),
}

/// When a condition is checked again.
#[derive(Debug)]
enum Pace {
    /// After the next event of the container.
    OnEvent(Box<dyn EventStream>),
    /// After this time.
    Every(Duration),
}

impl Pace {
    /// Waits until the next check is due. Returns false on timeout.
    fn pause(&mut self, left: Option<Duration>, cancel: &CancelToken) -> Result<bool> {
        match self {
            Pace::OnEvent(events) => match events.next_event(left, cancel) {
                Err(error) if error.kind() == Kind::Timeout => Ok(false),
                event => event.map(|_| true),
            },
            Pace::Every(pause) => {
                let pause = left.map_or(*pause, |left| left.min(*pause));
                if pause.is_zero() {
                    return Ok(false);
                }
                cancel.sleep(pause)?;
                Ok(true)
            }
        }
    }
}

/// A container to wait for, and the deadline.
#[derive(Clone, Debug)]
pub struct Waiter {
    /// The container.
    pub container: Container,
    /// The engine.
    pub backend: Arc<dyn Backend>,
    /// When to give up.
    pub deadline: Option<Instant>,
}

impl Waiter {
    /// Waits for a condition. Fails early if the container writes a line that `fail` matches.
    ///
    /// # Errors
    /// [`Kind::Died`] when the container exits or fails first, [`Kind::Timeout`],
    /// [`Kind::Cancelled`].
    pub fn wait(&self, wanted: &WaitCondition, cancel: &CancelToken) -> Result<()> {
        // In a dry run nothing runs: the condition is taken to hold.
        if self.backend.is_dry_run() {
            return Ok(());
        }
        let Some(fail) = &wanted.fail else { return self.wait_until(&wanted.condition, cancel) };
        let holds = |cancel: &CancelToken| self.wait_until(&wanted.condition, cancel);
        let fails = |cancel: &CancelToken| self.watch_for(fail, cancel);
        run_concurrently(&[&holds, &fails], |_| true, cancel)
    }

    fn wait_until(&self, condition: &Condition, cancel: &CancelToken) -> Result<()> {
        match condition {
            Condition::Status(status) => {
                self.repeat(status.as_str(), self.on_events()?, cancel, |what| {
                    self.check_status(*status, what)
                })
            }
            Condition::Health(health) => {
                self.repeat(health, self.on_events()?, cancel, |_| self.check_health(health))
            }
            Condition::Removed => {
                self.repeat("removed", self.on_events()?, cancel, |_| self.check_removed())
            }
            Condition::Log { pattern, count, stream } => {
                self.lines(pattern, *count, *stream, cancel)
            }
            Condition::Probe(probe) => {
                self.repeat(&probe.to_string(), Pace::Every(PAUSE), cancel, |what| {
                    self.check_running(what, || self.probe(probe, cancel))
                })
            }
            Condition::Exec(cmd) => {
                let what = format!("answering `{}`", cmd.join(" "));
                self.repeat(&what, Pace::Every(LONG_PAUSE), cancel, |what| {
                    self.check_running(what, || self.succeeds(cmd, cancel))
                })
            }
            Condition::All(conditions) => self.wait_all(conditions, Result::is_err, cancel),
            Condition::Any(conditions) => {
                let decides = |ended: &Result<()>| match ended {
                    Ok(()) => true,
                    Err(error) => !self.others_may_succeed(error),
                };
                self.wait_all(conditions, decides, cancel)
            }
        }
    }

    /// Checks the condition until it holds, can never hold, or the timeout expires. `what` names
    /// the condition in errors.
    fn repeat(
        &self,
        what: &str,
        mut pace: Pace,
        cancel: &CancelToken,
        check: impl Fn(&str) -> Result<Progress>,
    ) -> Result<()> {
        let mut last = None;
        loop {
            match check(what)? {
                Progress::Holds => return Ok(()),
                Progress::Never(error) => return Err(error),
                Progress::NotYet(why) => last = why.or(last),
            }
            if !pace.pause(self.time_left(), cancel)? {
                let error = self.timeout_error(what);
                return Err(match last {
                    Some(found) => error.hint(format!("at the last check, {found}")),
                    None => error,
                });
            }
        }
    }

    /// Subscribes to the container's events.
    fn on_events(&self) -> Result<Pace> {
        let mut filter = EventFilter::default();
        filter.add("container", self.container.id().as_str())?;
        let options = EventOptions { follow: true, filter, ..EventOptions::default() };
        Ok(Pace::OnEvent(self.backend.events(&options)?))
    }

    fn check_status(&self, status: Status, what: &str) -> Result<Progress> {
        let record = self.current()?;
        let holds = match &record {
            Some(record) => record.state.status == status,
            None => status == Status::Exited && self.has_exited(),
        };
        let may_follow_exit = matches!(status, Status::Exited | Status::Dead | Status::Created);
        Ok(match record {
            _ if holds => Progress::Holds,
            Some(_) if may_follow_exit => Progress::NotYet(None),
            record => self.unless_exited(record.as_ref(), what),
        })
    }

    /// Checks the health. A container without a health check never has one.
    fn check_health(&self, health: &str) -> Result<Progress> {
        let record = self.current()?;
        Ok(match &record {
            Some(record) if record.spec.host_config.supervision.health.command().is_none() => {
                Progress::Never(self.no_health_check(record, health))
            }
            Some(record) if record.state.status == Status::Running && record.health() == health => {
                Progress::Holds
            }
            record => self.unless_exited(record.as_ref(), health),
        })
    }

    fn check_removed(&self) -> Result<Progress> {
        Ok(self.current()?.map_or(Progress::Holds, |_| Progress::NotYet(None)))
    }

    fn check_started(&self) -> Result<Progress> {
        let created = |record: Record| record.state.status == Status::Created;
        Ok(match self.current()?.is_some_and(created) {
            true => Progress::NotYet(None),
            false => Progress::Holds,
        })
    }

    /// Probes the container while it runs. A paused container is probed later.
    fn check_running(
        &self,
        what: &str,
        probe: impl Fn() -> Result<ProbeResult>,
    ) -> Result<Progress> {
        let record = self.current()?;
        let progress = self.unless_exited(record.as_ref(), what);
        let running = record.is_some_and(|record| record.state.status == Status::Running);
        if !running || matches!(progress, Progress::Never(_)) {
            return Ok(progress);
        }
        Ok(match probe()? {
            ProbeResult::Ready => Progress::Holds,
            ProbeResult::NotReady(found) => Progress::NotYet(Some(found)),
        })
    }

    /// Returns `Never` if the container has exited, for a condition that cannot hold afterwards.
    fn unless_exited(&self, record: Option<&Record>, what: &str) -> Progress {
        self.exit_error(record, what).map_or(Progress::NotYet(None), Progress::Never)
    }

    /// Returns whether a removed container had exited: with `rm` its record is removed at its exit.
    fn has_exited(&self) -> bool {
        self.container.exit_code().is_ok_and(|code| code.is_some())
    }

    fn no_health_check(&self, record: &Record, health: &str) -> Error {
        let name = self.container.name();
        let message = format!("`{name}` has no health check, so it is never {health}");
        Error::new(Kind::Invalid, message)
            .container(&name, Some(record.state.status.as_str()))
            .hint("add a health check: create(image, #{ health: \"CMD\" })")
    }

    /// Returns whether the other conditions may still succeed after this error. On a timeout each
    /// of them checks once more; and they may wait for the exit itself.
    fn others_may_succeed(&self, error: &Error) -> bool {
        let over = |record: Option<Record>| record.is_none_or(|r| !r.state.status.is_live());
        match error.kind() {
            Kind::Timeout => true,
            Kind::Died => self.current().is_ok_and(over),
            _ => false,
        }
    }

    /// Waits for several conditions. `decides` says which result of one ends the wait for all.
    fn wait_all(
        &self,
        conditions: &[WaitCondition],
        decides: impl Fn(&Result<()>) -> bool,
        cancel: &CancelToken,
    ) -> Result<()> {
        let waits: Vec<_> = conditions
            .iter()
            .map(|one| move |cancel: &CancelToken| self.wait(one, cancel))
            .collect();
        let jobs: Vec<Job<'_>> = waits.iter().map(|wait| wait as Job<'_>).collect();
        run_concurrently(&jobs, decides, cancel)
    }

    /// Probes the container from outside: a port, a server or a file.
    fn probe(&self, probe: &Probe, cancel: &CancelToken) -> Result<ProbeResult> {
        let mut probe = probe.clone();
        if let (Probe::HttpGet(request), Some(left)) = (&mut probe, self.time_left()) {
            // The last check gets enough time too, or it would find nothing.
            request.timeout = request.timeout.min(left.max(LONG_PAUSE));
        }
        match self.backend.probe(self.container.id(), &probe, cancel) {
            // The container was removed just now: the next check reports it.
            Err(error) if error.kind() == Kind::NotFound => {
                Ok(ProbeResult::NotReady("the container was removed".to_owned()))
            }
            seen => seen,
        }
    }

    /// Runs a command in the container: ready if it exits with 0.
    fn succeeds(&self, cmd: &[String], cancel: &CancelToken) -> Result<ProbeResult> {
        // The last check gets enough time too, or it would find nothing.
        let timeout = self.time_left().map(|left| left.max(PROBE_TIMEOUT));
        let options = ExecOptions { cmd: cmd.to_vec(), timeout, ..ExecOptions::default() };
        let (mut out, mut err) = (CappedOutput::default(), CappedOutput::default());
        let attach = Attach { start: false, ..Attach::to_output(&mut out, &mut err) };
        match self.backend.exec(self.container.id(), &options, attach, cancel) {
            Ok(AttachOutcome::Exited(0)) => Ok(ProbeResult::Ready),
            Ok(AttachOutcome::Exited(code)) => {
                Ok(ProbeResult::NotReady(format!("the command exited with code {code}")))
            }
            Ok(AttachOutcome::Detached) => {
                Ok(ProbeResult::NotReady("the command was detached".to_owned()))
            }
            // The container exits just now, or the command took too long: the next check decides.
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Timeout) => {
                Ok(ProbeResult::NotReady("the command had not exited".to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads lines, old ones too, until `count` lines match.
    fn lines(
        &self,
        pattern: &Regex,
        count: u64,
        stream: Option<Stream>,
        cancel: &CancelToken,
    ) -> Result<()> {
        let what = format!("writing /{pattern}/");
        let mut missing = count;
        self.each_line(&what, stream, cancel, |line| {
            if missing > 0 && pattern.is_match(&line.text()) {
                missing -= 1;
            }
            missing == 0
        })
    }

    /// Fails when a line matches, and never succeeds: the other job decides the rest.
    fn watch_for(&self, fail: &Regex, cancel: &CancelToken) -> Result<()> {
        match self.each_line("", None, cancel, |line| fail.is_match(&line.text())) {
            Ok(()) => Err(self.died_error(format!("wrote a line that /{fail}/ matches"))),
            Err(_) => cancel.sleep(Duration::MAX),
        }
    }

    /// Passes each line to `enough` until it returns true. Waits first until the container has
    /// started.
    fn each_line(
        &self,
        what: &str,
        stream: Option<Stream>,
        cancel: &CancelToken,
        mut enough: impl FnMut(&LogLine) -> bool,
    ) -> Result<()> {
        self.repeat(what, self.on_events()?, cancel, |_| self.check_started())?;
        let options = LogOptions { follow: true, stream, ..LogOptions::default() };
        let opened = Timestamp::now();
        let mut lines = match self.backend.logs(self.container.id(), &options) {
            Err(error) if error.kind() == Kind::NotFound => {
                return Err(self.died_error(format!("was removed before it was {what}")));
            }
            lines => lines?,
        };
        loop {
            match lines.next_line(self.time_left(), cancel) {
                Ok(Some(line)) if enough(&line) => return Ok(()),
                // A container that writes continuously must not delay the timeout or Ctrl-C. Lines
                // from before the call are read, however short the time.
                Ok(Some(line)) if line.time > opened && self.is_expired() => {
                    return Err(self.timeout_error(what));
                }
                Ok(Some(_)) => cancel.check()?,
                Ok(None) => {
                    let error = self.exit_error(self.current()?.as_ref(), what);
                    return Err(error.unwrap_or_else(|| self.died_error("exited".to_owned())));
                }
                Err(error) if error.kind() == Kind::Timeout => return Err(self.timeout_error(what)),
                Err(error) => return Err(error),
            }
        }
    }

    fn is_expired(&self) -> bool {
        self.time_left().is_some_and(|left| left.is_zero())
    }

    fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Returns the container; `None` if it was removed.
    fn current(&self) -> Result<Option<Record>> {
        match self.container.now() {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the error of a container that was removed or has exited before it was `what`.
    fn exit_error(&self, record: Option<&Record>, what: &str) -> Option<Error> {
        let Some(record) = record else {
            return Some(self.died_error(format!("was removed before it was {what}")));
        };
        let state = &record.state;
        let over = matches!(state.status, Status::Exited | Status::Dead)
            || state.status == Status::Created && state.exit_code != 0;
        if !over {
            return None;
        }
        let mut how = format!("exited with code {}", state.exit_code);
        if state.oom_killed {
            how.push_str(" (out of memory)");
        }
        if !state.error.is_empty() {
            how = format!("did not start ({})", state.error);
        }
        Some(self.died_error(format!("{how} before it was {what}")))
    }

    fn died_error(&self, how: String) -> Error {
        self.with_last_lines(Error::new(Kind::Died, format!("`{}` {how}", self.container.name())))
    }

    fn timeout_error(&self, what: &str) -> Error {
        let message = format!("`{}` was not {what} in time", self.container.name());
        self.with_last_lines(Error::new(Kind::Timeout, message))
    }

    /// Adds the container's last lines to an error: they usually say why.
    fn with_last_lines(&self, error: Error) -> Error {
        let name = self.container.name();
        let status = self.container.now().map(|record| record.state.status.as_str()).ok();
        let mut error = error.container(&name, status);
        let options = LogOptions { tail: Some(LAST_LINES), ..LogOptions::default() };
        let Ok(mut lines) = self.backend.logs(self.container.id(), &options) else { return error };
        let Ok(never) = CancelToken::new() else { return error };
        while let Ok(Some(line)) = lines.next_line(Some(Duration::ZERO), &never) {
            error = error.cause(format!("{}: {}", line.stream.as_str(), line.text()));
        }
        error
    }
}
