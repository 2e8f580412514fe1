//! The engine of a script that is not trusted: it acts on the containers and volumes that this
//! script made, and shows the others.
//!
//! It stands between all that a script can call and the engine, so no function has to think of it.
//! A verb that is new in the contract and not named here is not passed on.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::policy::SandboxPolicy;
use crate::engine::{
    Attach, Backend, CancelToken, CopyOptions, EventStream, LogStream, Session, Transfer,
};
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::mounts::{Mount, MountKind};
use crate::model::container::namespaces::NamespaceMode;
use crate::model::container::options::{CreateOptions, StopOptions};
use crate::model::container::status::Action;
use crate::model::container::{Changes, Container};
use crate::model::image::build::{BuildOptions, BuildStep, Change, CommitOptions, ImportOptions};
use crate::model::image::history::History;
use crate::model::image::usage::{ImageUsage, PruneOptions, Pruned, Usage};
use crate::model::image::{Image, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::observe::check_report::Report;
use crate::model::observe::event::EventOptions;
use crate::model::observe::introspection::{ImageIntrospection, Introspection};
use crate::model::observe::log::LogOptions;
use crate::model::observe::progress::{Access, Progress, PullOptions, Pulled, Pushed};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::stats::Stats;
use crate::model::observe::system::Info;
use crate::model::observe::top::Process;
use crate::model::observe::volume::{
    PrunedVolumes, Volume, VolumeFilter, VolumeOptions, VolumeUse,
};
use crate::model::script::trace::TraceStep;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::value::signal::Signal;
use crate::model::{Kind, Result};

/// An engine within a fence.
#[derive(Debug)]
pub struct SandboxedBackend {
    inner: Arc<dyn Backend>,
    policy: Arc<SandboxPolicy>,
}

impl SandboxedBackend {
    /// `inner`, as far as `fence` lets a script.
    pub fn new(inner: Arc<dyn Backend>, fence: Arc<SandboxPolicy>) -> Self {
        SandboxedBackend { inner, policy: fence }
    }

    /// A container that may be acted on.
    fn created_container(&self, id: &ContainerId) -> Result<()> {
        if self.policy.has_created(id) {
            return Ok(());
        }
        // One that is gone is told as such.
        let name = self.inner.inspect(id)?.state.name;
        Err(SandboxPolicy::denied_foreign(&format!("container `{name}`"))
            .container(name.as_str(), None))
    }

    /// A volume that may be written to or removed: its own, or one that is still to be made.
    fn created_volume(&self, name: &str) -> Result<()> {
        if self.policy.has_created_volume(name) {
            return Ok(());
        }
        match self.inner.volume(name) {
            Ok(_) => Err(SandboxPolicy::denied_foreign(&format!("volume `{name}`"))),
            Err(error) if error.kind() == Kind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The options with ids for names of containers whose namespaces are shared. Who shares one
    /// sees the processes of the other, and through these its files.
    fn resolve_namespaces(&self, options: &CreateOptions) -> Result<CreateOptions> {
        let mut options = options.clone();
        let sharing = &mut options.namespaces;
        for mode in [&mut sharing.network, &mut sharing.ipc, &mut sharing.pid] {
            if let NamespaceMode::Container(name) = mode {
                let id = self.inner.find(name)?;
                self.created_container(&id)?;
                id.as_str().clone_into(name);
            }
        }
        Ok(options)
    }
}

/// Verbs that are passed on as they are: they show, or are about images.
macro_rules! passed_on {
    ($(fn $name:ident(&self $(, $arg:ident: $type:ty)* $(,)?) -> $out:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> $out { self.inner.$name($($arg),*) })*
    };
}

/// Verbs that are for containers of the script's own.
macro_rules! for_own {
    ($(fn $name:ident(&self, $id:ident: &ContainerId $(, $arg:ident: $type:ty)* $(,)?)
        -> $out:ty;)*) => {
        $(fn $name(&self, $id: &ContainerId $(, $arg: $type)*) -> $out {
            self.created_container($id)?;
            self.inner.$name($id $(, $arg)*)
        })*
    };
}

impl Backend for SandboxedBackend {
    fn create(&self, image: &str, options: &CreateOptions) -> Result<ContainerId> {
        let options = self.resolve_namespaces(options)?;
        let volumes = options.mounts.list.iter().filter(|mount| mount.kind == MountKind::Volume);
        let named = volumes.filter(|mount: &&Mount| !mount.source.is_empty());
        let names: Vec<&str> = named.map(|mount| mount.source.as_str()).collect();
        names.iter().try_for_each(|name| self.created_volume(name))?;
        let id = self.inner.create(image, &options)?;
        self.policy.note_created(id.clone());
        names.into_iter().for_each(|name| self.policy.note_created_volume(name));
        Ok(id)
    }

    fn volume_create(&self, options: &VolumeOptions) -> Result<Volume> {
        if let Some(name) = &options.name {
            self.created_volume(name)?;
        }
        let volume = self.inner.volume_create(options)?;
        self.policy.note_created_volume(&volume.name);
        Ok(volume)
    }

    fn volume_rm(&self, name: &str, force: bool) -> Result<()> {
        self.created_volume(name)?;
        self.inner.volume_rm(name, force)
    }

    fn volume_prune(&self, all: bool, filter: &VolumeFilter, dry: bool) -> Result<PrunedVolumes> {
        if dry {
            return self.inner.volume_prune(all, filter, true);
        }
        Err(SandboxPolicy::denied_foreign("volumes of others"))
    }

    for_own! {
        fn start(&self, id: &ContainerId) -> Result<()>;
        fn attach(&self, id: &ContainerId, attach: Attach<'_>, cancel: &CancelToken) -> Result<AttachOutcome>;
        fn exec(
            &self, id: &ContainerId, options: &ExecOptions, attach: Attach<'_>, cancel: &CancelToken
        ) -> Result<AttachOutcome>;
        fn pause(&self, id: &ContainerId) -> Result<()>;
        fn unpause(&self, id: &ContainerId) -> Result<()>;
        fn stop(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()>;
        fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()>;
        fn restart(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()>;
        fn rm(&self, id: &ContainerId, force: bool, cancel: &CancelToken) -> Result<()>;
        fn rm_with_volumes(&self, id: &ContainerId, force: bool, cancel: &CancelToken) -> Result<()>;
        fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()>;
        fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()>;
        fn probe(&self, id: &ContainerId, sign: &Probe, cancel: &CancelToken) -> Result<ProbeResult>;
        fn diff(&self, id: &ContainerId) -> Result<Vec<Change>>;
        fn commit(
            &self, id: &ContainerId, reference: Option<&Reference>, options: &CommitOptions,
            cancel: &CancelToken
        ) -> Result<Image>;
        fn export(&self, id: &ContainerId, out: &mut dyn Write, cancel: &CancelToken) -> Result<()>;
        fn copy(
            &self, id: &ContainerId, what: Transfer<'_>, options: CopyOptions, cancel: &CancelToken
        ) -> Result<()>;
        fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<Box<dyn LogStream>>;
    }

    // Of containers, volumes and the engine.
    passed_on! {
        fn info(&self) -> Result<Info>;
        fn find(&self, query: &str) -> Result<ContainerId>;
        fn ps(&self) -> Result<Vec<Container>>;
        fn inspect(&self, id: &ContainerId) -> Result<Container>;
        fn inspect_json(&self, id: &ContainerId) -> Result<serde_json::Value>;
        fn start_session(&self) -> Result<Session>;
        fn top(&self, id: &ContainerId) -> Result<Vec<Process>>;
        fn container_size(&self, id: &ContainerId) -> Result<u64>;
        fn volumes(&self) -> Result<Vec<VolumeUse>>;
        fn volume(&self, name: &str) -> Result<VolumeUse>;
        fn stats(&self, id: &ContainerId) -> Result<Stats>;
        fn wait(&self, id: &ContainerId, time: Option<Duration>, cancel: &CancelToken) -> Result<i32>;
        fn plan_action(&self, id: &ContainerId, action: Action) -> Result<Vec<TraceStep>>;
        fn introspect(&self, id: &ContainerId) -> Result<Introspection>;
        fn events(&self, options: &EventOptions) -> Result<Box<dyn EventStream>>;
        fn usage(&self) -> Result<Usage>;
        fn is_dry_run(&self) -> bool;
    }

    // Of images.
    passed_on! {
        fn image(&self, reference: &str, pull: PullPolicy) -> Result<Image>;
        fn ensure_image(
            &self, reference: &str, pull: PullPolicy, options: &PullOptions,
            progress: &Arc<dyn Progress>, cancel: &CancelToken
        ) -> Result<Image>;
        fn image_from_host(&self, programs: &[&str], reference: &Reference) -> Result<Image>;
        fn pull(
            &self, reference: &Reference, options: &PullOptions, progress: &Arc<dyn Progress>,
            cancel: &CancelToken
        ) -> Result<Pulled>;
        fn push(
            &self, image: &str, reference: &Reference, access: Access,
            progress: &Arc<dyn Progress>, cancel: &CancelToken
        ) -> Result<Pushed>;
        fn login(
            &self, registry: &str, user: &str, password: &str, access: Access, cancel: &CancelToken
        ) -> Result<Option<PathBuf>>;
        fn logout(&self, registry: &str) -> Result<bool>;
        fn images(&self) -> Result<Vec<Image>>;
        fn load(
            &self, archive: &Path, platform: Option<&Platform>, cancel: &CancelToken
        ) -> Result<Vec<Loaded>>;
        fn load_stream(
            &self, archive: &mut (dyn Read + Send), platform: Option<&Platform>, cancel: &CancelToken
        ) -> Result<Vec<Loaded>>;
        fn save(
            &self, images: &[&str], options: &SaveOptions, path: &Path, cancel: &CancelToken
        ) -> Result<()>;
        fn save_stream(
            &self, images: &[&str], options: &SaveOptions, out: &mut (dyn Write + Send),
            cancel: &CancelToken
        ) -> Result<()>;
        fn tag(&self, image: &str, reference: &Reference) -> Result<Image>;
        fn history(&self, image: &str) -> Result<Vec<History>>;
        fn image_json(&self, reference: &str) -> Result<serde_json::Value>;
        fn introspect_image(&self, reference: &str) -> Result<ImageIntrospection>;
        fn image_usage(&self) -> Result<Vec<ImageUsage>>;
        fn prune_images(&self, options: &PruneOptions) -> Result<Pruned>;
        fn check(&self, repair: bool, cancel: &CancelToken) -> Result<Report>;
        fn rmi(&self, image: &str, force: bool) -> Result<Vec<Removed>>;
        fn step(
            &self, image: &str, step: &BuildStep, out: &mut dyn Write, cancel: &CancelToken
        ) -> Result<Image>;
        fn build(
            &self, context: Option<&Path>, options: &BuildOptions, progress: &Arc<dyn Progress>,
            out: &mut dyn Write, cancel: &CancelToken
        ) -> Result<Image>;
        fn import_tar(
            &self, archive: &mut (dyn Read + Send), options: &ImportOptions, cancel: &CancelToken
        ) -> Result<Image>;
    }
}
