//! Simulated containers.

use std::time::Duration;

use jiff::Timestamp;

use super::state::{Dry, Entry, SimulatedState};
use crate::engine::backend::{CancelToken, ContainerSession, Containers, Observe as _};
use crate::engine::rules::{mounts, namespaces, profile};
use crate::model::container::mounts::{ImageLayers, MountKind};
use crate::model::container::options::{CreateOptions, RemoveOptions, StopOptions};
use crate::model::container::status::{Action, check};
use crate::model::container::{Changes, Container, State};
use crate::model::creation::merge;
use crate::model::image::stacking::topmost_once;
use crate::model::observe::event;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::host::lsm;

impl Containers for Dry {
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
        let matches = |entry: &&super::state::Entry| {
            !query.is_empty() && entry.container.spec.id.as_str().starts_with(query)
        };
        let mut matching = world.containers.iter().filter(matches);
        match (matching.next(), matching.next()) {
            (Some(entry), None) => Ok(id(entry)),
            (Some(_), Some(_)) => Err(Error::new(
                Kind::Invalid,
                format!("multiple IDs found with provided prefix: {query}"),
            )
            .hint("write more digits of the id")),
            (None, _) => {
                let names =
                    world.containers.iter().map(|entry| entry.container.state.name.as_str());
                Err(ContainerId::none_called(query, names))
            }
        }
    }

    fn create(&self, reference: &str, options: &CreateOptions) -> Result<ContainerId> {
        let image = self.find_image(reference)?;
        let spec_of = |name: &str| Ok(self.container(&self.find(name)?)?.spec);
        let options = &*mounts::resolved(options, &spec_of)?;
        let id = self.state().next_id();
        let mut spec = merge::spec(id.clone(), Timestamp::now(), reference, &image, options)?;
        lsm::check(&spec.host_config.security)?;
        profile::read(&mut spec.host_config.security.seccomp)?;
        namespaces::resolve(&mut spec, &spec_of)?;
        mounts::check_binds(&spec.host_config.mounts.list)?;
        let list = spec.host_config.mounts.list.iter_mut();
        for mount in list.filter(|mount| mount.kind == MountKind::Image) {
            let image = self.find_image(&mount.source)?;
            let layers = topmost_once(&image.layers);
            mount.image = Some(ImageLayers { id: image.id, layers, lower: Vec::new() });
        }
        let mut world = self.state();
        let name = match &options.name {
            Some(name) => world.free(name)?.clone(),
            None => {
                let seed = world.ids.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let names = (1..).map(|attempt| ContainerName::generate(seed, attempt));
                let mut free = names.filter(|name| world.free(name).is_ok());
                free.next().unwrap_or_else(|| ContainerName::generate(seed, 1))
            }
        };
        world.create_volumes(&mut spec, &self.root)?;
        let container = Container { spec, state: State::created(name.clone()) };
        let argv = container.spec.config.argv().join(" ");
        world.emit(&container, event::EventAction::Create, &[]);
        world.containers.insert(0, Entry::new(container, false));
        drop(world);
        self.record(format_args!("create {name} from {reference}: {argv}"));
        Ok(id)
    }

    fn start_session(&self) -> Result<ContainerSession> {
        Ok(ContainerSession::without_reaper())
    }

    fn start(&self, id: &ContainerId) -> Result<()> {
        self.act(id, Action::Start, "", 0).map(drop)
    }

    fn pause(&self, id: &ContainerId) -> Result<()> {
        self.act(id, Action::Pause, "", 0).map(drop)
    }

    fn unpause(&self, id: &ContainerId) -> Result<()> {
        self.act(id, Action::Unpause, "", 0).map(drop)
    }

    fn stop(&self, id: &ContainerId, options: &StopOptions, _: &CancelToken) -> Result<()> {
        let note = if self.is_dry_run() { " (assumed to exit with 0)" } else { "" };
        self.act(id, Action::Stop, note, self.stop_exit_code(id, options)?).map(drop)
    }

    fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        if signal == Signal::KILL || !self.is_dry_run() {
            return self.act(id, Action::Kill, "", signal.exit_code()).map(drop);
        }
        let state = self.container(id)?.state;
        check(state.name.as_str(), state.status, Action::Kill)?;
        self.record(format_args!("send {signal} to {}", state.name));
        Ok(())
    }

    fn restart(&self, id: &ContainerId, options: &StopOptions, _: &CancelToken) -> Result<()> {
        self.act(id, Action::Restart, "", self.stop_exit_code(id, options)?).map(drop)
    }

    fn rm(&self, id: &ContainerId, options: &RemoveOptions, _: &CancelToken) -> Result<()> {
        let volumes = self.container(id)?.spec.host_config.mounts.anonymous();
        self.act(id, if options.force { Action::RmForce } else { Action::Rm }, "", 0)?;
        if options.volumes {
            self.state().remove_unused_volumes(&volumes);
        }
        Ok(())
    }

    fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()> {
        let mut world = self.state();
        let container = &mut world.entry(id)?.container;
        check(container.state.name.as_str(), container.state.status, Action::Update)?;
        let updated = changes.resolve(&container.spec.host_config)?;
        updated.apply(&mut container.spec.host_config);
        let name = container.state.name.clone();
        drop(world);
        self.record(format_args!("update {name}"));
        Ok(())
    }

    fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()> {
        let mut world = self.state();
        world.free(name)?;
        let state = &mut world.entry(id)?.container.state;
        check(state.name.as_str(), state.status, Action::Rename)?;
        let old = std::mem::replace(&mut state.name, name.clone());
        drop(world);
        self.record(format_args!("rename {old} to {name}"));
        Ok(())
    }

    fn wait(
        &self,
        id: &ContainerId,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<i32> {
        if self.is_dry_run() { self.exited(id) } else { self.wait_for_exit(id, timeout, cancel) }
    }
}

