//! The engine of a script that is not trusted: changes only the containers and volumes that the
//! script created, and shows little of the others (`foreign`). Tags and images are fenced below, in
//! the store, where nothing comes between a check and a change.
//!
//! All calls of a script go through this engine, so no function has to check permissions. Verbs are
//! passed on by name: a verb that is new in the contract does not compile here until it is named
//! or refused. `inner` alone passes on verbs that only show something or are about images; `inner
//! after created_container` passes on those for the script's own containers.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::foreign::{self, SeenEvents};
use super::policy::{SandboxPolicy, refuse};
use crate::engine::{
    Attach, Backend, Builds, CancelToken, ContainerSession, Containers, CopyOptions, EventStream,
    Files, Images, LogStream, Observe, Processes, Registries, RootTarget, Transfer, Volumes,
    pass_on,
};
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::mounts::driver_options::is_memory;
use crate::model::container::mounts::{Mount, MountKind};
use crate::model::container::namespaces::NamespaceMode;
use crate::model::container::options::{CreateOptions, RemoveOptions, StopOptions};
use crate::model::container::status::Action;
use crate::model::container::{Changes, Container};
use crate::model::image::build::{BuildOptions, BuildStep, Change, CommitOptions, ImportOptions};
use crate::model::image::history::History;
use crate::model::image::own::foreign as foreign_error;
use crate::model::image::usage::{ImageUsage, PruneOptions, Pruned, RemoveImageOptions, Usage};
use crate::model::image::{Image, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::inspect::{self, ContainerPaths};
use crate::model::observe::check_report::{CheckOptions, Report};
use crate::model::observe::event::EventOptions;
use crate::model::observe::introspection::{ImageIntrospection, Introspection, PathLayers};
use crate::model::observe::log::LogOptions;
use crate::model::observe::progress::{Access, Progress, PullOptions, Pulled, Pushed};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::stats::Stats;
use crate::model::observe::system::Info;
use crate::model::observe::top::Process;
use crate::model::observe::volume::{
    PruneVolumesOptions, PrunedVolumes, RemoveVolumeOptions, Volume, VolumeFilter, VolumeOptions,
    VolumeUse,
};
use crate::model::script::trace::TraceStep;
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};

/// An engine with the permissions of a sandbox policy.
#[derive(Debug)]
pub struct SandboxedBackend {
    inner: Arc<dyn Backend>,
    policy: Arc<SandboxPolicy>,
}

impl SandboxedBackend {
    /// Returns `inner`, restricted by `policy`.
    pub fn new(inner: Arc<dyn Backend>, policy: Arc<SandboxPolicy>) -> Self {
        SandboxedBackend { inner, policy }
    }

    /// Checks that the script created the container.
    fn created_container(&self, id: &ContainerId) -> Result<()> {
        if self.policy.has_created(id.as_str()) {
            return Ok(());
        }
        let name = self.inner.inspect(id)?.state.name;
        Err(foreign_error(&format!("container `{name}`")).container(name.as_str(), None))
    }

    /// Hides what the script must not see of a container that it did not create.
    fn seen(&self, found: Container) -> Container {
        match self.policy.has_created(found.spec.id.as_str()) {
            true => found,
            false => foreign::container(found),
        }
    }

    fn seen_volume(&self, found: VolumeUse) -> VolumeUse {
        match self.policy.has_created_volume(&found.volume) {
            true => found,
            false => foreign::volume(found),
        }
    }

    /// Records the volumes that were created for a container: these have its time. Another process
    /// may have created one since the check of the options; then the container is removed.
    fn note_volumes(&self, id: &ContainerId) -> Result<()> {
        let spec = self.inner.inspect(id)?.spec;
        for name in spec.host_config.mounts.volumes() {
            let volume = self.inner.volume(name)?.volume;
            if volume.created == spec.created {
                self.policy.note_created_volume(&volume);
            } else if !self.policy.has_created_volume(&volume) {
                let force = RemoveOptions { force: true, volumes: false };
                self.inner.rm(id, &force, &CancelToken::new()?)?;
                return Err(foreign_error(&format!("volume `{name}`")));
            }
        }
        Ok(())
    }

