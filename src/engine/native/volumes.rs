//! Volumes behind the contract: who uses them is known from the containers.

use std::borrow::Cow;

use jiff::Timestamp;

use super::backend::Native;
use crate::engine::backend::Backend as _;
use crate::image::tree_size;
use crate::model::container::ContainerSpec;
use crate::model::container::mounts::{Mount, MountKind, MountSpec, volumes_from};
use crate::model::container::options::CreateOptions;
use crate::model::observe::volume::{
    PrunedVolumes, Volume, VolumeFilter, VolumeOptions, VolumeUse,
};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::record::volumes::{Volumes, VolumesLock};

impl Native {
    pub(crate) fn volume_store(&self) -> Volumes {
        Volumes::at(&self.settings.root)
    }

    /// Makes a volume; one that is there is fine.
    pub(crate) fn create_volume(&self, options: &VolumeOptions) -> Result<Volume> {
        let volumes = self.volume_store();
        let _kept = volumes.lock_shared()?;
        let name = match &options.name {
            Some(name) => name.clone(),
            None => super::creation::new_id()?.as_str().to_owned(),
        };
        let volume = Volume::new(name, Timestamp::now(), options);
        volumes.create(&volume)?;
        volumes.find(&volume.name)?.ok_or_else(|| missing(&volume.name))
    }

    fn with_users(&self, volumes: Vec<Volume>) -> Result<Vec<VolumeUse>> {
        let containers = self.ps()?;
        let with_users = |volume: Volume| {
            let uses =
                |spec: &ContainerSpec| spec.host.mounts.volumes().any(|name| name == volume.name);
            let users = containers.iter().filter(|container| uses(&container.spec));
            let users = users.map(|container| container.state.name.clone()).collect();
            let mountpoint = self.volume_store().mountpoint(&volume.name).display().to_string();
            VolumeUse { volume, mountpoint, users }
        };
        Ok(volumes.into_iter().map(with_users).collect())
    }

    pub(crate) fn all_volumes(&self) -> Result<Vec<VolumeUse>> {
        self.with_users(self.volume_store().list()?)
    }

    pub(crate) fn one_volume(&self, name: &str) -> Result<VolumeUse> {
        let volume = self.volume_store().find(name)?.ok_or_else(|| missing(name))?;
        let mut found = self.with_users(vec![volume])?;
        found.pop().ok_or_else(|| missing(name))
    }

    pub(crate) fn remove_volume(&self, name: &str, force: bool) -> Result<()> {
        let volumes = self.volume_store();
        let held = volumes.lock_exclusive()?;
        let found = match self.one_volume(name) {
            Err(error) if force && error.kind() == Kind::NotFound => return Ok(()),
            result => result?,
        };
        if !found.users.is_empty() {
            return Err(in_use(&found));
        }
        volumes.remove(&held, name)
    }

    /// Removes volumes that no container uses; without `all` only those that nobody named.
    pub(crate) fn remove_unused_volumes(
        &self,
        all: bool,
        filter: &VolumeFilter,
        dry_run: bool,
    ) -> Result<PrunedVolumes> {
        let volumes = self.volume_store();
        let held = volumes.lock_exclusive()?;
        let mut pruned = PrunedVolumes::default();
        for one in self.all_volumes()? {
            let name = &one.volume.name;
            if !one.users.is_empty() || !(all || one.volume.anonymous) || !filter.matches(&one) {
                continue;
            }
            pruned.bytes += tree_size(&volumes.mountpoint(name));
            if !dry_run {
                volumes.remove(&held, name)?;
            }
            pruned.names.push(name.clone());
        }
        Ok(pruned)
    }

