//! The contract, answered by what would be.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::images::named;
use super::state::Dry;
use super::streams::{EmptyLog, RecordedEvents};
use crate::engine::backend::{
    Attach, Backend, CancelToken, CopyOptions, EventStream, LogStream, Transfer,
};
use crate::engine::dockerfile::instructions;
use crate::image::build::configure;
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::options::{CreateOptions, StopOptions};
use crate::model::container::status::{Action, check};
use crate::model::container::{Changes, Container};
use crate::model::image::build::{BuildOptions, BuildStep, Change, CommitOptions, ImportOptions};
use crate::model::image::history::History;
use crate::model::image::usage::{ImageUsage, PruneOptions, Pruned, Usage};
use crate::model::image::{Image, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::observe::check_report::Report;
use crate::model::observe::event::EventOptions;
use crate::model::observe::log::LogOptions;
use crate::model::observe::progress::{Access, Progress, PullOptions, Pulled, Pushed};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::stats::Stats;
use crate::model::observe::system::Info;
use crate::model::observe::top::Process;
use crate::model::observe::volume::{
    PrunedVolumes, Volume, VolumeFilter, VolumeOptions, VolumeUse,
};
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};

impl Backend for Dry {
    fn is_dry_run(&self) -> bool {
        true
    }

    fn info(&self) -> Result<Info> {
        self.inner.info()
    }

    fn image(&self, reference: &str, pull: PullPolicy) -> Result<Image> {
        self.find_or_pull(reference, pull)
    }

    fn ensure_image(
        &self,
        reference: &str,
        pull: PullPolicy,
        _: &PullOptions,
        _: &Arc<dyn Progress>,
        _: &CancelToken,
    ) -> Result<Image> {
        self.find_or_pull(reference, pull)
    }

    fn image_from_host(&self, programs: &[&str], reference: &Reference) -> Result<Image> {
        let named = programs.join(", ");
        self.record(format_args!("make image {} of {named}", reference.familiar()));
        Ok(self.add(reference))
    }

    fn pull(
        &self,
        reference: &Reference,
        _: &PullOptions,
        _: &Arc<dyn Progress>,
        _: &CancelToken,
    ) -> Result<Pulled> {
        let image = self.find_or_pull(&reference.familiar(), PullPolicy::Always)?;
        Ok(Pulled { digest: image.id.clone(), image, newer: false })
    }

    fn push(
        &self,
        image: &str,
        reference: &Reference,
        _: Access,
        _: &Arc<dyn Progress>,
        _: &CancelToken,
    ) -> Result<Pushed> {
        let digest = self.find_image(image)?.id;
        self.record(format_args!("push {image} to {}", reference.familiar()));
        Ok(Pushed { digest, size: 0 })
    }

    fn login(
        &self,
        registry: &str,
        _: &str,
        _: &str,
        _: Access,
        _: &CancelToken,
    ) -> Result<Option<PathBuf>> {
        self.record(format_args!("log in to {registry}"));
        Ok(None)
    }

    fn logout(&self, registry: &str) -> Result<bool> {
        self.record(format_args!("log out of {registry}"));
        Ok(false)
    }

    fn images(&self) -> Result<Vec<Image>> {
        Ok(self.state().images.clone())
    }

    fn load(&self, archive: &Path, _: Option<&Platform>, _: &CancelToken) -> Result<Vec<Loaded>> {
        self.record(format_args!("load the images of {}", archive.display()));
        let name = archive.file_stem().map(|name| name.to_string_lossy().to_lowercase());
        let reference: Reference = format!("{}:loaded", name.unwrap_or_default()).parse()?;
        let image = self.add(&reference);
        Ok(vec![Loaded { id: image.id, tags: image.tags, moved: Vec::new() }])
    }

    fn load_stream(
        &self,
        _: &mut (dyn Read + Send),
        platform: Option<&Platform>,
        cancel: &CancelToken,
    ) -> Result<Vec<Loaded>> {
        self.load(Path::new("stdin"), platform, cancel)
    }

    fn save(&self, images: &[&str], _: &SaveOptions, path: &Path, _: &CancelToken) -> Result<()> {
        images.iter().try_for_each(|image| self.find_image(image).map(drop))?;
        self.record(format_args!("save {} to {}", images.join(", "), path.display()));
        Ok(())
    }

    fn save_stream(
        &self,
        images: &[&str],
        options: &SaveOptions,
        _: &mut (dyn Write + Send),
        cancel: &CancelToken,
    ) -> Result<()> {
        self.save(images, options, Path::new("stdout"), cancel)
    }