    /// Checks that the script created the volume, or that it does not exist. Returns it.
    fn created_volume(&self, name: &str) -> Result<Option<Volume>> {
        match self.inner.volume(name) {
            Ok(found) if self.policy.has_created_volume(&found.volume) => Ok(Some(found.volume)),
            Ok(_) => Err(foreign_error(&format!("volume `{name}`"))),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the options with ids for the names of containers whose namespaces are shared. A
    /// container in another's namespace sees its processes, and through these its files.
    fn resolve_namespaces(&self, options: &CreateOptions) -> Result<CreateOptions> {
        let mut options = options.clone();
        let namespaces = &mut options.namespaces;
        for mode in [&mut namespaces.network, &mut namespaces.ipc, &mut namespaces.pid] {
            if let NamespaceMode::Container(name) = mode {
                let id = self.inner.find(name)?;
                self.created_container(&id)?;
                id.as_str().clone_into(name);
            }
        }
        Ok(options)
    }
}

impl Images for SandboxedBackend {
    pass_on::images! {
        inner:
        image, images, image_ids, image_json, introspect_image, image_from_host, load, load_stream,
        save, save_stream, tag, history, image_usage, prune_images, rmi, rmi_each
    }

    fn check(&self, options: &CheckOptions, cancel: &CancelToken) -> Result<Report> {
        if options.repair {
            return refuse("a repair of the store").map(|()| Report::default());
        }
        self.inner.check(options, cancel)
    }
}

impl Registries for SandboxedBackend {
    pass_on::registries! {
        inner:
        ensure_image, pull, tags, push, login, logout
    }
}

impl Builds for SandboxedBackend {
    pass_on::builds! {
        inner:
        step, build, build_archive, write_root, import_tar
    }
}

impl Containers for SandboxedBackend {
    fn create(&self, image: &str, options: &CreateOptions) -> Result<ContainerId> {
        let options = self.resolve_namespaces(options)?;
        let volumes = options.mounts.list.iter().filter(|mount| mount.kind == MountKind::Volume);
        let named = volumes.filter(|mount: &&Mount| !mount.source.is_empty());
        let names: Vec<&str> = named.map(|mount| mount.source.as_str()).collect();
        names.iter().try_for_each(|name| self.created_volume(name).map(drop))?;
        let id = self.inner.create(image, &options)?;
        self.policy.note_created(id.clone());
        self.note_volumes(&id)?;
        Ok(id)
    }

    pass_on::containers! {
        inner after created_container:
        start, pause, unpause, stop, kill, restart, rm, update, rename
    }

    pass_on::containers! {
        inner:
        find, start_session, wait
    }
}

impl Processes for SandboxedBackend {
    pass_on::processes! {
        inner after created_container:
        attach, exec, probe, top
    }
}

impl Files for SandboxedBackend {
    fn path_layers(&self, _: &ContainerId, _: &str) -> Result<PathLayers> {
        Err(Error::new(Kind::Unsupported, "`explain` of a path is not allowed with --untrusted"))
    }

    /// Nothing leaves a container with its owner, and so with power: `archive` is for trusted
    /// scripts.
    fn copy(
        &self,
        id: &ContainerId,
        what: Transfer<'_>,
        options: CopyOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        self.created_container(id)?;
        self.inner.copy(id, what, CopyOptions { archive: false, ..options }, cancel)
    }

    pass_on::files! {
        inner after created_container:
        diff, commit, export
    }

    pass_on::files! {
        inner:
        container_size
    }
}

impl Volumes for SandboxedBackend {
    fn volume_create(&self, options: &VolumeOptions) -> Result<Volume> {
        if !options.options.is_empty() && !is_memory(&options.options) {
            refuse("a volume that mounts files of the host or of the network")?;
        }
        if let Some(name) = &options.name {
            self.created_volume(name)?;
        }
        let begun = Timestamp::now();
        let volume = self.inner.volume_create(options)?;
        if volume.created >= begun {
            self.policy.note_created_volume(&volume);
        }
        Ok(volume)
    }

    fn volume_rm(&self, name: &str, options: &RemoveVolumeOptions) -> Result<()> {
        let created = self.created_volume(name)?.map(|volume| volume.created);
        self.inner.volume_rm(name, &RemoveVolumeOptions { created, ..*options })
    }

    fn volume_rm_each(
        &self,
        names: &[&str],
        options: &RemoveVolumeOptions,
    ) -> Result<Vec<Result<()>>> {
        Ok(names.iter().map(|name| self.volume_rm(name, options)).collect())
    }

    fn volume_prune(&self, options: &PruneVolumesOptions) -> Result<PrunedVolumes> {
        let only = Some(self.policy.created_volumes());
        let filter = VolumeFilter { only, ..options.filter.clone() };
        self.inner.volume_prune(&PruneVolumesOptions { filter, ..options.clone() })
    }

    fn volumes(&self) -> Result<Vec<VolumeUse>> {
        Ok(self.inner.volumes()?.into_iter().map(|volume| self.seen_volume(volume)).collect())
    }

    fn volume(&self, name: &str) -> Result<VolumeUse> {
        self.inner.volume(name).map(|volume| self.seen_volume(volume))
    }
}

impl Observe for SandboxedBackend {
    fn ps(&self) -> Result<Vec<Container>> {
        Ok(self.inner.ps()?.into_iter().map(|found| self.seen(found)).collect())
    }

    fn inspect(&self, id: &ContainerId) -> Result<Container> {
        self.inner.inspect(id).map(|found| self.seen(found))
    }

    fn inspect_json(&self, id: &ContainerId) -> Result<Value> {
        if self.policy.has_created(id.as_str()) {
            return self.inner.inspect_json(id);
        }
        Ok(inspect::container(&self.inspect(id)?, &ContainerPaths::default(), &[]))
    }

    fn events(&self, options: &EventOptions) -> Result<Box<dyn EventStream>> {
        let mut all = options.clone();
        let filter = std::mem::take(&mut all.filter);
        let (all, policy) = (self.inner.events(&all)?, Arc::clone(&self.policy));
        Ok(Box::new(SeenEvents { all, filter, policy }))
    }

    pass_on::observe! {
        inner after created_container:
        logs, introspect, plan_action
    }

    pass_on::observe! {
        inner:
        is_dry_run, info, stats, usage
    }
}
