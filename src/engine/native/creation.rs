//! Creates containers: from image and options to files.

use std::path::Path;

use jiff::Timestamp;

use super::handle::Native;
use crate::engine::rules::{mounts, namespaces, profile};
use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::container::options::CreateOptions;
use crate::model::container::storage::Driver;
use crate::model::creation::merge;
use crate::model::image::Image;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::runtime::host::lsm;
use crate::runtime::{NewContainer, host};

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
        reference: &str,
        image: &Image,
        options: &CreateOptions,
        attempt: u32,
    ) -> Result<ContainerId> {
        let id = new_id()?;
        let options = &*mounts::with_mounts_of_others(options, &|name| self.spec_of(name))?;
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
        let inside = |path: &std::path::PathBuf| format!("../../images/{}", path.display());
        spec.host_config.storage = self.driver()?.driver;
        let lower: Vec<String> = match spec.host_config.storage {
            Driver::Overlay => {
                store.stack(&spec.image.layers, host::max_layers())?.iter().map(inside).collect()
            }
            Driver::Vfs => Vec::new(),
        };
        let root = store.root_like(&spec.image.layers)?;
        let environment = merge::process_env(&spec);
        let mounts = self.prepare_mounts(&mut spec)?;
        let root = root.as_ref().map(inside);
        let new = NewContainer {
            spec: &spec,
            name: &name,
            environment: &environment,
            lower: &lower,
            root: root.as_deref(),
        };
        let copy = |target: &Path| store.copy_layers(&spec.image.layers, target, &|| Ok(()));
        self.runtime.create(&new, &copy)?;
        mounts.commit();
        Ok(id)
    }
}

/// Returns a new id.
pub(super) fn new_id() -> Result<ContainerId> {
    loop {
        if let Some(id) = ContainerId::from_random(crate::runtime::random()?) {
            return Ok(id);
        }
    }
}
