//! The native engine and its parts.

use std::sync::Arc;

use once_cell::sync::OnceCell;

use super::settings::Settings;
use crate::engine::backend::ContainerSession;
use crate::image::Store;
use crate::model::Result;
use crate::model::image::own::OwnImages;
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
    /// What a run that is not trusted has created, if the engine serves one.
    pub(super) own_images: Option<Arc<OwnImages>>,
}

impl Native {
    pub(in crate::engine) fn new(settings: &Settings) -> Self {
        let runtime = Runtime::new(&settings.root, &settings.cgroup_parent);
        let (settings, build_session) = (settings.clone(), OnceCell::new());
        Native { settings, runtime, build_session, own_images: None }
    }

    /// Returns an engine that changes only these tags and images.
    pub(in crate::engine) fn fenced(settings: &Settings, own: Arc<OwnImages>) -> Self {
        Native { own_images: Some(own), ..Native::new(settings) }
    }

    pub(super) fn store(&self) -> Result<Store> {
        Ok(Store::open(&self.settings.root)?.fenced(self.own_images.clone()))
    }
}
