//! The simulated engine, in one of two modes.
//!
//! For `--dry-run` ([`open`]) it only records what would be done. It starts with the state of the
//! real engine and continues in memory: a simulated container can be found, started and removed, by
//! the same table of states and with the same refusals. Nothing runs, so a program is assumed to
//! run until it is stopped or waited for, to exit with 0 in both cases, to write nothing, and to
//! meet the conditions that are waited for. Files that the script itself writes into a container
//! are kept.
//!
//! In a simulation ([`simulate`]), which is for tests, a function decides which lines a program
//! writes and when it exits. Time passes: a wait takes as long as the program runs, and logs and
//! events can be followed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fence::Fence;
use super::program::Programs;
use crate::engine::backend::Backend;
use crate::model::Result;
use crate::model::container::Container;
use crate::model::image::Image;
use crate::model::observe::event::Event;
use crate::model::observe::log::LogLine;
use crate::model::observe::volume::VolumeUse;

/// A function that gets each action that would be done: a line without the newline.
pub type ActionLog = Arc<dyn Fn(&str) + Send + Sync>;

/// The simulated engine.
pub struct Dry {
    /// The real engine, which is only read.
    pub(super) inner: Arc<dyn Backend>,
    /// The root of its store.
    pub(super) root: PathBuf,
    log: ActionLog,
    /// What programs do in a simulation; none in a dry run, which assumes it.
    pub(super) programs: Option<Programs>,
    state: SharedState,
}

/// The state, which followers of logs and events read while the engine continues.
pub(super) type SharedState = Arc<Mutex<SimulatedState>>;

/// The simulated state.
#[derive(Debug, Default)]
pub(super) struct SimulatedState {
    /// Newest first.
    pub(super) containers: Vec<Entry>,
    /// Newest first.
    pub(super) images: Vec<Image>,
    /// What a run that is not trusted may change; none for other runs.
    pub(super) fence: Option<Fence>,
    /// Volumes; the containers that use them are those of `containers`.
    pub(super) volumes: Vec<VolumeUse>,
    pub(super) events: Vec<Event>,
    /// The number of ids that were generated.
    pub(super) ids: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) container: Container,
    /// Whether it exists in the real engine and was not changed, so that the real engine can
    /// describe it.
    pub(super) is_real: bool,
    /// The files that the script has written into it.
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
    /// The lines that its program has written, in all runs.
    pub(super) lines: Vec<LogLine>,
}

impl Entry {
    /// Returns the entry of a real or simulated container.
    pub(super) fn new(container: Container, is_real: bool) -> Self {
        Entry { container, is_real, files: BTreeMap::new(), lines: Vec::new() }
    }
}

impl fmt::Debug for Dry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dry").field("real", &self.inner).finish_non_exhaustive()
    }
}

/// Returns an engine that does nothing and passes to `log` what `real`, with its root `root`, would
/// do. With `fenced` it refuses what [`open_fenced`](crate::engine::open_fenced) refuses.
///
/// # Errors
/// When the state of the real engine cannot be read.
pub fn open(
    real: Arc<dyn Backend>,
    root: &Path,
    fenced: bool,
    log: ActionLog,
) -> Result<Arc<dyn Backend>> {
    let engine = Dry::new(real, root, log, None)?;
    engine.state().fence = fenced.then(Fence::default);
    Ok(Arc::new(engine))
}

/// Returns an engine whose containers run `programs` in place of processes, for tests of scripts
/// and of programs that embed the engine. Needs no privileges, and changes nothing of `real`, with
/// its root `root`. Has `images` besides those of `real`.
///
/// # Errors
/// When the state of `real` cannot be read.
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

    /// Records an action that would be done.
    pub(super) fn record(&self, what: impl fmt::Display) {
        (self.log)(&format!("would {what}"));
    }
}
