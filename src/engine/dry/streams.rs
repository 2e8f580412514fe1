//! Logs and events of simulated containers.

use std::task::Poll;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::state::{SharedState, lock};
use crate::engine::backend::{CancelToken, EventStream, LogStream};
use crate::model::observe::event::{Event, EventOptions};
use crate::model::observe::log::{LogLine, LogOptions};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// The pause between two polls of the simulated state.
const PAUSE: Duration = Duration::from_millis(1);

/// Polls until there is something, or nothing can come any more.
///
/// # Errors
/// [`Kind::Timeout`] with the message `late` on timeout, [`Kind::Cancelled`].
pub(super) fn follow<T>(
    timeout: Option<Duration>,
    cancel: &CancelToken,
    late: &str,
    mut poll: impl FnMut() -> Result<Poll<Option<T>>>,
) -> Result<Option<T>> {
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    loop {
        if let Poll::Ready(next) = poll()? {
            return Ok(next);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::new(Kind::Timeout, late));
        }
        cancel.sleep(PAUSE)?;
    }
}

/// The lines that a container has written, and with `follow` those that it will write.
#[derive(Debug)]
pub(super) struct SimulatedLog {
    state: SharedState,
    id: ContainerId,
    options: LogOptions,
    /// The index of the first line that was not read.
    next: usize,
}

impl SimulatedLog {
    /// Opens the log of a container.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub(super) fn open(state: SharedState, id: &ContainerId, options: LogOptions) -> Result<Self> {
        let mut next = 0;
        if let Some(tail) = options.tail {
            let mut state = lock(&state);
            let lines = &state.entry(id)?.lines;
            let fitting = (0..lines.len()).rev().filter(|index| fits(&options, &lines[*index]));
            let tail = usize::try_from(tail).unwrap_or(usize::MAX);
            next = fitting.take(tail).last().unwrap_or(lines.len());
        }
        Ok(SimulatedLog { state, id: id.clone(), options, next })
    }

    fn poll(&mut self) -> Poll<Option<LogLine>> {
        let mut state = lock(&self.state);
        // The log of a removed container ends.
        let Ok(entry) = state.entry(&self.id) else { return Poll::Ready(None) };
        let mut unread = entry.lines.iter().enumerate().skip(self.next);
        if let Some((index, line)) = unread.find(|(_, line)| fits(&self.options, line)) {
            self.next = index + 1;
            return Poll::Ready(Some(line.clone()));
        }
        let goes_on = entry.container.state.status.is_live() || self.options.across_restarts;
        if self.options.follow && goes_on { Poll::Pending } else { Poll::Ready(None) }
    }
}

impl LogStream for SimulatedLog {
    fn next_line(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<LogLine>> {
        follow(timeout, cancel, "no further line in time", || Ok(self.poll()))
    }
}

/// The events of a simulation, and with `follow` those to come.
#[derive(Debug)]
pub(super) struct SimulatedEvents {
    state: SharedState,
    options: EventOptions,
    /// The index of the first event that was not read.
    next: usize,
    /// How many events there were when the stream was opened, unless it follows.
    end: Option<usize>,
}

impl SimulatedEvents {
    pub(super) fn open(state: SharedState, options: EventOptions) -> Self {
        let count = lock(&state).events.len();
        let from_now = options.follow && options.since.is_none() && options.until.is_none();
        let next = if from_now { count } else { 0 };
        let end = Some(count).filter(|_| !options.follow);
        SimulatedEvents { state, options, next, end }
    }

    fn poll(&mut self) -> Poll<Option<Event>> {
        let state = lock(&self.state);
        let EventOptions { since, until, filter, .. } = &self.options;
        let end = self.end.unwrap_or(state.events.len());
        let mut unread = state.events.iter().enumerate().take(end).skip(self.next);
        let fits = |event: &Event| is_within(event.time, *since, *until) && filter.matches(event);
        if let Some((index, event)) = unread.find(|(_, event)| fits(event)) {
            self.next = index + 1;
            return Poll::Ready(Some(event.clone()));
        }
        let is_over = until.is_some_and(|until| Timestamp::now() >= until);
        if is_over || self.end.is_some() { Poll::Ready(None) } else { Poll::Pending }
    }
}

impl EventStream for SimulatedEvents {
    fn take_unreadable(&mut self) -> u64 {
        0
    }

    fn next_event(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<Event>> {
        follow(timeout, cancel, "no further event in time", || Ok(self.poll()))
    }
}

fn fits(options: &LogOptions, line: &LogLine) -> bool {
    options.stream.is_none_or(|stream| stream == line.stream)
        && is_within(line.time, options.since, options.until)
}

fn is_within(time: Timestamp, since: Option<Timestamp>, until: Option<Timestamp>) -> bool {
    since.is_none_or(|since| time >= since) && until.is_none_or(|until| time < until)
}
