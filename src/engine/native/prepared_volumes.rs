//! The volumes of a container that is being created.

use super::handle::Native;
use super::new_id::new_id;
use crate::engine::rules::mounts::check_binds;
use crate::model::container::ContainerSpec;
use crate::model::container::mounts::MountKind;
use crate::model::observe::volume::Volume;
use crate::model::{Error, Kind, Result};
use crate::runtime::record::volumes::VolumesLock;

impl Native {
    /// Creates the volumes of a container that is being created. They stay as long as the lock is
    /// held.
    pub(super) fn prepare_volumes(&self, spec: &ContainerSpec) -> Result<PreparedVolumes<'_>> {
        let volumes = self.volume_store();
        let list = spec.host_config.mounts.list.iter();
        let mut list = list.filter(|mount| mount.kind == MountKind::Volume).peekable();
        let mut prepared = PreparedVolumes { engine: self, created: Vec::new(), _lock: None };
        if list.peek().is_none() {
            return Ok(prepared);
        }
        prepared._lock = Some(volumes.lock_shared()?);
        for mount in list {
            let volume = Volume::from_mount(mount, spec.created);
            if volumes.create(&volume)? {
                prepared.created.push(volume.name);
            } else if !matches!(volumes.find(&volume.name)?, Some(v) if v.options == mount.device) {
                // What the container mounts was read without the lock.
                let message = format!("the volume `{}` was just replaced", volume.name);
                return Err(Error::new(Kind::Refused, message).hint("create the container again"));
            }
        }
        if !prepared.created.is_empty() && !spec.host_config.auto_remove {
            volumes.sync(&prepared.created)?;
        }
        Ok(prepared)
    }

    /// Names the volumes without a name, reads what each mounts, and checks that the sources of
    /// `--mount` exist.
    pub(super) fn name_volumes(&self, spec: &mut ContainerSpec) -> Result<()> {
        let list = &mut spec.host_config.mounts.list;
        check_binds(list)?;
        for mount in list.iter_mut().filter(|mount| mount.kind == MountKind::Volume) {
            if mount.source.is_empty() {
                new_id()?.as_str().clone_into(&mut mount.source);
            }
            let there = self.volume_store().find(&mount.source)?;
            mount.device = there.map_or_else(|| mount.options.clone(), |volume| volume.options);
        }
        Ok(())
    }
}

/// The volumes of a container that is being created. Those created for it are removed when dropped,
/// unless the container is committed.
pub(super) struct PreparedVolumes<'a> {
    engine: &'a Native,
    created: Vec<String>,
    _lock: Option<VolumesLock>,
}

impl PreparedVolumes<'_> {
    /// Keeps the volumes: the container exists.
    pub(super) fn commit(mut self) {
        self.created.clear();
    }
}

impl Drop for PreparedVolumes<'_> {
    fn drop(&mut self) {
        // This value's share of the lock would block the removal indefinitely.
        self._lock = None;
        if !self.created.is_empty() {
            let _ = self.engine.runtime.remove_unused_volumes(&self.created);
        }
    }
}
