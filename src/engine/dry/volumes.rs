//! Simulated volumes.

use std::path::Path;

use jiff::Timestamp;

use super::state::{Dry, SimulatedState};
use crate::engine::backend::Volumes;
use crate::engine::rules::volumes::{check_force, check_new, in_use, missing};
use crate::model::container::ContainerSpec;
use crate::model::container::mounts::{MountKind, check_volume_name};
use crate::model::observe::volume::{
    PruneVolumesOptions, PrunedVolumes, RemoveVolumeOptions, Volume, VolumeOptions, VolumeUse,
};
use crate::model::{Kind, Result};
use crate::runtime::record::volumes::Volumes as VolumeStore;

impl Volumes for Dry {
    fn volume_create(&self, options: &VolumeOptions) -> Result<Volume> {
        let mut world = self.state();
        let unnamed = || world.next_id().as_str().to_owned();
        let name = options.name.clone().unwrap_or_else(unnamed);
        check_new(&name, options)?;
        let volume = Volume::new(name.clone(), Timestamp::now(), options);
        let created = world.create_volume(volume, &self.root)?;
        let found = world.volume(&name).ok_or_else(|| missing(&name))?.volume;
        drop(world);
        if created {
            self.record(format_args!("create volume {name}"));
        }
        Ok(found)
    }

    fn volumes(&self) -> Result<Vec<VolumeUse>> {
        Ok(self.state().all_volumes())
    }

    fn volume(&self, name: &str) -> Result<VolumeUse> {
        self.state().volume(name).ok_or_else(|| missing(name))
    }

    fn volume_rm(&self, name: &str, options: &RemoveVolumeOptions) -> Result<()> {
        let found = match self.volume(name) {
            Err(error) if options.force && error.kind() == Kind::NotFound => return Ok(()),
            found => found?,
        };
        if !found.users.is_empty() {
            return Err(in_use(&found));
        }
        check_force(&found, options)?;
        self.state().volumes.retain(|used| used.volume.name != name);
        self.record(format_args!("remove volume {name}"));
        Ok(())
    }

    fn volume_rm_each(
        &self,
        names: &[&str],
        options: &RemoveVolumeOptions,
    ) -> Result<Vec<Result<()>>> {
        Ok(names.iter().map(|name| self.volume_rm(name, options)).collect())
    }

    fn volume_prune(&self, options: &PruneVolumesOptions) -> Result<PrunedVolumes> {
        let is_pruned = |used: &VolumeUse| {
            used.users.is_empty()
                && (options.all || used.volume.anonymous)
                && options.filter.matches(used)
        };
        let unused = self.volumes()?.into_iter().filter(is_pruned);
        let names: Vec<String> = unused.map(|used| used.volume.name).collect();
        let dry_run = PruneVolumesOptions { dry_run: true, ..options.clone() };
        // Simulated volumes take no disk space.
        let real = self.inner.volume_prune(&dry_run)?;
        let all_go = real.names.iter().all(|name| names.contains(name));
        let bytes = if all_go { real.bytes } else { 0 };
        if !options.dry_run {
            self.state().volumes.retain(|used| !names.contains(&used.volume.name));
            self.record("prune volumes");
        }
        Ok(PrunedVolumes { names, bytes })
    }
}

impl SimulatedState {
    /// Returns a volume with its users.
    fn volume(&self, name: &str) -> Option<VolumeUse> {
        let found = self.volumes.iter().find(|used| used.volume.name == name)?;
        let uses =
            |spec: &ContainerSpec| spec.host_config.mounts.volumes().any(|used| used == name);
        let users = self.containers.iter().filter(|entry| uses(&entry.container.spec));
        let users = users.map(|entry| entry.container.state.name.clone()).collect();
        Some(VolumeUse { users, ..found.clone() })
    }

    fn all_volumes(&self) -> Vec<VolumeUse> {
        let mut names: Vec<&str> = self.volumes.iter().map(|v| v.volume.name.as_str()).collect();
        names.sort_unstable();
        names.into_iter().filter_map(|name| self.volume(name)).collect()
    }

    /// Adds a volume, unless it exists. Returns whether it was created.
    fn create_volume(&mut self, volume: Volume, root: &Path) -> Result<bool> {
        check_volume_name(&volume.name)?;
        if self.volumes.iter().any(|used| used.volume.name == volume.name) {
            return Ok(false);
        }
        let mountpoint = VolumeStore::at(root).mountpoint(&volume.name).display().to_string();
        self.volumes.push(VolumeUse { volume, mountpoint, users: Vec::new(), damaged: None });
        Ok(true)
    }

    /// Creates the volumes of a container that is being created; those without a name get one.
    pub(super) fn create_volumes(&mut self, spec: &mut ContainerSpec, root: &Path) -> Result<()> {
        for mount in spec.host_config.mounts.list.iter_mut() {
            if mount.kind != MountKind::Volume {
                continue;
            }
            if mount.source.is_empty() {
                self.next_id().as_str().clone_into(&mut mount.source);
            }
            let volume = Volume::from_mount(mount, spec.created);
            self.create_volume(volume, root)?;
            let there = self.volumes.iter().find(|used| used.volume.name == mount.source);
            mount.device = there.map(|used| used.volume.options.clone()).unwrap_or_default();
        }
        Ok(())
    }

    /// Removes the volumes among `names` that no container uses.
    pub(super) fn remove_unused_volumes(&mut self, names: &[String]) {
        for name in names {
            if self.volume(name).is_some_and(|used| used.users.is_empty()) {
                self.volumes.retain(|used| used.volume.name != *name);
            }
        }
    }
}
