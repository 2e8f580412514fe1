//! The images that a new container mounts.

use std::fs::File;

use super::handle::Native;
use crate::image::Store;
use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::container::mounts::{ImageLayers, MountKind};
use crate::model::container::storage::Driver;
use crate::model::image::Image;
use crate::model::image::stacking::topmost_once;

/// The images of mounts, with the locks that keep merged layers until the container has them.
pub(super) struct MountedImages {
    pub(super) found: Vec<Image>,
    _merged: Vec<File>,
}

impl Native {
    /// Finds the images that a container mounts. As in Docker, none is pulled.
    pub(super) fn find_mounted_images(
        &self,
        store: &Store,
        spec: &mut ContainerSpec,
    ) -> Result<MountedImages> {
        let mut images = MountedImages { found: Vec::new(), _merged: Vec::new() };
        let storage = spec.host_config.storage;
        let list = spec.host_config.mounts.list.iter_mut();
        for mount in list.filter(|mount| mount.kind == MountKind::Image) {
            let image = store.find(&mount.source).map_err(|error| {
                error.hint(format!("pull it first: lifebox pull {}", mount.source))
            })?;
            let layers = topmost_once(&image.layers);
            let lower = match storage {
                Driver::Vfs => Vec::new(),
                Driver::Overlay => {
                    let (lower, merged) = self.stack(store, &layers)?;
                    images._merged.extend(merged);
                    lower.iter().map(|path| Self::from_container(path)).collect()
                }
            };
            mount.image = Some(ImageLayers { id: image.id.clone(), layers, lower });
            images.found.push(image);
        }
        Ok(images)
    }
}
