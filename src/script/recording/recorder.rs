//! The recorder: keeps which containers a script uses and where, their resource usage, their last
//! lines, and the script's output. Its thread samples the containers; the events complete the
//! recording at the end.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rhai::NativeCallContext;

use super::call_site::{CallSite, CallSites};
use super::output::OutputBuffer;
use super::times::{changes_status, lock, timeline_event};
use super::watched::Watched;
use crate::engine::{Backend, CancelToken};
use crate::model::Result;
use crate::model::observe::event::EventOptions;
use crate::model::observe::log::Stream;
use crate::model::script::recording::{ContainerTimeline, Recording, TimelineEvent};
use crate::model::value::id::ContainerId;
use crate::script::host::{Observer, Output, ScriptHost};

/// The interval between two samples, if nothing is new.
const PAUSE: Duration = Duration::from_millis(100);
/// The delay after the first use of a container: its life may be short.
const SHORT: Duration = Duration::from_millis(10);
/// The maximum share of time for sampling: a tenth.
const SHARE: u32 = 10;
/// The maximum number of recorded containers.
const MOST: usize = 300;
/// The maximum number of events without a change of status per container.
const MAX_EVENTS: usize = 500;

/// Records one script.
#[derive(Debug)]
pub struct Recorder {
    backend: Arc<dyn Backend>,
    output: Arc<dyn Output>,
    pub(super) started_at: Instant,
    state: Mutex<State>,
    changed: Condvar,
    output_buffer: Mutex<OutputBuffer>,
    /// Never cancelled: sampling does not block.
    never: CancelToken,
}

#[derive(Debug, Default)]
struct State {
    /// The containers, in the order of their first use.
    watched: Vec<Arc<Watched>>,
    at: HashMap<ContainerId, usize>,
    left_out: u64,
    is_fresh: bool,
    is_over: bool,
}

impl Recorder {
    pub(super) fn new(host: &ScriptHost) -> Result<Self> {
        Ok(Recorder {
            backend: Arc::clone(&host.backend),
            output: Arc::clone(&host.output),
            started_at: Instant::now(),
            state: Mutex::default(),
            changed: Condvar::new(),
            output_buffer: Mutex::default(),
            never: CancelToken::new()?,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn keep(&self, stream: Stream, bytes: &[u8], end: &[u8]) {
        let mut kept = lock(&self.output_buffer);
        kept.add(stream, bytes);
        kept.add(stream, end);
    }

    fn poll(&self, watched: &Watched) {
        watched.poll(self.backend.as_ref(), || self.started_at.elapsed());
    }

    /// Returns the entry of a container, created at its first use; `None` if there are too many.
    fn watched(&self, id: &ContainerId) -> Option<Arc<Watched>> {
        let mut state = self.state();
        if let Some(at) = state.at.get(id) {
            return state.watched.get(*at).cloned();
        }
        let at = state.watched.len();
        state.at.insert(id.clone(), at);
        if at >= MOST {
            state.left_out += 1;
            return None;
        }
        let watched = Arc::new(Watched::new(id));
        state.watched.push(Arc::clone(&watched));
        state.is_fresh = true;
        self.changed.notify_one();
        Some(watched)
    }

    /// Samples all containers repeatedly, until the script has ended.
    pub(super) fn poll_until_end(&self) {
        let mut pause = PAUSE;
        loop {
            let deadline = Instant::now() + pause;
            let mut state = self.state();
            while !state.is_over && !state.is_fresh && Instant::now() < deadline {
                let left = deadline.saturating_duration_since(Instant::now());
                let waited = self.changed.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            if state.is_over {
                return;
            }
            pause = if std::mem::take(&mut state.is_fresh) { SHORT } else { pause * 2 };
            // A script that creates many containers must not wait for sampling.
            let watched = state.watched.clone();
            drop(state);
            let start = Instant::now();
            watched.iter().for_each(|watched| self.poll(watched));
            pause = pause.min(PAUSE).max(start.elapsed() * SHARE);
        }
    }

    /// Samples a last time and returns the recording, without the output of the script.
    pub(super) fn end(
        &self,
        looking: JoinHandle<()>,
        start: Timestamp,
        mut places: CallSites,
    ) -> Recording {
        self.state().is_over = true;
        self.changed.notify_one();
        // If the thread has panicked, there are only fewer samples.
        let _ = looking.join();
        let watched = std::mem::take(&mut self.state().watched);
        watched.iter().for_each(|watched| self.poll(watched));
        let mut events_of = self.timeline_events(start);
        let lives = watched.iter().map(|watched| {
            let (events_of, events_omitted) = events_of.remove(watched.id()).unwrap_or_default();
            let life = watched.timeline(&self.never, start, &mut places);
            ContainerTimeline { events: events_of, events_omitted, ..life }
        });
        let lives = lives.collect();
        let (output, output_omitted) = lock(&self.output_buffer).take();
        Recording {
            sources: places.texts(),
            output,
            output_omitted,
            timelines: lives,
            timelines_omitted: self.state().left_out,
            ..Recording::default()
        }
    }

    /// Returns the events of containers since `start`, and how many more were not kept.
    fn timeline_events(&self, start: Timestamp) -> HashMap<ContainerId, (Vec<TimelineEvent>, u64)> {
        let mut all: HashMap<ContainerId, (Vec<TimelineEvent>, u64)> = HashMap::new();
        let options = EventOptions { since: Some(start), ..EventOptions::default() };
        // Without a readable journal there are no events to show.
        let Ok(mut events) = self.backend.events(&options) else { return all };
        let state = self.state();
        while let Ok(Some(event)) = events.next_event(None, &self.never) {
            let Ok(id) = event.id.parse::<ContainerId>() else { continue };
            if !state.at.contains_key(&id) {
                continue;
            }
            let (events_of, left_out) = all.entry(id).or_default();
            if events_of.len() < MAX_EVENTS || changes_status(&event) {
                events_of.push(timeline_event(event, start));
            } else {
                *left_out += 1;
            }
        }
        all
    }
}

impl Observer for Recorder {
    fn note_use(&self, ctx: &NativeCallContext, id: &ContainerId) {
        let Some(watched) = self.watched(id) else { return };
        watched.called(self.started_at.elapsed(), CallSite::of(ctx));
        self.poll(&watched);
    }

    fn refresh(&self, id: &ContainerId) {
        if let Some(watched) = self.watched(id) {
            self.poll(&watched);
        }
    }
}

impl Output for Recorder {
    fn print(&self, text: &str) -> io::Result<()> {
        self.keep(Stream::Stdout, text.as_bytes(), b"\n");
        self.output.print(text)
    }

    fn eprint(&self, text: &str) -> io::Result<()> {
        self.keep(Stream::Stderr, text.as_bytes(), b"\n");
        self.output.eprint(text)
    }

    fn step(&self, text: &str) -> io::Result<bool> {
        self.output.step(text)
    }

    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        self.keep(Stream::Stdout, bytes, b"");
        self.output.write_out(bytes)
    }

    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        self.keep(Stream::Stderr, bytes, b"");
        self.output.write_err(bytes)
    }
}
