//! Which containers use which images, and the locks between both.

use std::fs::File;

use super::handle::Native;
use crate::image::InUseGuard;
use crate::model::container::Container;
use crate::model::error::Context;
use crate::model::image::ImageUser;
use crate::model::value::digest::Digest;
use crate::model::{Kind, Result};
use crate::runtime::host::lock::{Share, acquire};
use crate::runtime::host::record_file;

/// The errors of what stands in the place of a record, and no other process or retry changes.
const OF_A_RECORD: [i32; 4] = [libc::EACCES, libc::ENOENT, libc::ENOTDIR, libc::ELOOP];

impl Native {
    /// Opens the lock between creating containers, which share it, and removing images: an image
    /// that is found for a container must exist until the container does.
    pub(super) fn use_lock(&self) -> Result<File> {
        let path = self.settings.root.join("use.lock");
        record_file::open_or_create_lock(&path).context(|| format!("open `{}`", path.display()))
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
        let containers = self.readable_containers()?;
        Ok(containers.iter().flat_map(Self::uses).chain(self.users_of_builds()).collect())
    }

    /// Returns all containers, for a removal of what is not in use.
    ///
    /// # Errors
    /// When a record cannot be read: what it uses must stay. A damaged one can only be removed, and
    /// uses nothing.
    pub(super) fn readable_containers(&self) -> Result<Vec<Container>> {
        let all = self.runtime.ps()?.into_iter().map(|(id, found)| match found {
            Err(error) if error.errno().is_some_and(|errno| !OF_A_RECORD.contains(&errno)) => {
                Err(error
                    .context(format!("cannot find out what the container {} uses", id.short())))
            }
            Err(error) => Ok(self.damaged(&id, &error)),
            Ok(container) => Ok(container),
        });
        all.collect()
    }

    /// Returns the images that a container uses: its own, and those that it mounts.
    pub(super) fn uses(container: &Container) -> Vec<ImageUser> {
        let of = |image: &Digest, layers: &[Digest]| ImageUser {
            image: image.clone(),
            layers: layers.to_vec(),
            container: container.state.name.to_string(),
            live: container.state.status.is_live(),
        };
        let own = &container.spec.image;
        let mounts = container.spec.host_config.mounts.images();
        let mounted = mounts.filter_map(|mount| mount.image.as_ref());
        let mounted = mounted.map(|image| of(&image.id, &image.layers));
        std::iter::once(of(&own.id, &own.layers)).chain(mounted).collect()
    }

    pub(super) fn list_in_use(&self) -> Result<InUseGuard> {
        Ok(InUseGuard { users: self.users()?, locks: Box::new(()) })
    }

    /// Locks images and containers: no container is created or started. A start waits.
    pub(super) fn lock_in_use(&self) -> Result<InUseGuard> {
        let images = self.lock_images()?;
        let mut locks = Vec::new();
        let mut users = self.users_of_builds();
        for container in self.readable_containers()? {
            let mut uses = Self::uses(&container);
            match self.runtime.directory(&container.spec.id).try_lock() {
                Ok(Some(lock)) => locks.push(lock),
                // Another process has the lock: the container runs, or is about to.
                Ok(None) => uses.iter_mut().for_each(|user| user.live = true),
                // It was just removed, or cannot be started anyway.
                Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Corrupt) => {}
                Err(error) => return Err(error),
            }
            users.append(&mut uses);
        }
        Ok(InUseGuard { users, locks: Box::new((images, locks)) })
    }
}
