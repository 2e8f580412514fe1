//! One container that a script has used, as it is seen from outside.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

use super::call_site::{CallSite, CallSites};
use super::times::{is_removed, lock, since};
use crate::engine::{Backend, CancelToken, LogStream};
use crate::model::container::Container;
use crate::model::container::status::Status;
use crate::model::container::supervision::RestartPolicy;
use crate::model::observe::log::LogOptions;
use crate::model::script::recording::{Call, ContainerTimeline, Line, Sample};
use crate::model::value::id::ContainerId;

/// The number of last lines that are kept.
const LINES: u64 = 20;
/// The maximum length of a line, in characters.
const LINE: usize = 500;
/// The maximum number of lines that are read to find the last ones.
const READ: usize = 100_000;
/// The maximum number of samples: beyond it every other one is dropped.
const SAMPLES: usize = 2 * HALF as usize;
const HALF: u32 = 300;
/// The maximum number of different calls.
const CALLS: usize = 500;

/// A recorded container.
#[derive(Debug)]
pub struct Watched {
    id: ContainerId,
    known: Mutex<WatchedState>,
}

#[derive(Debug, Default)]
struct WatchedState {
    calls: Vec<(CallSite, Duration, u64)>,
    record: Option<Box<Container>>,
    found: Option<Status>,
    samples: Vec<Sample>,
    /// The interval between two kept samples; doubled when there are too many.
    interval: Duration,
    /// Its last lines and later ones: opened now, read at the end. So the log of a removed
    /// container can be read as well.
    log: Option<Box<dyn LogStream>>,
    is_gone: bool,
}

impl Watched {
    /// Creates a container without samples.
    pub fn new(id: &ContainerId) -> Self {
        Watched { id: id.clone(), known: Mutex::default() }
    }

    /// Returns the id.
    pub fn id(&self) -> &ContainerId {
        &self.id
    }

    fn known(&self) -> MutexGuard<'_, WatchedState> {
        lock(&self.known)
    }

    /// Records a call.
    pub fn called(&self, at: Duration, place: CallSite) {
        let mut known = self.known();
        let is_full = known.calls.len() >= CALLS;
        match known.calls.iter_mut().find(|(other, ..)| *other == place) {
            Some((.., count)) => *count += 1,
            None if is_full => {}
            None => known.calls.push((place, at, 1)),
        }
    }

    /// Reads the current state.
    pub fn poll(&self, backend: &dyn Backend, now: impl Fn() -> Duration) {
        let mut known = self.known();
        if known.is_gone {
            return;
        }
        let record = match backend.inspect(&self.id) {
            Ok(record) => record,
            Err(error) => {
                known.is_gone = is_removed(&error);
                return;
            }
        };
        let status = record.state.status;
        known.found.get_or_insert(status);
        let last_run = |record: &Container| (record.state.status, record.state.finished_at);
        let before = known.record.as_deref().map(last_run);
        let is_as_before = before == Some(last_run(&record));
        known.record = Some(Box::new(record));
        if status.is_live() {
            // Without a controller there is no plot.
            let used = backend.stats(&self.id).unwrap_or_default();
            let (cpu_time, memory) = (used.cpu_time, used.memory);
            known.sample(Sample { at: now(), status, cpu_time, memory });
        }
        // A container that has not run since has no new lines.
        if status.is_live() || !is_as_before {
            let last = LogOptions { tail: Some(LINES), ..LogOptions::default() };
            if let Ok(log) = backend.logs(&self.id, &last) {
                known.log = Some(log);
            }
        }
    }

    /// Returns the recorded data, without events.
    pub fn timeline(
        &self,
        never: &CancelToken,
        start: Timestamp,
        places: &mut CallSites,
    ) -> ContainerTimeline {
        let mut known = self.known();
        let log = known.log.take().map(|log| last_lines(log, never, start)).unwrap_or_default();
        let calls = known.calls.drain(..).map(|(place, at, count)| Call {
            at,
            text: places.find(&place),
            line: place.line,
            name: place.name,
            count,
        });
        let calls = calls.collect();
        let record = known.record.take();
        let record = record.as_ref();
        let name = record.map(|record| record.state.name.to_string());
        let restarts = |record: &Container| {
            let updated = record.state.updated.restart;
            updated.unwrap_or(record.spec.host_config.supervision.restart) != RestartPolicy::No
        };
        ContainerTimeline {
            id: self.id.short().to_owned(),
            name: name.unwrap_or_else(|| self.id.short().to_owned()),
            image: record.map(|record| record.spec.image.reference.clone()).unwrap_or_default(),
            initial_status: known.found,
            restarts: record.is_some_and(|record| restarts(record)),
            samples: std::mem::take(&mut known.samples),
            log,
            calls,
            ..ContainerTimeline::default()
        }
    }
}

impl WatchedState {
    fn sample(&mut self, sample: Sample) {
        let last = self.samples.last();
        let is_soon = last.is_some_and(|last| {
            last.status == sample.status && sample.at.saturating_sub(last.at) < self.interval
        });
        if is_soon {
            return;
        }
        self.samples.push(sample);
        if self.samples.len() >= SAMPLES {
            let mut number = 0;
            self.samples.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            let whole = sample.at.saturating_sub(self.samples[0].at);
            self.interval = whole / HALF;
        }
    }
}

/// Returns the last lines of a log, oldest first.
fn last_lines(mut log: Box<dyn LogStream>, never: &CancelToken, start: Timestamp) -> Vec<Line> {
    let mut lines = std::collections::VecDeque::new();
    for _ in 0..READ {
        let Ok(Some(line)) = log.next_line(Some(Duration::ZERO), never) else { break };
        let text = line.text();
        let text = match text.char_indices().nth(LINE) {
            Some((at, _)) => format!("{}...", &text[..at]),
            None => text.into_owned(),
        };
        lines.push_back(Line { at: since(start, line.time), stream: line.stream, text });
        if lines.len() as u64 > LINES {
            lines.pop_front();
        }
    }
    lines.into()
}
