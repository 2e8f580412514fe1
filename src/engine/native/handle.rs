//! The native engine and its parts.

use std::sync::{Arc, Mutex, PoisonError};

use once_cell::sync::OnceCell;

use super::settings::Settings;
use crate::engine::backend::ContainerSession;
use crate::image::{ListIdentity, Store};
use crate::model::Result;
use crate::model::image::Image;
use crate::model::image::own::OwnImages;
use crate::runtime::Runtime;
use crate::runtime::host::owner;

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
    /// Whether readers write nothing either: for a dry run.
    pub(super) read_only: bool,
    /// The image that was found last: `run` looks for it twice, and a loop many times.
    found: Mutex<Option<(String, ListIdentity, Image)>>,
}

impl Native {
    pub(in crate::engine) fn new(settings: &Settings) -> Self {
        let runtime = Runtime::new(&settings.root, &settings.cgroup_parent);
        let (settings, build_session) = (settings.clone(), OnceCell::new());
        let (own_images, found) = (None, Mutex::default());
        Native { settings, runtime, build_session, own_images, read_only: false, found }
    }

    /// Returns an engine that changes only these tags and images.
    pub(in crate::engine) fn fenced(settings: &Settings, own: Arc<OwnImages>) -> Self {
        Native { own_images: Some(own), ..Native::new(settings) }
    }

    /// Returns an engine for a dry run.
    pub(in crate::engine) fn read_only(settings: &Settings, own: Option<Arc<OwnImages>>) -> Self {
        let native = Native::new(settings);
        Native { runtime: native.runtime.read_only(), own_images: own, read_only: true, ..native }
    }

    /// Finds an image, and returns the identity of the list in which it was found.
    pub(super) fn find_image(&self, store: &Store, query: &str) -> Result<(Image, ListIdentity)> {
        let since = store.list_identity();
        let mut last = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, before, image)) = last.as_ref()
            && name == query
            && *before == since
            && since.is_known()
        {
            return Ok((image.clone(), since));
        }
        let image = store.find(query)?;
        *last = Some((query.to_owned(), since, image.clone()));
        Ok((image, since))
    }

    pub(super) fn store(&self) -> Result<Store> {
        let store = match self.read_only {
            true => Store::open_read_only(&self.settings.root),
            false => {
                let store = Store::open(&self.settings.root)?;
                owner::check(&self.settings.root)?;
                store
            }
        };
        Ok(store.fenced(self.own_images.clone()))
    }
}
