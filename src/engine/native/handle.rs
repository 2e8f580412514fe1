//! The native engine: what it is made with.

use once_cell::sync::OnceCell;

use super::settings::Settings;
use crate::engine::backend::Session;
use crate::image::Store;
use crate::model::Result;
use crate::runtime::Runtime;

/// The reference that stands for this machine's own programs.
pub(super) const HOST: &str = "host:latest";

/// The engine of this machine. Cheap to make: nothing is read before it is asked for.
#[derive(Debug)]
pub(in crate::engine) struct Native {
    pub(super) settings: Settings,
    pub(super) runtime: Runtime,
    /// This process as the owner of what builds run; none before the first.
    pub(super) build_session: OnceCell<Session>,
}

impl Native {
    pub(in crate::engine) fn new(settings: &Settings) -> Self {
        let runtime = Runtime::new(&settings.root, &settings.cgroup_parent);
        Native { settings: settings.clone(), runtime, build_session: OnceCell::new() }
    }

    pub(super) fn store(&self) -> Result<Store> {
        Store::open(&self.settings.root)
    }
}
