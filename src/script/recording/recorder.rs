//! Keeping what a script does while it runs: which containers it touches and where, what they use,
//! their last words, and what it prints. A thread of its own looks at them; the events tell the
//! rest at the end.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rhai::NativeCallContext;

use super::call_site::{Place, Places};
use super::output::Kept;
use super::watched::Watched;
use crate::engine::{Backend, Cancel};
use crate::model::error::Context as _;
use crate::model::observe::event::{Action, Event, EventOptions};
use crate::model::script::recording::{Chronicle, Happening};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::script::context::script_context::Stage;
use crate::script::errors::render;
use crate::script::session::Session;
use crate::script::{Host, Outcome, Output, Source, read};

/// From one look to the next, when nothing is new.
const PAUSE: Duration = Duration::from_millis(100);
/// After a container was touched for the first time: it may be a short life.
const SHORT: Duration = Duration::from_millis(10);
/// Looking takes at most this part of the time: a tenth.
const SHARE: u32 = 10;
/// How many containers are looked at.
const MOST: usize = 300;
/// How many things that change no status are kept of each container.
const HAPPENINGS: usize = 500;

/// Keeps what one script does.
#[derive(Debug)]
pub struct Recorder {
    backend: Arc<dyn Backend>,
    pub(super) output: Arc<dyn Output>,
    began: Instant,
    state: Mutex<State>,
    changed: Condvar,
    pub(super) kept: Mutex<Kept>,
    /// Raised by nobody: what is looked at takes no time.
    never: Cancel,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they were touched.
    watched: Vec<Arc<Watched>>,
    at: HashMap<ContainerId, usize>,
    left_out: u64,
    is_fresh: bool,
    is_over: bool,
}

/// Runs a script to its end and keeps what it does.
///
/// # Errors
/// Where that can't be kept; then the script did not run.
pub fn run_recorded(host: Host, source: Source) -> Result<(Outcome, Chronicle)> {
    let begun = Timestamp::now();
    let recorder = Arc::new(Recorder::new(&host)?);
    let looking = {
        let recorder = Arc::clone(&recorder);
        let thread = std::thread::Builder::new().name("report".to_owned());
        thread.spawn(move || recorder.look_on()).context(|| "make a thread".to_owned())?
    };
    let name = source.name();
    let output: Arc<dyn Output> = recorder.clone();
    let host = Host { output, recorder: Some(recorder.clone()), ..host };
    let (outcome, places) = match read(source) {
        Ok((name, text)) => {
            let session = Session::new(host);
            let stage: Stage = session.stage().clone();
            let outcome = session.run(&name, &text);
            (outcome, Places::new(&name, stage.sources()))
        }
        Err(error) => {
            let report = Some(render::plain(&error));
            (Outcome { exit_code: 1, report, whole: false }, Places::default())
        }
    };
    let took = recorder.began.elapsed();
    let chronicle = Chronicle {
        name,
        begun,
        took,
        exit_code: outcome.exit_code,
        report: outcome.report.clone(),
        ..recorder.end(looking, begun, places)
    };
    Ok((outcome, chronicle))
}

impl Recorder {
    fn new(host: &Host) -> Result<Self> {
        Ok(Recorder {
            backend: Arc::clone(&host.backend),
            output: Arc::clone(&host.output),
            began: Instant::now(),
            state: Mutex::default(),
            changed: Condvar::new(),
            kept: Mutex::default(),
            never: Cancel::new()?,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Notes that a function is called about a container, and sees how that is before.
    pub(crate) fn touched(&self, ctx: &NativeCallContext, id: &ContainerId) {
        let Some(watched) = self.watched(id) else { return };
        watched.called(self.began.elapsed(), Place::of(ctx));
        self.look(&watched);
    }

    /// Looks at a container that has just changed.
    pub(crate) fn looked_at(&self, id: &ContainerId) {
        if let Some(watched) = self.watched(id) {
            self.look(&watched);
        }
    }

    fn look(&self, watched: &Watched) {
        watched.look(self.backend.as_ref(), || self.began.elapsed());
    }

    /// The entry of a container, made when it is first touched; `None` where there are too many.
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

    /// Looks at all containers again and again, until the script is over.
    fn look_on(&self) {
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
            // A script that makes many must not wait for the looks at those that it has.
            let watched = state.watched.clone();
            drop(state);
            let begun = Instant::now();
            watched.iter().for_each(|watched| self.look(watched));
            pause = pause.min(PAUSE).max(begun.elapsed() * SHARE);
        }
    }

    /// Looks a last time, and puts together what is known; without what the script itself told.
    fn end(&self, looking: JoinHandle<()>, begun: Timestamp, mut places: Places) -> Chronicle {
        self.state().is_over = true;
        self.changed.notify_one();
        // Had it panicked, there would be fewer samples.
        let _ = looking.join();
        let watched = std::mem::take(&mut self.state().watched);
        watched.iter().for_each(|watched| self.look(watched));
        let mut happenings = self.happenings(begun);
        let lives = watched.iter().map(|watched| {
            let (happenings, happenings_left_out) =
                happenings.remove(watched.id()).unwrap_or_default();
            let life = watched.life(&self.never, begun, &mut places);
            crate::model::script::recording::Life { happenings, happenings_left_out, ..life }
        });
        let lives = lives.collect();
        let (output, output_left_out) = lock(&self.kept).take();
        Chronicle {
            texts: places.texts(),
            output,
            output_left_out,
            lives,
            lives_left_out: self.state().left_out,
            ..Chronicle::default()
        }
    }

    /// What happened to containers since `begun`, and how much more that is not kept.
    fn happenings(&self, begun: Timestamp) -> HashMap<ContainerId, (Vec<Happening>, u64)> {
        let mut all: HashMap<ContainerId, (Vec<Happening>, u64)> = HashMap::new();
        let options = EventOptions { since: Some(begun), ..EventOptions::default() };
        // Where events can't be read there are none to show.
        let Ok(mut events) = self.backend.events(&options) else { return all };
        let state = self.state();
        while let Ok(Some(event)) = events.next_event(None, &self.never) {
            let Ok(id) = event.id.parse::<ContainerId>() else { continue };
            if !state.at.contains_key(&id) {
                continue;
            }
            let (happenings, left_out) = all.entry(id).or_default();
            if happenings.len() < HAPPENINGS || moves(&event) {
                happenings.push(happening(event, begun));
            } else {
                *left_out += 1;
            }
        }
        all
    }
}

fn moves(event: &Event) -> bool {
    let moving = [
        Action::Create,
        Action::Start,
        Action::Pause,
        Action::Unpause,
        Action::Die,
        Action::Stop,
        Action::Restart,
        Action::Destroy,
    ];
    moving.iter().any(|action| action.as_str() == event.action)
}

fn happening(event: Event, begun: Timestamp) -> Happening {
    let own = ["exitCode", "signal", "oldName"];
    let detail = own.iter().find_map(|key| event.attributes.get(*key));
    let detail = detail.map(|detail| detail.trim_start_matches('/').to_owned());
    let detail = detail.unwrap_or_default();
    Happening { at: since(begun, event.time), action: event.action, detail }
}

/// How long after `begun` a time is.
pub(super) fn since(begun: Timestamp, time: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(begun)).unwrap_or_default()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error of a container that is gone.
pub(super) fn is_gone(error: &Error) -> bool {
    error.kind() == Kind::NotFound
}
