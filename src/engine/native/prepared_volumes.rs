//! The volumes of a container that is being created.

use super::creation::new_id;
use super::handle::Native;
use crate::engine::rules::mounts::check_binds;
use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::container::mounts::MountKind;
use crate::model::observe::volume::Volume;
use crate::runtime::record::volumes::VolumesLock;

impl Native {
    /// Creates the volumes of a container that is being created, names those without a name, and
    /// checks that the sources of `--mount` exist. The volumes stay as long as the lock is held.
    pub(super) fn prepare_mounts(&self, spec: &mut ContainerSpec) -> Result<PreparedVolumes<'_>> {
        let volumes = self.volume_store();
        let list = &mut spec.host_config.mounts.list;
        check_binds(list)?;
        let mut prepared = PreparedVolumes { engine: self, created: Vec::new(), _lock: None };
        if list.iter().all(|mount| mount.kind != MountKind::Volume) {
            return Ok(prepared);
        }
        prepared._lock = Some(volumes.lock_shared()?);
        for mount in list.iter_mut().filter(|mount| mount.kind == MountKind::Volume) {
            if mount.source.is_empty() {
                new_id()?.as_str().clone_into(&mut mount.source);
            }
            let volume = Volume::from_mount(mount, spec.created);
            if volumes.create(&volume)? {
                prepared.created.push(volume.name);
            }
        }
        if !prepared.created.is_empty() && !spec.host_config.auto_remove {
            volumes.sync(&prepared.created)?;
        }
        Ok(prepared)
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
