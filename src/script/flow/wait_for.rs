//! Waiting until a container is as it is to be, and seeing at once when it never will be.
//!
//! Whoever waits subscribes to events before looking, so that nothing falls in between. What
//! nobody tells of, a port or a program's answer, is looked at again and again.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use regex::Regex;

use crate::engine::{Attach, Backend, CancelToken};
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

/// How long between two looks at what nobody tells of.
const PAUSE: Duration = Duration::from_millis(50);
/// The same for a program that is run each time.
const LONG_PAUSE: Duration = Duration::from_millis(200);
/// How long a program may take that is run when the time is over, or nearly.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// How many of the last lines an error shows.
const LAST_LINES: u64 = 5;

/// Who is waited for, and until when.
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
    /// Waits for a goal.
    ///
    /// # Errors
    /// [`Kind::Died`] when it ends or fails first, [`Kind::Timeout`], [`Kind::Cancelled`].
    pub fn wait(&self, goal: &WaitCondition, cancel: &CancelToken) -> Result<()> {
        // Where nothing runs, what is waited for is taken to come.
        if self.backend.is_dry_run() {
            return Ok(());
        }
        let Some(fail) = &goal.fail else { return self.wait_until(&goal.condition, cancel) };
        let holds = |cancel: &CancelToken| self.wait_until(&goal.condition, cancel);
        let fails = |cancel: &CancelToken| self.watch_for(fail, cancel);
        run_concurrently(&[&holds, &fails], |_| true, cancel)
    }

    fn wait_until(&self, condition: &Condition, cancel: &CancelToken) -> Result<()> {
        match condition {
            Condition::Status(status) => {
                let ended = matches!(status, Status::Exited | Status::Dead | Status::Created);
                self.state(status.as_str(), ended, cancel, |record| match record {
                    Some(record) => record.state.status == *status,
                    None => *status == Status::Exited && self.has_exited(),
                })
            }
            Condition::Health(health) => {
                self.check_has_healthcheck(health)?;
                self.state(health, false, cancel, |record| {
                    let running = record.filter(|record| record.state.status == Status::Running);
                    running.is_some_and(|record| record.health() == *health)
                })
            }
            Condition::Removed => self.state("removed", true, cancel, |record| record.is_none()),
            Condition::Log { pattern, count, stream } => {
                self.lines(pattern, *count, *stream, cancel)
            }
            Condition::Probe(sign) => {
                self.poll(&sign.to_string(), PAUSE, cancel, || self.probe(sign, cancel))
            }
            Condition::Exec(cmd) => {
                let what = format!("answering `{}`", cmd.join(" "));
                self.poll(&what, LONG_PAUSE, cancel, || self.succeeds(cmd, cancel))
            }
            Condition::All(goals) => self.wait_all(goals, Result::is_err, cancel),
            Condition::Any(goals) => {
                let decides = |ended: &Result<()>| match ended {
                    Ok(()) => true,
                    Err(error) => !self.others_may_succeed(error),
                };
                self.wait_all(goals, decides, cancel)
            }
        }
    }

    /// Whether one that is gone has ended before: its record may have gone with its end.
    fn has_exited(&self) -> bool {
        self.container.exit_code().is_ok_and(|code| code.is_some())
    }

    /// Fails where nothing ever asks for its health.
    fn check_has_healthcheck(&self, health: &str) -> Result<()> {
        match self.current()? {
            Some(record) if record.spec.host.supervision.health.command().is_none() => {
                let name = self.container.name();
                let message = format!("`{name}` has no health check, so it is never {health}");
                Err(Error::new(Kind::Invalid, message)
                    .container(&name, Some(record.state.status.as_str()))
                    .hint("the option `health` of create() gives it one"))
            }
            _ => Ok(()),
        }
    }

    /// Whether others may still hold where one has failed so: they look for themselves when the
    /// time is over, and an end may be what they wait for.
    fn others_may_succeed(&self, error: &Error) -> bool {
        let over = |record: Option<Record>| record.is_none_or(|r| !r.state.status.is_live());
        match error.kind() {
            Kind::Timeout => true,
            Kind::Died => self.current().is_ok_and(over),
            _ => false,
        }
    }

    /// Waits for several goals. `decides` says which end of one ends the wait for all.
    fn wait_all(
        &self,
        goals: &[WaitCondition],
        decides: impl Fn(&Result<()>) -> bool,
        cancel: &CancelToken,
    ) -> Result<()> {
        let waits: Vec<_> =
            goals.iter().map(|goal| move |cancel: &CancelToken| self.wait(goal, cancel)).collect();
        let jobs: Vec<Job<'_>> = waits.iter().map(|wait| wait as Job<'_>).collect();
        run_concurrently(&jobs, decides, cancel)
    }

    /// Waits for a state. `ended` says that it may come after the end.
    fn state(
        &self,
        what: &str,
        ended: bool,
        cancel: &CancelToken,
        holds: impl Fn(Option<&Record>) -> bool,
    ) -> Result<()> {
        let mut filter = EventFilter::default();
        filter.add("container", self.container.id().as_str())?;
        let options = EventOptions { follow: true, filter, ..EventOptions::default() };
        let mut events = self.backend.events(&options)?;
        loop {
            let record = self.current()?;
            if holds(record.as_ref()) {
                return Ok(());
            }
            if !ended || record.is_none() {
                self.alive(record.as_ref(), what)?;
            }
            match events.next_event(self.time_left(), cancel) {
                Err(error) if error.kind() == Kind::Timeout => return Err(self.timeout_error(what)),
                other => other?,
            };
        }
    }

    /// Looks again and again.
    fn poll(
        &self,
        what: &str,
        pause: Duration,
        cancel: &CancelToken,
        look: impl Fn() -> Result<ProbeResult>,
    ) -> Result<()> {
        let mut last = None;
        loop {
            let record = self.current()?;
            self.alive(record.as_ref(), what)?;
            if record.is_some_and(|record| record.state.status == Status::Running) {
                match look()? {
                    ProbeResult::Ready => return Ok(()),
                    ProbeResult::NotReady(found) => last = Some(found),
                }
            }
            let left = self.time_left().unwrap_or(pause);
            if left.is_zero() {
                let error = self.timeout_error(what);
                return Err(match last {
                    Some(found) => error.hint(format!("when it was last looked at, {found}")),
                    None => error,
                });
            }
            cancel.sleep(pause.min(left))?;
        }
    }

    /// Whether it shows a sign.
    fn probe(&self, sign: &Probe, cancel: &CancelToken) -> Result<ProbeResult> {
        let mut sign = sign.clone();
        if let (Probe::HttpGet(question), Some(left)) = (&mut sign, self.time_left()) {
            // The last look gets its time too, or it would tell of nothing.
            question.timeout = question.timeout.min(left.max(LONG_PAUSE));
        }
        match self.backend.probe(self.container.id(), &sign, cancel) {
            // It is gone just now: the next look tells.
            Err(error) if error.kind() == Kind::NotFound => {
                Ok(ProbeResult::NotReady("it was gone".to_owned()))
            }
            seen => seen,
        }
    }

    /// Whether a program ends with 0 inside.
    fn succeeds(&self, cmd: &[String], cancel: &CancelToken) -> Result<ProbeResult> {
        // The last look gets its time too, or it would tell of nothing.
        let timeout = self.time_left().map(|left| left.max(PROBE_TIMEOUT));
        let options = ExecOptions { cmd: cmd.to_vec(), timeout, ..ExecOptions::default() };
        let (mut out, mut err) = (CappedOutput::default(), CappedOutput::default());
        let attach = Attach { start: false, ..Attach::to_output(&mut out, &mut err) };
        match self.backend.exec(self.container.id(), &options, attach, cancel) {
            Ok(AttachOutcome::Exited(0)) => Ok(ProbeResult::Ready),
            Ok(AttachOutcome::Exited(code)) => {
                Ok(ProbeResult::NotReady(format!("it ended with exit code {code}")))
            }
            Ok(AttachOutcome::Detached) => Ok(ProbeResult::NotReady("it was left".to_owned())),
            // It ends just now, or took too long: the next look tells.
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Timeout) => {
                Ok(ProbeResult::NotReady("it had not ended".to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads lines, also those that are there, until so many match.
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

    /// Fails when a line matches. Never ends well: what else happens is for others to say.
    fn watch_for(&self, fail: &Regex, cancel: &CancelToken) -> Result<()> {
        match self.each_line("", None, cancel, |line| fail.is_match(&line.text())) {
            Ok(()) => Err(self.died_error(format!("wrote a line that /{fail}/ matches"))),
            Err(_) => cancel.sleep(Duration::MAX),
        }
    }

    /// Gives each line to `enough` until it says so. A container that has not started yet is
    /// waited for.
    fn each_line(
        &self,
        what: &str,
        stream: Option<Stream>,
        cancel: &CancelToken,
        mut enough: impl FnMut(&LogLine) -> bool,
    ) -> Result<()> {
        self.state(what, true, cancel, |record| {
            record.is_none_or(|record| record.state.status != Status::Created)
        })?;
        let options = LogOptions { follow: true, stream, ..LogOptions::default() };
        let begun = Timestamp::now();
        let mut lines = match self.backend.logs(self.container.id(), &options) {
            Err(error) if error.kind() == Kind::NotFound => {
                return Err(self.died_error(format!("was removed before it was {what}")));
            }
            lines => lines?,
        };
        loop {
            match lines.next_line(self.time_left(), cancel) {
                Ok(Some(line)) if enough(&line) => return Ok(()),
                // One who writes without end must not keep us from the time, nor from Ctrl-C; but
                // what was there before is looked at, however short the time.
                Ok(Some(line)) if line.time > begun && self.is_expired() => {
                    return Err(self.timeout_error(what));
                }
                Ok(Some(_)) => cancel.check()?,
                Ok(None) => {
                    self.alive(self.current()?.as_ref(), what)?;
                    return Err(self.died_error("ended".to_owned()));
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

    /// The container; `None` where it is gone.
    fn current(&self) -> Result<Option<Record>> {
        match self.container.now() {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Fails where it will not come any more.
    fn alive(&self, record: Option<&Record>, what: &str) -> Result<()> {
        let Some(record) = record else {
            return Err(self.died_error(format!("was removed before it was {what}")));
        };
        let state = &record.state;
        let over = matches!(state.status, Status::Exited | Status::Dead)
            || state.status == Status::Created && state.exit_code != 0;
        if !over {
            return Ok(());
        }
        let mut how = format!("ended with exit code {}", state.exit_code);
        if state.oom_killed {
            how.push_str(", for want of memory,");
        }
        if !state.error.is_empty() {
            how = format!("did not start ({})", state.error);
        }
        Err(self.died_error(format!("{how} before it was {what}")))
    }

    fn died_error(&self, how: String) -> Error {
        self.with_last_lines(Error::new(Kind::Died, format!("`{}` {how}", self.container.name())))
    }

    fn timeout_error(&self, what: &str) -> Error {
        let message = format!("`{}` was not {what} in time", self.container.name());
        self.with_last_lines(Error::new(Kind::Timeout, message))
    }

    /// The error with the container's last words, for who reads it wants them first.
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

type Job<'a> = &'a (dyn Fn(&CancelToken) -> Result<()> + Sync);

/// Does all at the same time. The first result that `decides` takes ends the others and is the
/// result of all; else it is the first error, when all are done.
fn run_concurrently(
    jobs: &[Job<'_>],
    decides: impl Fn(&Result<()>) -> bool,
    cancel: &CancelToken,
) -> Result<()> {
    let part = cancel.child()?;
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        for job in jobs {
            let (tell, part) = (tell.clone(), &part);
            std::thread::Builder::new()
                .spawn_scoped(scope, move || {
                    // Nobody listens any more once the first has ended all.
                    let _ = tell.send(job(part));
                })
                .map_err(|error| Error::from_io("make a thread", &error))?;
        }
        drop(tell);
        let mut first = Ok(());
        for result in told {
            if decides(&result) {
                part.cancel();
                return result;
            }
            first = first.and(result);
        }
        first
    })
    .inspect_err(|_| part.cancel())
}
