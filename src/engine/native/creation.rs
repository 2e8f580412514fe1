//! From image and options to a container's files.

use std::path::Path;

use jiff::Timestamp;

use super::backend::Native;
use crate::engine::rules::profile;
use crate::model::container::options::CreateOptions;
use crate::model::container::storage::Driver;
use crate::model::creation::merge;
use crate::model::image::Image;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::{Kind, Result};
use crate::runtime::host::lsm;
use crate::runtime::{NewContainer, host};

/// How often a generated name may be taken before the short id serves (moby, `names.go`).
const NAME_ATTEMPTS: u32 = 6;

impl Native {
    /// Makes a container under the name that was asked for, or one of its own.
    pub(crate) fn create_container(
        &self,
        image: &str,
        options: &CreateOptions,
    ) -> Result<ContainerId> {
        let store = self.store()?;
        let _use = self.share_images()?;
        let found = store.find(image)?;
        let mut attempt = 1;
        loop {
            match self.try_create(image, &found, options, attempt) {
                Err(error)
                    if error.kind() == Kind::Exists
                        && options.name.is_none()
                        && attempt <= NAME_ATTEMPTS =>
                {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    fn try_create(
        &self,
        reference: &str,
        image: &Image,
        options: &CreateOptions,
        attempt: u32,
    ) -> Result<ContainerId> {
        let id = new_id()?;
        let options = &*self.with_mounts_of_others(options)?;
        let mut spec = merge::spec(id.clone(), Timestamp::now(), reference, image, options)?;
        lsm::check(&spec.host.security)?;
        profile::read(&mut spec.host.security.seccomp)?;
        self.resolve_namespaces(&mut spec)?;
        let name = match &options.name {
            Some(name) => name.clone(),
            None if attempt > NAME_ATTEMPTS => id.short().parse()?,
            None => ContainerName::generate(u64::from_le_bytes(crate::runtime::random()?), attempt),
        };
        // Relative to the container's directory, so that the root can be moved, and the mount
        // table inside shows no path of the host.
        let store = self.store()?;
        let inside = |path: &std::path::PathBuf| format!("../../images/{}", path.display());
        spec.host.storage = self.driver()?.driver;
        let lower: Vec<String> = match spec.host.storage {
            Driver::Overlay => {
                store.stack(&spec.image.layers, host::max_layers())?.iter().map(inside).collect()
            }
            Driver::Vfs => Vec::new(),
        };
        let root = store.root_like(&spec.image.layers);
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

pub(crate) fn new_id() -> Result<ContainerId> {
    loop {
        if let Some(id) = ContainerId::from_random(crate::runtime::random()?) {
            return Ok(id);
        }
    }
}
