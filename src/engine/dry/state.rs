//! `--dry-run`: an engine that only records what would be done.
//!
//! It starts with the state of the real engine and continues in memory: a simulated container can
//! be found, started and removed, by the same table of states and with the same refusals. Nothing
//! runs, so a program is assumed to run until it is stopped or waited for, to exit with 0 in both
//! cases, to write nothing, and to meet the conditions that are waited for. Files that the script
//! itself writes into a container are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::backend::Backend;
use crate::model::Result;
use crate::model::container::Container;
use crate::model::image::Image;
use crate::model::observe::event::Event;
use crate::model::observe::volume::VolumeUse;

/// A function that gets each action that would be done: a line without the newline.
pub type ActionLog = Arc<dyn Fn(&str) + Send + Sync>;

/// The engine that records.
pub struct Dry {
    /// The real engine, which is only read.
    pub(super) inner: Arc<dyn Backend>,
    /// The root of its store.
    pub(super) root: PathBuf,
    log: ActionLog,
    state: Mutex<SimulatedState>,
}

/// The simulated state.
#[derive(Debug, Default)]
pub(super) struct SimulatedState {
    /// Newest first.
    pub(super) containers: Vec<Entry>,
    /// Newest first.
    pub(super) images: Vec<Image>,
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
}

impl Entry {
    /// Returns the entry of a real or simulated container.
    pub(super) fn new(container: Container, is_real: bool) -> Self {
        Entry { container, is_real, files: BTreeMap::new() }
    }
}

impl fmt::Debug for Dry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dry").field("real", &self.inner).finish_non_exhaustive()
    }
}

/// Returns an engine that does nothing and passes to `log` what `real`, with its root `root`, would
/// do.
///
/// # Errors
/// When the state of the real engine cannot be read.
pub fn open(real: Arc<dyn Backend>, root: &Path, log: ActionLog) -> Result<Arc<dyn Backend>> {
    let containers = real.ps()?.into_iter().map(|container| Entry::new(container, true));
    let world = SimulatedState {
        containers: containers.collect(),
        images: real.images()?,
        volumes: real.volumes()?,
        ..SimulatedState::default()
    };
    Ok(Arc::new(Dry { inner: real, root: root.to_owned(), log, state: Mutex::new(world) }))
}

impl Dry {
    pub(super) fn state(&self) -> MutexGuard<'_, SimulatedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an action that would be done.
    pub(super) fn record(&self, what: impl fmt::Display) {
        (self.log)(&format!("would {what}"));
    }
}