    fn tag(&self, image: &str, reference: &Reference) -> Result<Image> {
        self.tagged(image, reference)
    }

    fn history(&self, image: &str) -> Result<Vec<History>> {
        self.inner.history(image)
    }

    fn image_usage(&self) -> Result<Vec<ImageUsage>> {
        self.inner.image_usage()
    }

    fn usage(&self) -> Result<Usage> {
        self.inner.usage()
    }

    fn prune_images(&self, options: &PruneOptions) -> Result<Pruned> {
        let pruned = self.inner.prune_images(&PruneOptions { dry_run: true, ..options.clone() })?;
        self.record(format_args!("prune images: {}", pruned.images));
        Ok(pruned)
    }

    fn check(&self, _repair: bool, cancel: &CancelToken) -> Result<Report> {
        self.inner.check(false, cancel)
    }

    fn rmi(&self, image: &str, force: bool) -> Result<Vec<Removed>> {
        self.removed(image, force)
    }

    fn step(
        &self,
        image: &str,
        step: &BuildStep,
        _: &mut dyn Write,
        _: &CancelToken,
    ) -> Result<Image> {
        let from = self.find_image(image)?;
        let by = format!("{step:?}");
        let verb = by.split(['(', ' ', '{']).next().unwrap_or_default().to_uppercase();
        let image =
            self.derived(&from, &by, None, |document| configure::configure(document, step))?;
        self.record(format_args!("build {verb} above {}", named(&from)));
        Ok(image)
    }

    fn build(
        &self,
        context: Option<&Path>,
        options: &BuildOptions,
        _: &Arc<dyn Progress>,
        _: &mut dyn Write,
        _: &CancelToken,
    ) -> Result<Image> {
        let place =
            context.map_or_else(|| "standard input".to_owned(), |c| c.display().to_string());
        self.record(format_args!("build {place}"));
        let built: Reference = "built:latest".parse()?;
        let image = self.add(options.tags.first().unwrap_or(&built));
        options
            .tags
            .iter()
            .skip(1)
            .try_fold(image, |image, tag| self.tagged(&image.id.to_string(), tag))
    }

    fn import_tar(
        &self,
        _: &mut (dyn Read + Send),
        options: &ImportOptions,
        _: &CancelToken,
    ) -> Result<Image> {
        self.imported(options)
    }

    fn find(&self, query: &str) -> Result<ContainerId> {
        let world = self.state();
        let id = |entry: &super::state::Entry| entry.container.spec.id.clone();
        let named = world.containers.iter().find(|entry| {
            entry.container.state.name.as_str() == query
                || entry.container.spec.id.as_str() == query
        });
        if let Some(entry) = named {
            return Ok(id(entry));
        }
        let begins = |entry: &&super::state::Entry| {
            !query.is_empty() && entry.container.spec.id.as_str().starts_with(query)
        };
        let mut matching = world.containers.iter().filter(begins);
        match (matching.next(), matching.next()) {
            (Some(entry), None) => Ok(id(entry)),
            (Some(_), Some(_)) => Err(Error::new(
                Kind::Invalid,
                format!("multiple IDs found with provided prefix: {query}"),
            )
            .hint("give more digits of the id")),
            (None, _) => Err(ContainerId::none_called(query)),
        }
    }

    fn ps(&self) -> Result<Vec<Container>> {
        Ok(self.state().containers.iter().map(|entry| entry.container.clone()).collect())
    }

    fn inspect(&self, id: &ContainerId) -> Result<Container> {
        self.container(id)
    }

    fn create(&self, image: &str, options: &CreateOptions) -> Result<ContainerId> {
        self.created(image, options)
    }

    fn start(&self, id: &ContainerId) -> Result<()> {
        self.act(id, Action::Start, "")
    }

    fn attach(
        &self,
        id: &ContainerId,
        attach: Attach<'_>,
        _: &CancelToken,
    ) -> Result<AttachOutcome> {
        if attach.start {
            self.act(id, Action::Start, "")?;
        }
        self.exited(id).map(AttachOutcome::Exited)
    }

    fn exec(
        &self,
        id: &ContainerId,
        options: &ExecOptions,
        _: Attach<'_>,
        _: &CancelToken,
    ) -> Result<AttachOutcome> {
        let state = self.container(id)?.state;
        check(state.name.as_str(), state.status, Action::Exec)?;
        self.record(format_args!("exec in {}: {}", state.name, options.cmd.join(" ")));
        Ok(AttachOutcome::Exited(0))
    }