impl SimulatedState {
    /// Returns a new id.
    pub(super) fn next_id(&mut self) -> ContainerId {
        loop {
            self.ids += 1;
            let mut bytes = [0xd0; 32];
            bytes[..8].copy_from_slice(&self.ids.to_be_bytes());
            // Short ids must differ; one of digits only would not be valid.
            bytes[0] = 0xd0;
            bytes.swap(1, 7);
            if let Some(id) = ContainerId::from_random(bytes) {
                return id;
            }
        }
    }

    pub(super) fn entry(&mut self, id: &ContainerId) -> Result<&mut Entry> {
        let missing = || Error::new(Kind::NotFound, format!("no such container: {}", id.short()));
        let found = self.containers.iter_mut().find(|entry| entry.container.spec.id == *id);
        found.ok_or_else(missing)
    }

    /// Checks that no container has this name.
    fn free<'a>(&self, name: &'a ContainerName) -> Result<&'a ContainerName> {
        let has = |entry: &&Entry| entry.container.state.name == *name;
        match self.containers.iter().find(has) {
            Some(entry) => Err(name.taken_by(&entry.container.spec.id)),
            None => Ok(name),
        }
    }
}

impl Dry {
    pub(super) fn container(&self, id: &ContainerId) -> Result<Container> {
        Ok(self.state().entry(id)?.container.clone())
    }

    /// Returns the exit code of a container that is stopped: a dry run assumes 0.
    fn stop_exit_code(&self, id: &ContainerId, options: &StopOptions) -> Result<i32> {
        let usual = self.container(id)?.spec.config.stop_signal();
        Ok(if self.is_dry_run() { 0 } else { options.signal.unwrap_or(usual).exit_code() })
    }

    /// Returns whether the real engine can describe this container.
    pub(super) fn is_real(&self, id: &ContainerId) -> bool {
        self.state().entry(id).is_ok_and(|entry| entry.is_real)
    }
}
