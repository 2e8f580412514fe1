//! The native engine and its parts.

use once_cell::sync::OnceCell;

use super::settings::Settings;
use crate::engine::backend::ContainerSession;
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
    pub(super) build_session: OnceCell<ContainerSession>,
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
