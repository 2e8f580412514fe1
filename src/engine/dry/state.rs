//! `--dry-run`: an engine that only tells what would be done.
//!
//! It begins with what the real engine has and goes on in memory: what it would have made can be
//! found, started and removed, by the same table of states and with the same refusals. Nothing
//! runs, so what a program would do is assumed: it runs until it is stopped or waited for, ends
//! with 0 in both cases, writes nothing, and is as it is waited to be. What the script itself
//! writes into a container is kept.

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

/// Who is told what would be done: a line each, without the newline.
pub type ActionLog = Arc<dyn Fn(&str) + Send + Sync>;

/// The engine that tells.
pub struct Dry {
    /// What there is, which is only read.
    pub(super) inner: Arc<dyn Backend>,
    /// Where it keeps all.
    pub(super) root: PathBuf,
    log: ActionLog,
    state: Mutex<SimulatedState>,
}

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
}

impl Entry {
    /// A container that is there in truth, or only would be.
    pub(super) fn new(container: Container, is_real: bool) -> Self {
        Entry { container, is_real, files: BTreeMap::new() }
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
    let containers = real.ps()?.into_iter().map(|container| Entry::new(container, true));
    let world = SimulatedState {
        containers: containers.collect(),
        images: real.images()?,
        volumes: real.volumes()?,
        ..SimulatedState::default()
    };
    Ok(Arc::new(Dry { inner: real, root: root.to_owned(), log: tell, state: Mutex::new(world) }))
}

impl Dry {
    pub(super) fn state(&self) -> MutexGuard<'_, SimulatedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what would be done.
    pub(super) fn record(&self, what: impl fmt::Display) {
        (self.log)(&format!("would {what}"));
    }
}
