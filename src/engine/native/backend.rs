//! The native engine: the image store and the runtime of this machine behind the contract.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;
use serde_json::Value;

use super::build::BuildParams;
use crate::engine::backend::{
    Attach, Backend, CancelToken, CopyOptions, EventStream, LogStream, Session, Settings, Transfer,
};
use crate::image::{self, Store};
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::options::{CreateOptions, StopOptions};
use crate::model::container::status;
use crate::model::container::{Changes, Container};
use crate::model::image::build::{BuildOptions, BuildStep, Change, CommitOptions, ImportOptions};
use crate::model::image::history::History;
use crate::model::image::usage::{ContainerUsage, ImageUsage, PruneOptions, Pruned, Usage};
use crate::model::image::{Image, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::observe::check_report::Report;
use crate::model::observe::event::{Action, EventOptions};
use crate::model::observe::introspection::{ImageIntrospection, Introspection, PathLayers};
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
use crate::model::{Kind, Result, inspect};
use crate::runtime::Runtime;

/// The reference that stands for this machine's own programs.
pub(crate) const HOST: &str = "host:latest";
/// The engine of this machine. Cheap to make: nothing is read before it is asked for.
#[derive(Debug)]
pub(crate) struct Native {
    pub(crate) settings: Settings,
    pub(crate) runtime: Runtime,
    /// This process as the owner of what builds run; none before the first.
    pub(crate) build_session: OnceCell<Session>,
}

impl Native {
    pub(crate) fn new(settings: &Settings) -> Self {
        let runtime = Runtime::new(&settings.root, &settings.cgroup_parent);
        Native { settings: settings.clone(), runtime, build_session: OnceCell::new() }
    }

    pub(crate) fn store(&self) -> Result<Store> {
        Store::open(&self.settings.root)
    }
}

impl Backend for Native {
    fn info(&self) -> Result<Info> {
        self.describe()
    }

    fn image(&self, reference: &str, pull: PullPolicy) -> Result<Image> {
        self.find_or_create(reference, pull)
    }

    fn ensure_image(
        &self,
        reference: &str,
        pull: PullPolicy,
        options: &PullOptions,
        progress: &Arc<dyn Progress>,
        cancel: &CancelToken,
    ) -> Result<Image> {
        self.ensure_present(reference, pull, options, progress, cancel)
    }

    fn pull(
        &self,
        reference: &Reference,
        options: &PullOptions,
        progress: &Arc<dyn Progress>,
        cancel: &CancelToken,
    ) -> Result<Pulled> {
        self.pull_image(reference, options, progress, cancel)
    }

    fn push(
        &self,
        image: &str,
        reference: &Reference,
        access: Access,
        progress: &Arc<dyn Progress>,
        cancel: &CancelToken,
    ) -> Result<Pushed> {
        self.push_image(image, reference, access, progress, cancel)
    }

    fn login(
        &self,
        registry: &str,
        user: &str,
        password: &str,
        access: Access,
        cancel: &CancelToken,
    ) -> Result<Option<PathBuf>> {
        image::log_in(registry, user, password, access, &|| cancel.check())
    }

    fn logout(&self, registry: &str) -> Result<bool> {
        image::log_out(registry)
    }

    fn images(&self) -> Result<Vec<Image>> {
        self.store()?.list()
    }

    fn image_json(&self, reference: &str) -> Result<Value> {
        let store = self.store()?;
        let image = store.find(reference)?;
        let topmost_first = image.layers.iter().rev();
        let layers: Vec<_> =
            topmost_first.map(|layer| store.layer_dir(layer).display().to_string()).collect();
        Ok(inspect::image(&image, &layers))
    }

    fn load(
        &self,
        archive: &Path,
        platform: Option<&Platform>,
        cancel: &CancelToken,
    ) -> Result<Vec<Loaded>> {
        let store = self.store()?;
        let loaded = store.load_file(archive, platform, &|| cancel.check())?;
        self.emit_loaded(&store, &loaded);
        Ok(loaded)
    }

    fn load_stream(
        &self,
        archive: &mut (dyn std::io::Read + Send),
        platform: Option<&Platform>,
        cancel: &CancelToken,
    ) -> Result<Vec<Loaded>> {
        let store = self.store()?;
        let loaded = store.load(archive, platform, &|| cancel.check())?;
        self.emit_loaded(&store, &loaded);
        Ok(loaded)
    }

    fn save(
        &self,
        images: &[&str],
        options: &SaveOptions,
        path: &Path,
        cancel: &CancelToken,
    ) -> Result<()> {
        let store = self.store()?;
        store.save_file(images, options, path, &|| cancel.check())?;
        self.emit_saved(&store, images);
        Ok(())
    }

    fn save_stream(
        &self,
        images: &[&str],
        options: &SaveOptions,
        out: &mut (dyn std::io::Write + Send),
        cancel: &CancelToken,
    ) -> Result<()> {
        let store = self.store()?;
        store.save(images, options, out, &|| cancel.check())?;
        self.emit_saved(&store, images);
        Ok(())
    }

    fn image_from_host(&self, programs: &[&str], reference: &Reference) -> Result<Image> {
        self.create_from_programs(programs, reference)
    }

    fn tag(&self, image: &str, reference: &Reference) -> Result<Image> {
        let image = self.store()?.tag(image, reference)?;
        self.emit(Action::Tag, &image, Some(reference));
        Ok(image)
    }

    fn history(&self, image: &str) -> Result<Vec<History>> {
        self.store()?.history(image)
    }

    fn image_usage(&self) -> Result<Vec<ImageUsage>> {
        self.store()?.image_usage(&self.users()?)
    }

    fn usage(&self) -> Result<Usage> {
        let usage = self.store()?.usage(&self.users()?)?;
        let containers = self.ps()?.into_iter().map(|container| {
            let id = container.spec.id;
            self.container_size(&id).map(|size| ContainerUsage { id, size })
        });
        Ok(Usage { containers: containers.collect::<Result<_>>()?, ..usage })
    }

    fn prune_images(&self, options: &PruneOptions) -> Result<Pruned> {
        let store = self.store()?;
        let _lock = self.lock_images()?;
        let before = store.list()?;
        let pruned = store.prune(options, &self.users()?)?;
        if !options.dry_run {
            self.emit_removed(&pruned.removed, &before);
        }
        Ok(pruned)
    }

    fn check(&self, repair: bool, cancel: &CancelToken) -> Result<Report> {
        self.check_all(repair, cancel)
    }

    fn rmi(&self, image: &str, force: bool) -> Result<Vec<Removed>> {
        let store = self.store()?;
        let _lock = self.lock_images()?;
        let before = store.find(image).ok();
        let removed = store.remove(image, force, &self.users()?)?;
        self.emit_removed(&removed, before.as_slice());
        Ok(removed)
    }

    fn find(&self, query: &str) -> Result<ContainerId> {
        self.runtime.find(query)
    }

    fn ps(&self) -> Result<Vec<Container>> {
        let all = self.runtime.ps()?.into_iter();
        Ok(all
            .map(|(id, result)| result.unwrap_or_else(|error| self.damaged(&id, &error)))
            .collect())
    }

    fn inspect(&self, id: &ContainerId) -> Result<Container> {
        match self.runtime.inspect(id) {
            Err(error) if error.kind() == Kind::Corrupt => Ok(self.damaged(id, &error)),
            result => result,
        }
    }

    fn inspect_json(&self, id: &ContainerId) -> Result<Value> {
        let container = self.inspect(id)?;
        Ok(inspect::container(&container, &self.paths(&container)?))
    }

    fn create(&self, image: &str, options: &CreateOptions) -> Result<ContainerId> {
        self.create_container(image, options)
    }

    fn probe(&self, id: &ContainerId, sign: &Probe, cancel: &CancelToken) -> Result<ProbeResult> {
        self.runtime.probe(id, sign, cancel)
    }

    fn start_session(&self) -> Result<Session> {
        self.runtime.start_session()
    }

    fn start(&self, id: &ContainerId) -> Result<()> {
        self.runtime.start(id)
    }

    fn attach(
        &self,
        id: &ContainerId,
        attach: Attach<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome> {
        self.runtime.attach(id, attach.start, attach.into(), cancel)
    }

    fn exec(
        &self,
        id: &ContainerId,
        options: &ExecOptions,
        attach: Attach<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome> {
        self.runtime.exec(id, options, attach.into(), cancel)
    }

    fn top(&self, id: &ContainerId) -> Result<Vec<Process>> {
        self.runtime.top(id)
    }

    fn pause(&self, id: &ContainerId) -> Result<()> {
        self.runtime.pause(id)
    }

    fn unpause(&self, id: &ContainerId) -> Result<()> {
        self.runtime.unpause(id)
    }

    fn stop(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()> {
        self.runtime.stop(id, options, false, cancel)
    }

    fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        self.runtime.kill(id, signal)
    }

    fn restart(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()> {
        self.runtime.restart(id, options, cancel)
    }

    fn rm(&self, id: &ContainerId, force: bool, cancel: &CancelToken) -> Result<()> {
        self.remove_container(id, force, false, cancel)
    }

    fn rm_with_volumes(&self, id: &ContainerId, force: bool, cancel: &CancelToken) -> Result<()> {
        self.remove_container(id, force, true, cancel)
    }

    fn volume_create(&self, options: &VolumeOptions) -> Result<Volume> {
        self.create_volume(options)
    }

    fn volumes(&self) -> Result<Vec<VolumeUse>> {
        self.all_volumes()
    }

    fn volume(&self, name: &str) -> Result<VolumeUse> {
        self.one_volume(name)
    }

    fn volume_rm(&self, name: &str, force: bool) -> Result<()> {
        self.remove_volume(name, force)
    }

    fn volume_prune(
        &self,
        all: bool,
        filter: &VolumeFilter,
        dry_run: bool,
    ) -> Result<PrunedVolumes> {
        self.remove_unused_volumes(all, filter, dry_run)
    }

    fn container_size(&self, id: &ContainerId) -> Result<u64> {
        self.written_bytes(id)
    }

    fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()> {
        self.runtime.update(id, changes)
    }

    fn stats(&self, id: &ContainerId) -> Result<Stats> {
        self.runtime.stats(id)
    }

    fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()> {
        self.runtime.rename(id, name)
    }

    fn wait(
        &self,
        id: &ContainerId,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<i32> {
        self.runtime.wait(id, timeout, cancel)
    }

    fn step(
        &self,
        image: &str,
        step: &BuildStep,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let parent = self.store()?.find(image)?;
        self.do_step(Some(&parent), step, BuildParams::default(), out, cancel)
            .map(|done| done.image)
    }

    fn build(
        &self,
        context: Option<&Path>,
        options: &BuildOptions,
        progress: &Arc<dyn Progress>,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<Image> {
        self.do_build(context, options, progress, out, cancel)
    }

    fn import_tar(
        &self,
        archive: &mut (dyn std::io::Read + Send),
        options: &ImportOptions,
        cancel: &CancelToken,
    ) -> Result<Image> {
        self.create_import(archive, options, cancel)
    }

    fn plan_action(&self, id: &ContainerId, action: status::Action) -> Result<Vec<TraceStep>> {
        self.runtime.plan_action(id, action)
    }

    fn introspect(&self, id: &ContainerId) -> Result<Introspection> {
        self.introspect_container(id)
    }

    fn path_layers(&self, id: &ContainerId, path: &str) -> Result<PathLayers> {
        self.layers_of_path(id, path)
    }

    fn introspect_image(&self, reference: &str) -> Result<ImageIntrospection> {
        self.image_introspection(reference)
    }

    fn diff(&self, id: &ContainerId) -> Result<Vec<Change>> {
        self.changes(id)
    }

    fn commit(
        &self,
        id: &ContainerId,
        reference: Option<&Reference>,
        options: &CommitOptions,
        cancel: &CancelToken,
    ) -> Result<Image> {
        self.create_commit(id, reference, options, cancel)
    }

    fn export(&self, id: &ContainerId, out: &mut dyn Write, cancel: &CancelToken) -> Result<()> {
        self.write_export(id, out, cancel)
    }

    fn copy(
        &self,
        id: &ContainerId,
        what: Transfer<'_>,
        options: CopyOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        self.transfer(id, what, options, cancel)
    }

    fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<Box<dyn LogStream>> {
        Ok(Box::new(self.runtime.logs(id, options)?))
    }

    fn events(&self, options: &EventOptions) -> Result<Box<dyn EventStream>> {
        Ok(Box::new(self.runtime.events(options)?))
    }
}