    fn top(&self, id: &ContainerId) -> Result<Vec<Process>> {
        if self.is_real(id) { self.inner.top(id) } else { Ok(Vec::new()) }
    }

    fn pause(&self, id: &ContainerId) -> Result<()> {
        self.act(id, Action::Pause, "")
    }

    fn unpause(&self, id: &ContainerId) -> Result<()> {
        self.act(id, Action::Unpause, "")
    }

    fn stop(&self, id: &ContainerId, _: &StopOptions, _: &CancelToken) -> Result<()> {
        self.act(id, Action::Stop, " (taken to end with 0)")
    }

    fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        if signal == Signal::KILL {
            return self.act(id, Action::Kill, "");
        }
        let state = self.container(id)?.state;
        check(state.name.as_str(), state.status, Action::Kill)?;
        self.record(format_args!("send {signal} to {}", state.name));
        Ok(())
    }

    fn restart(&self, id: &ContainerId, _: &StopOptions, _: &CancelToken) -> Result<()> {
        self.act(id, Action::Restart, "")
    }

    fn container_size(&self, id: &ContainerId) -> Result<u64> {
        if self.is_real(id) { self.inner.container_size(id) } else { Ok(0) }
    }

    fn rm(&self, id: &ContainerId, force: bool, _: &CancelToken) -> Result<()> {
        self.act(id, if force { Action::RmForce } else { Action::Rm }, "")
    }

    fn rm_with_volumes(&self, id: &ContainerId, force: bool, _: &CancelToken) -> Result<()> {
        self.removed_with_volumes(id, force)
    }

    fn volume_create(&self, options: &VolumeOptions) -> Result<Volume> {
        self.created_volume(options)
    }

    fn volumes(&self) -> Result<Vec<VolumeUse>> {
        Ok(self.known_volumes())
    }

    fn volume(&self, name: &str) -> Result<VolumeUse> {
        self.known_volume(name)
    }

    fn volume_rm(&self, name: &str, force: bool) -> Result<()> {
        self.removed_volume(name, force)
    }

    fn volume_prune(&self, all: bool, filter: &VolumeFilter, dry: bool) -> Result<PrunedVolumes> {
        self.pruned_volumes(all, filter, dry)
    }

    fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()> {
        self.updated(id, changes)
    }

    fn stats(&self, id: &ContainerId) -> Result<Stats> {
        if self.is_real(id) { self.inner.stats(id) } else { Ok(Stats::default()) }
    }

    fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()> {
        self.renamed(id, name)
    }

    fn wait(&self, id: &ContainerId, _: Option<Duration>, _: &CancelToken) -> Result<i32> {
        self.exited(id)
    }

    fn probe(&self, _: &ContainerId, _: &Probe, _: &CancelToken) -> Result<ProbeResult> {
        Ok(ProbeResult::Ready)
    }

    fn diff(&self, id: &ContainerId) -> Result<Vec<Change>> {
        if self.is_real(id) { self.inner.diff(id) } else { Ok(Vec::new()) }
    }

    fn commit(
        &self,
        id: &ContainerId,
        reference: Option<&Reference>,
        options: &CommitOptions,
        _: &CancelToken,
    ) -> Result<Image> {
        let container = self.container(id)?;
        let from = self.find_image(&container.spec.image.id.to_string())?;
        let name = reference.map_or_else(|| "an image".to_owned(), Reference::familiar);
        let image = self.derived(&from, id.as_str(), reference, |document| {
            configure::take_container(document, &container.spec.config);
            instructions::change(document, &options.changes)
        })?;
        self.record(format_args!("commit {} to {name}", container.state.name));
        Ok(image)
    }

    fn export(&self, id: &ContainerId, _: &mut dyn Write, _: &CancelToken) -> Result<()> {
        self.record(format_args!("export {}", self.container(id)?.state.name));
        Ok(())
    }

    fn copy(
        &self,
        id: &ContainerId,
        what: Transfer<'_>,
        options: CopyOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        self.copied(id, what, options, cancel)
    }

    fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<Box<dyn LogStream>> {
        self.container(id)?;
        if self.is_real(id) {
            return self.inner.logs(id, &LogOptions { follow: false, ..options.clone() });
        }
        Ok(Box::new(EmptyLog))
    }

    fn events(&self, options: &EventOptions) -> Result<Box<dyn EventStream>> {
        let noted = self.state().events.clone().into_iter();
        let fits: Vec<_> = noted.filter(|event| options.filter.matches(event)).collect();
        Ok(Box::new(RecordedEvents(fits.into_iter())))
    }
}
