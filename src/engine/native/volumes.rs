//! Volumes, and the containers that use them.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::handle::Native;
use super::new_id::new_id;
use crate::engine::backend::Volumes;
use crate::engine::rules::volumes::{check_force, check_new, in_use, missing};
use crate::image::tree_size;
use crate::model::observe::volume::{
    PruneVolumesOptions, PrunedVolumes, RemoveVolumeOptions, Volume, VolumeOptions, VolumeUse,
};
use crate::model::value::name::ContainerName;
use crate::model::{Error, Kind, Result};
use crate::runtime::record::volumes::{RemovedVolume, Volumes as VolumeStore, VolumesLock};

/// The containers of each volume, by the volume's name.
type UsersByVolume = HashMap<String, Vec<ContainerName>>;

impl Volumes for Native {
    fn volume_create(&self, options: &VolumeOptions) -> Result<Volume> {
        let volumes = self.volume_store();
        let _kept = volumes.lock_shared()?;
        let name = match &options.name {
            Some(name) => name.clone(),
            None => new_id()?.as_str().to_owned(),
        };
        check_new(&name, options)?;
        let volume = Volume::new(name, Timestamp::now(), options);
        if volumes.create(&volume)? {
            volumes.sync(std::slice::from_ref(&volume.name))?;
        }
        volumes.find(&volume.name)?.ok_or_else(|| missing(&volume.name))
    }

    fn volumes(&self) -> Result<Vec<VolumeUse>> {
        let list = self.volume_store().list()?.into_iter();
        let list: Result<_> = list.map(|(name, found)| known(&name, found)).collect();
        self.with_users(list?)
    }

    fn volume(&self, name: &str) -> Result<VolumeUse> {
        let volume = self.volume_store().find(name).transpose().ok_or_else(|| missing(name))?;
        let mut found = self.with_users(vec![known(name, volume)?])?;
        found.pop().ok_or_else(|| missing(name))
    }

    fn volume_rm(&self, name: &str, options: &RemoveVolumeOptions) -> Result<()> {
        let mut results = self.volume_rm_each(&[name], options)?;
        results.pop().unwrap_or(Ok(()))
    }

    fn volume_rm_each(
        &self,
        names: &[&str],
        options: &RemoveVolumeOptions,
    ) -> Result<Vec<Result<()>>> {
        let volumes = self.volume_store();
        let held = volumes.lock_exclusive()?;
        let users = self.users_of_volumes()?;
        let taken: Vec<Result<Option<RemovedVolume>>> =
            names.iter().map(|name| self.take_volume(&held, name, options, &users)).collect();
        let abandoned = volumes.abandoned(&held);
        // Without the lock: deleting may take long.
        drop(held);
        if taken.iter().any(|volume| matches!(volume, Ok(Some(_)))) {
            volumes.sync(&[])?;
        }
        let results = taken.into_iter().map(|volume| volume?.map_or(Ok(()), RemovedVolume::delete));
        let results = results.collect();
        // What is left of others does not make this removal fail.
        abandoned.into_iter().for_each(|half| drop(half.delete()));
        Ok(results)
    }

    fn volume_prune(&self, options: &PruneVolumesOptions) -> Result<PrunedVolumes> {
        let volumes = self.volume_store();
        let held = (!options.dry_run).then(|| volumes.lock_exclusive()).transpose()?;
        let goes = |one: &VolumeUse| {
            // A damaged record does not tell whether the volume was anonymous.
            one.users.is_empty()
                && one.damaged.is_none()
                && (options.all || one.volume.anonymous)
                && options.filter.matches(one)
        };
        let going = self.volumes()?.into_iter().filter(goes).map(|one| one.volume.name);
        let mut pruned = PrunedVolumes { names: going.collect(), bytes: 0 };
        let Some(held) = held else {
            let sizes = pruned.names.iter().map(|name| tree_size(&volumes.mountpoint(name)));
            pruned.bytes = sizes.sum();
            return Ok(pruned);
        };
        let taken: Vec<_> =
            pruned.names.iter().map(|name| volumes.take_away(&held, name)).collect();
        let abandoned = volumes.abandoned(&held);
        // Without the lock: measuring and deleting may take long.
        drop(held);
        if !taken.is_empty() {
            volumes.sync(&[])?;
        }
        let mut first_error = None;
        for volume in taken {
            match volume.and_then(|volume| Ok((tree_size(&volume.content()), volume.delete()?))) {
                Ok((bytes, ())) => pruned.bytes += bytes,
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        abandoned.into_iter().for_each(|half| drop(half.delete()));
        first_error.map_or(Ok(pruned), Err)
    }
}

impl Native {
    pub(super) fn volume_store(&self) -> VolumeStore {
        VolumeStore::at(&self.settings.root)
    }

    fn with_users(&self, volumes: Vec<KnownVolume>) -> Result<Vec<VolumeUse>> {
        let users = self.users_of_volumes()?;
        let with_users = |volume| self.with_these_users(volume, &users);
        Ok(volumes.into_iter().map(with_users).collect())
    }

    fn with_these_users(&self, (volume, damaged): KnownVolume, users: &UsersByVolume) -> VolumeUse {
        let damaged = damaged.map(|error| error.to_string());
        let mountpoint = self.volume_store().mountpoint(&volume.name).display().to_string();
        let users = users.get(&volume.name).cloned().unwrap_or_default();
        VolumeUse { volume, mountpoint, users, damaged }
    }

    /// Returns the containers of each volume that is in use, with one look at each container.
    fn users_of_volumes(&self) -> Result<UsersByVolume> {
        let mut users = UsersByVolume::new();
        for container in self.readable_containers()? {
            let names: BTreeSet<&str> = container.spec.host_config.mounts.volumes().collect();
            for name in names {
                users.entry(name.to_owned()).or_default().push(container.state.name.clone());
            }
        }
        Ok(users)
    }

    /// Takes a volume away; `None` if it is missing and need not exist.
    fn take_volume(
        &self,
        held: &VolumesLock,
        name: &str,
        options: &RemoveVolumeOptions,
        users: &UsersByVolume,
    ) -> Result<Option<RemovedVolume>> {
        let volumes = self.volume_store();
        let found = volumes.find(name).transpose().map(|found| known(name, found)).transpose()?;
        let Some(found) = found.filter(|(volume, _)| options.means(volume)) else {
            return if options.force { Ok(None) } else { Err(missing(name)) };
        };
        let found = self.with_these_users(found, users);
        if !found.users.is_empty() {
            return Err(in_use(&found));
        }
        check_force(&found, options)?;
        volumes.take_away(held, name).map(Some)
    }
}

/// A volume, and why its record cannot be read.
type KnownVolume = (Volume, Option<Error>);

/// Returns a volume, or what is known of one whose record is damaged.
///
/// # Errors
/// When the record could not be read for want of memory or descriptors.
fn known(name: &str, found: Result<Volume>) -> Result<KnownVolume> {
    let unknown = || {
        let options = VolumeOptions { name: Some(name.to_owned()), ..VolumeOptions::default() };
        Volume::new(name.to_owned(), Timestamp::UNIX_EPOCH, &options)
    };
    match found {
        Ok(volume) => Ok((volume, None)),
        Err(error) if error.kind() == Kind::Corrupt => Ok((unknown(), Some(error))),
        Err(error) => Err(error),
    }
}
