//! Creates containers: from image and options to files.

use std::cell::RefCell;
use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::handle::Native;
use super::new_id::new_id;
use super::prepared_volumes::PreparedVolumes;
use crate::engine::rules::{mounts, namespaces, profile};
use crate::image::{ListIdentity, Store};
use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::container::options::CreateOptions;
use crate::model::container::storage::Driver;
use crate::model::creation::merge;
use crate::model::image::Image;
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::runtime::host::lsm;
use crate::runtime::{CreationWork, NewContainer, host};

/// How many generated names are tried before the short id becomes the name (moby, `names.go`).
pub(super) const NAME_ATTEMPTS: u32 = 6;

impl Native {
    /// Reads the spec of the container of this name.
    fn spec_of(&self, name: &str) -> Result<ContainerSpec> {
        self.runtime.directory(&self.runtime.find(name)?).read_spec()
    }

    /// Creates a container under the requested name, or a generated one.
    pub(super) fn try_create(
        &self,
        found: &ImageFound<'_>,
        options: &CreateOptions,
        attempt: u32,
    ) -> Result<ContainerId> {
        let ImageFound { reference, image, .. } = found;
        let id = new_id()?;
        let options = &*mounts::resolved(options, &|name| self.spec_of(name))?;
        let mut spec = merge::spec(id.clone(), Timestamp::now(), reference, image, options)?;
        lsm::check(&spec.host_config.security)?;
        profile::read(&mut spec.host_config.security.seccomp)?;
        namespaces::resolve(&mut spec, &|name| self.spec_of(name))?;
        let name = match &options.name {
            Some(name) => name.clone(),
            None if attempt > NAME_ATTEMPTS => id.short().parse()?,
            None => ContainerName::generate(u64::from_le_bytes(crate::runtime::random()?), attempt),
        };
        // Relative to the container's directory, so that the root can be moved, and the mount table
        // inside has no path of the host.
        let store = self.store()?;
        spec.host_config.storage = self.driver()?.driver;
        let (lower, merged) = match spec.host_config.storage {
            Driver::Overlay => self.stack(&store, &spec.image.layers)?,
            Driver::Vfs => (Vec::new(), None),
        };
        let lower: Vec<String> = lower.iter().map(|path| Self::from_container(path)).collect();
        let root = store.root_like(&spec.image.layers)?;
        let environment = merge::process_env(&spec);
        let images = self.find_mounted_images(&store, &mut spec)?;
        self.name_volumes(&mut spec)?;
        let root = root.as_ref().map(|path| Self::from_container(path));
        let new = NewContainer {
            spec: &spec,
            name: &name,
            environment: &environment,
            lower: &lower,
            root: root.as_deref(),
        };
        let volumes = RefCell::new(None);
        let work = CreationWork {
            copy: &|layers, target| store.copy_layers(layers, target, &|| Ok(())),
            before_files: &|| {
                *volumes.borrow_mut() = Some(self.prepare_volumes(&spec)?);
                Ok(())
            },
            before_publishing: &|| {
                let lock = self.share_images()?;
                store.check_present(image, found.since)?;
                let mut mounted = images.found.iter();
                mounted.try_for_each(|image| store.check_present(image, found.since))?;
                Ok(lock)
            },
        };
        self.runtime.create(&new, &work)?;
        if let Some(volumes) = volumes.take() {
            PreparedVolumes::commit(volumes);
        }
        drop((merged, images));
        Ok(id)
    }

    /// Returns the path of what the store has, from a container's directory.
    pub(super) fn from_container(path: &Path) -> String {
        format!("../../images/{}", path.display())
    }

    /// Returns the directories that overlayfs stacks for these layers. If some are merged, also
    /// returns the lock that keeps the merge until the container has it.
    pub(super) fn stack(
        &self,
        store: &Store,
        layers: &[Digest],
    ) -> Result<(Vec<PathBuf>, Option<File>)> {
        let stack = store.stack(layers, host::max_layers())?;
        if stack.len() == layers.len().max(1) {
            return Ok((stack, None));
        }
        // A removal of another image may delete a merge that no container has yet.
        let lock = self.share_images()?;
        Ok((store.stack(layers, host::max_layers())?, Some(lock)))
    }
}

/// An image that was found for a new container. No lock keeps it while the container is created:
/// that it is still there is checked when the container is published.
pub(super) struct ImageFound<'a> {
    /// The name that the user wrote.
    pub(super) reference: &'a str,
    pub(super) image: Image,
    /// The list of images before it was found there.
    pub(super) since: ListIdentity,
}
