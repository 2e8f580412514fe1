//! A simulated engine, in one of two modes.
//!
//! `--dry-run` ([`open`]) only tells what would be done.
//! It begins with what the real engine has and goes on in memory: what it would have made can be
//! found, started and removed, by the same table of states and with the same refusals. Nothing
//! runs, so what a program would do is assumed: it runs until it is stopped or waited for, ends
//! with 0 in both cases, writes nothing, and is as it is waited to be. What the script itself
//! writes into a container is kept.
//!
//! A simulation ([`simulate`]) is for tests. Its caller decides what programs do: which lines they
//! write and when they exit. Time passes: a wait takes as long as the program runs, and logs and
//! events can be followed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::program::Programs;
use crate::engine::backend::Backend;
use crate::model::Result;
use crate::model::container::Container;
use crate::model::image::Image;
use crate::model::observe::event::Event;
use crate::model::observe::log::LogLine;
use crate::model::observe::volume::VolumeUse;

/// Who is told what would be done: a line each, without the newline.
pub type ActionLog = Arc<dyn Fn(&str) + Send + Sync>;

/// The simulated engine.
pub struct Dry {
    /// What there is, which is only read.
    pub(super) inner: Arc<dyn Backend>,
    /// Where it keeps all.
    pub(super) root: PathBuf,
    log: ActionLog,
    /// What programs do in a simulation; a dry run assumes it.
    pub(super) programs: Option<Programs>,
    state: SharedState,
}

/// The state, which followed logs and events read while the engine goes on.
pub(super) type SharedState = Arc<Mutex<SimulatedState>>;

/// What there would be.
#[derive(Debug, Default)]
pub(super) struct SimulatedState {
    /// Newest first.
    pub(super) containers: Vec<Entry>,
    /// Newest first.
    pub(super) images: Vec<Image>,
    /// Their users are those of `containers`.
    pub(super) volumes: Vec<VolumeUse>,
    pub(super) events: Vec<Event>,
    /// How many ids were given.
    pub(super) ids: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) container: Container,
    /// It is there in truth, and nothing was done to it: what it tells can be asked.
    pub(super) is_real: bool,
    /// What the script has written into it.
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
    /// What its program has written, in all runs.
    pub(super) lines: Vec<LogLine>,
}

impl Entry {
    /// A container that is there in truth, or only would be.
    pub(super) fn new(container: Container, is_real: bool) -> Self {
        Entry { container, is_real, files: BTreeMap::new(), lines: Vec::new() }
    }
}

impl fmt::Debug for Dry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dry").field("real", &self.inner).finish_non_exhaustive()
    }
}

/// An engine that does nothing and tells what `real`, which keeps all below `root`, would do.
///
/// # Errors
/// When what there is cannot be read.
pub fn open(real: Arc<dyn Backend>, root: &Path, tell: ActionLog) -> Result<Arc<dyn Backend>> {
    Ok(Arc::new(Dry::new(real, root, tell, None)?))
}

/// Returns an engine whose containers run `programs` in place of processes, for tests of scripts
/// and of programs that embed the engine. Needs no rights and changes nothing of `real`, which
/// keeps all below `root`. Has `images` besides those of `real`.
///
/// # Errors
/// When what `real` has cannot be read.
pub fn simulate(
    real: Arc<dyn Backend>,
    root: &Path,
    images: Vec<Image>,
    programs: Programs,
) -> Result<Arc<dyn Backend>> {
    let engine = Dry::new(real, root, Arc::new(|_| ()), Some(programs))?;
    engine.state().images.splice(..0, images);
    Ok(Arc::new(engine))
}

/// Locks the state. A panic elsewhere leaves it whole enough for a simulation.
pub(super) fn lock(state: &SharedState) -> MutexGuard<'_, SimulatedState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dry {
    fn new(
        real: Arc<dyn Backend>,
        root: &Path,
        log: ActionLog,
        programs: Option<Programs>,
    ) -> Result<Self> {
        let containers = real.ps()?.into_iter().map(|container| Entry::new(container, true));
        let state = SimulatedState {
            containers: containers.collect(),
            images: real.images()?,
            volumes: real.volumes()?,
            ..SimulatedState::default()
        };
        let (root, state) = (root.to_owned(), Arc::new(Mutex::new(state)));
        Ok(Dry { inner: real, root, log, programs, state })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, SimulatedState> {
        lock(&self.state)
    }

    pub(super) fn shared_state(&self) -> SharedState {
        Arc::clone(&self.state)
    }

    /// Tells what would be done.
    pub(super) fn record(&self, what: impl fmt::Display) {
        (self.log)(&format!("would {what}"));
    }
}
