//! Which containers use which images, and the locks between both.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use super::handle::Native;
use crate::engine::backend::Observe as _;
use crate::image::InUseGuard;
use crate::model::Result;
use crate::model::container::Container;
use crate::model::error::Context;
use crate::model::image::ImageUser;
use crate::runtime::host::lock::{Share, acquire};

impl Native {
    /// Opens the lock between creating containers, which share it, and removing images: an image
    /// that is found for a container must exist until the container does.
    pub(super) fn use_lock(&self) -> Result<File> {
        let path = self.settings.root.join("use.lock");
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(&path);
        file.context(|| format!("open `{}`", path.display()))
    }

    /// Locks the images alone: no container is created meanwhile.
    pub(super) fn lock_images(&self) -> Result<File> {
        let lock = self.use_lock()?;
        acquire(&lock, Share::Alone, "the images")?;
        Ok(lock)
    }

    /// Locks the images shared: no image is removed meanwhile.
    pub(super) fn share_images(&self) -> Result<File> {
        let lock = self.use_lock()?;
        acquire(&lock, Share::Shared, "the images")?;
        Ok(lock)
    }

    /// Returns which containers use which images; of a damaged record, as far as known.
    pub(super) fn users(&self) -> Result<Vec<ImageUser>> {
        Ok(self.ps()?.iter().map(Self::user).chain(self.users_of_builds()).collect())
    }

    pub(super) fn user(container: &Container) -> ImageUser {
        ImageUser {
            image: container.spec.image.id.clone(),
            layers: container.spec.image.layers.clone(),
            container: container.state.name.to_string(),
            live: container.state.status.is_live(),
        }
    }

    pub(super) fn list_in_use(&self) -> Result<InUseGuard> {
        Ok(InUseGuard { users: self.users()?, locks: Box::new(()) })
    }

    /// Locks images and containers: no container is created or started. A start waits.
    pub(super) fn lock_in_use(&self) -> Result<InUseGuard> {
        let images = self.lock_images()?;
        let mut locks = Vec::new();
        let mut users = self.users_of_builds();
        for container in self.ps()? {
            let mut user = Self::user(&container);
            match self.runtime.directory(&container.spec.id).try_lock() {
                Ok(Some(lock)) => locks.push(lock),
                // Another process has the lock: the container runs, or is about to.
                Ok(None) => user.live = true,
                // It was just removed.
                Err(_) => {}
            }
            users.push(user);
        }
        Ok(InUseGuard { users, locks: Box::new((images, locks)) })
    }
}
