//! Layers of containers and images on disk.

use std::path::PathBuf;

use super::handle::Native;
use crate::model::Result;
use crate::model::container::Container;
use crate::model::container::storage::Driver;
use crate::model::observe::introspection::Layer;
use crate::model::value::digest::Digest;

impl Native {
    /// Returns the directories of a container's layers, from the top, with their numbers.
    pub(super) fn places(&self, container: &Container) -> Result<Vec<(Option<usize>, PathBuf)>> {
        let directory = self.runtime.directory(&container.spec.id);
        // A copied root is the only layer.
        if container.spec.host_config.storage == Driver::Vfs {
            return Ok(vec![(None, directory.file("rootfs"))]);
        }
        let upper = [(None, directory.file("upper"))];
        let store = self.store()?;
        let layers = (1..).zip(&container.spec.image.layers);
        let mut places: Vec<_> =
            layers.map(|(number, key)| (Some(number), store.layer_dir(key))).chain(upper).collect();
        places.reverse();
        Ok(places)
    }

    /// Describes layers.
    pub(super) fn layers_of(&self, keys: &[Digest]) -> Result<Vec<Layer>> {
        let store = self.store()?;
        keys.iter().map(|key| store.contents(key)).collect()
    }
}