    /// The options, with what the containers of `--volumes-from` have mounted.
    pub(crate) fn with_mounts_of_others<'a>(
        &self,
        options: &'a CreateOptions,
    ) -> Result<Cow<'a, CreateOptions>> {
        with_mounts_of_others(options, &|name| self.spec_of(name))
    }

    /// Makes the volumes of a container that is being made, names those without a name, and sees
    /// that what `--mount` binds is there. The volumes stay as long as the lock is held.
    pub(crate) fn prepare_mounts(&self, spec: &mut ContainerSpec) -> Result<PreparedVolumes<'_>> {
        let volumes = self.volume_store();
        let list = &mut spec.host.mounts.list;
        check_binds(list)?;
        let mut prepared = PreparedVolumes { engine: self, created: Vec::new(), _lock: None };
        if list.iter().all(|mount| mount.kind != MountKind::Volume) {
            return Ok(prepared);
        }
        prepared._lock = Some(volumes.lock_shared()?);
        for mount in list.iter_mut().filter(|mount| mount.kind == MountKind::Volume) {
            if mount.source.is_empty() {
                super::creation::new_id()?.as_str().clone_into(&mut mount.source);
            }
            let volume = Volume::from_mount(mount, spec.created);
            if volumes.create(&volume)? {
                prepared.created.push(volume.name);
            }
        }
        Ok(prepared)
    }

    /// Removes a container, and with `volumes` those that go with it.
    pub(crate) fn remove_container(
        &self,
        id: &ContainerId,
        force: bool,
        volumes: bool,
        cancel: &CancelToken,
    ) -> Result<()> {
        let spec = self.runtime.directory(id).read_spec().ok();
        self.runtime.rm(id, force, cancel)?;
        let own = spec.filter(|spec| volumes || spec.host.auto_remove);
        let names = own.map(|spec| spec.host.mounts.anonymous()).unwrap_or_default();
        self.runtime.remove_unused_volumes(&names)
    }
}

/// The volumes of a container that is being made; those that were made for it go again, unless
/// it comes to be.
pub(crate) struct PreparedVolumes<'a> {
    engine: &'a Native,
    created: Vec<String>,
    _lock: Option<VolumesLock>,
}

impl PreparedVolumes<'_> {
    /// The container is there.
    pub(crate) fn commit(mut self) {
        self.created.clear();
    }
}

impl Drop for PreparedVolumes<'_> {
    fn drop(&mut self) {
        // Our own share of the lock would keep us waiting for ever.
        self._lock = None;
        if !self.created.is_empty() {
            let _ = self.engine.runtime.remove_unused_volumes(&self.created);
        }
    }
}

/// The options, with what the containers of `--volumes-from`, told by `spec_of`, have mounted.
pub(crate) fn with_mounts_of_others<'a>(
    options: &'a CreateOptions,
    spec_of: &dyn Fn(&str) -> Result<ContainerSpec>,
) -> Result<Cow<'a, CreateOptions>> {
    let mut options = Cow::Borrowed(options);
    for text in options.mounts.from.clone() {
        let (container, read_only) = volumes_from(&text)?;
        let others = spec_of(container)?.host.mounts;
        options.to_mut().mounts.inherit(&others, read_only);
    }
    Ok(options)
}

/// Refuses what `--mount` binds and is not there.
pub(crate) fn check_binds(list: &[Mount]) -> Result<()> {
    let missing = list.iter().find(|mount| {
        let bound = mount.kind == MountKind::Bind && mount.spec == MountSpec::Mount;
        bound && std::fs::symlink_metadata(&mount.source).is_err()
    });
    let Some(mount) = missing else { return Ok(()) };
    let message = format!(
        "invalid mount config for type \"bind\": bind source path does not exist: {}",
        mount.source
    );
    Err(Error::new(Kind::NotFound, message)
        .hint("make it first, or write -v, which makes a directory of it"))
}

/// For a volume that a container uses.
pub(crate) fn in_use(found: &VolumeUse) -> Error {
    let users: Vec<&str> = found.users.iter().map(|name| name.as_str()).collect();
    let users = users.join(", ");
    let message = format!("remove {}: volume is in use - [{users}]", found.volume.name);
    Error::new(Kind::Refused, message)
        .hint(format!("remove the containers first: rm {}", users.replace(',', "")))
}

/// For an engine without volumes.
pub(crate) fn no_volumes() -> Error {
    Error::new(Kind::Unsupported, "this engine keeps no volumes")
}

/// For a volume that is not there.
pub(crate) fn missing(name: &str) -> Error {
    Error::new(Kind::NotFound, format!("get {name}: no such volume"))
        .hint("`volume ls` shows the volumes")
}
