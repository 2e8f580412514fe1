//! The native engine and its parts.

use once_cell::sync::OnceCell;

use super::settings::Settings;
use crate::engine::backend::Session;
use crate::image::Store;
use crate::model::Result;
use crate::runtime::Runtime;

/// The reference of the image of the host's own programs.
pub(super) const HOST: &str = "host:latest";

/// The engine of the host. It is cheap to create: nothing is read before the first call.
#[derive(Debug)]
pub(in crate::engine) struct Native {
    pub(super) settings: Settings,
    pub(super) runtime: Runtime,
    /// The session of the containers of builds; `None` before the first.
    pub(super) build_session: OnceCell<Session>,
    /// Whether readers write nothing either: for a dry run.
    pub(super) read_only: bool,
}

impl Native {
    pub(in crate::engine) fn new(settings: &Settings) -> Self {
        let runtime = Runtime::new(&settings.root, &settings.cgroup_parent);
        let (settings, build_session) = (settings.clone(), OnceCell::new());
        Native { settings, runtime, build_session, read_only: false }
    }

    /// Returns an engine for a dry run.
    pub(in crate::engine) fn read_only(settings: &Settings) -> Self {
        let native = Native::new(settings);
        Native { runtime: native.runtime.read_only(), read_only: true, ..native }
    }

    pub(super) fn store(&self) -> Result<Store> {
        if self.read_only {
            return Store::open_read_only(&self.settings.root);
        }
        Store::open(&self.settings.root)
    }
}
