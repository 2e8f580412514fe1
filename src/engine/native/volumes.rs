//! Volumes, and the containers that use them.

use jiff::Timestamp;

use super::creation::new_id;
use super::handle::Native;
use crate::engine::backend::Volumes;
use crate::engine::rules::volumes::{check_force, in_use, missing};
use crate::image::tree_size;
use crate::model::container::ContainerSpec;
use crate::model::observe::volume::{
    PruneVolumesOptions, PrunedVolumes, RemoveVolumeOptions, Volume, VolumeOptions, VolumeUse,
};
use crate::model::{Error, Kind, Result};
use crate::runtime::record::volumes::Volumes as VolumeStore;

impl Volumes for Native {
    fn volume_create(&self, options: &VolumeOptions) -> Result<Volume> {
        let volumes = self.volume_store();
        let _kept = volumes.lock_shared()?;
        let name = match &options.name {
            Some(name) => name.clone(),
            None => new_id()?.as_str().to_owned(),
        };
        let volume = Volume::new(name, Timestamp::now(), options);
        if volumes.create(&volume)? {
            volumes.sync(std::slice::from_ref(&volume.name))?;
        }
        volumes.find(&volume.name)?.ok_or_else(|| missing(&volume.name))
    }

    fn volumes(&self) -> Result<Vec<VolumeUse>> {
        let list = self.volume_store().list()?.into_iter();
        self.with_users(list.map(|(name, found)| known(&name, found)).collect())
    }

    fn volume(&self, name: &str) -> Result<VolumeUse> {
        let volume = self.volume_store().find(name).transpose().ok_or_else(|| missing(name))?;
        let mut found = self.with_users(vec![known(name, volume)])?;
        found.pop().ok_or_else(|| missing(name))
    }

    fn volume_rm(&self, name: &str, options: &RemoveVolumeOptions) -> Result<()> {
        let volumes = self.volume_store();
        let held = volumes.lock_exclusive()?;
        let meant = self.volume(name).and_then(|found| match options.means(&found.volume) {
            true => Ok(found),
            false => Err(missing(name)),
        });
        let found = match meant {
            Err(error) if options.force && error.kind() == Kind::NotFound => return Ok(()),
            result => result?,
        };
        if !found.users.is_empty() {
            return Err(in_use(&found));
        }
        check_force(&found, options)?;
        volumes.remove(&held, name)?;
        volumes.sync(&[])
    }

    fn volume_prune(&self, options: &PruneVolumesOptions) -> Result<PrunedVolumes> {
        let volumes = self.volume_store();
        let held = (!options.dry_run).then(|| volumes.lock_exclusive()).transpose()?;
        let mut pruned = PrunedVolumes::default();
        for one in self.volumes()? {
            let name = &one.volume.name;
            // A damaged record does not tell whether the volume was anonymous.
            if !one.users.is_empty()
                || one.damaged.is_some()
                || !(options.all || one.volume.anonymous)
                || !options.filter.matches(&one)
            {
                continue;
            }
            pruned.bytes += tree_size(&volumes.mountpoint(name));
            if let Some(held) = &held {
                volumes.remove(held, name)?;
            }
            pruned.names.push(name.clone());
        }
        if held.is_some() && !pruned.names.is_empty() {
            volumes.sync(&[])?;
        }
        Ok(pruned)
    }
}

impl Native {
    pub(super) fn volume_store(&self) -> VolumeStore {
        VolumeStore::at(&self.settings.root)
    }

    fn with_users(&self, volumes: Vec<(Volume, Option<Error>)>) -> Result<Vec<VolumeUse>> {
        let containers = self.readable_containers()?;
        let with_users = |(volume, damaged): (Volume, Option<Error>)| {
            let damaged = damaged.map(|error| error.to_string());
            let uses = |spec: &ContainerSpec| {
                spec.host_config.mounts.volumes().any(|name| name == volume.name)
            };
            let users = containers.iter().filter(|container| uses(&container.spec));
            let users = users.map(|container| container.state.name.clone()).collect();
            let mountpoint = self.volume_store().mountpoint(&volume.name).display().to_string();
            VolumeUse { volume, mountpoint, users, damaged }
        };
        Ok(volumes.into_iter().map(with_users).collect())
    }
}

/// Returns a volume, or what is known of one whose record is damaged.
fn known(name: &str, found: Result<Volume>) -> (Volume, Option<Error>) {
    let unknown = || {
        let options = VolumeOptions { name: Some(name.to_owned()), ..VolumeOptions::default() };
        Volume::new(name.to_owned(), Timestamp::UNIX_EPOCH, &options)
    };
    match found {
        Ok(volume) => (volume, None),
        Err(error) => (unknown(), Some(error)),
    }
}
