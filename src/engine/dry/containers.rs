//! Simulated containers, and their life by the table of states.

use std::time::Duration;

use jiff::Timestamp;

use super::state::{Dry, Entry, SimulatedState};
use crate::engine::backend::{CancelToken, Containers, Session};
use crate::engine::rules::{mounts, namespaces, profile};
use crate::model::container::options::{CreateOptions, RemoveOptions, StopOptions};
use crate::model::container::status::{Action, Status, Transition, check};
use crate::model::container::{Changes, Container, State};
use crate::model::creation::merge;
use crate::model::observe::event;
use crate::model::observe::event::{Event, exit_attributes};
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::host::lsm;

/// The process id of a simulated process.
const NO_PROCESS: i32 = 0;

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
            (None, _) => Err(ContainerId::none_called(query)),
        }
    }

    fn create(&self, reference: &str, options: &CreateOptions) -> Result<ContainerId> {
        let image = self.find_image(reference)?;
        let spec_of = |name: &str| Ok(self.container(&self.find(name)?)?.spec);
        let options = &*mounts::with_mounts_of_others(options, &spec_of)?;
        let id = self.state().next_id();
        let mut spec = merge::spec(id.clone(), Timestamp::now(), reference, &image, options)?;
        lsm::check(&spec.host.security)?;
        profile::read(&mut spec.host.security.seccomp)?;
        namespaces::resolve(&mut spec, &spec_of)?;
        mounts::check_binds(&spec.host.mounts.list)?;
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
        world.emit(&container, event::Action::Create, &[]);
        world.containers.insert(0, Entry::new(container, false));
        drop(world);
        self.record(format_args!("create {name} from {reference}: {argv}"));
        Ok(id)
    }

    fn start_session(&self) -> Result<Session> {
        Ok(Session::without_reaper())
    }

    fn start(&self, id: &ContainerId) -> Result<()> {
        self.act(id, Action::Start, "")
    }

    fn pause(&self, id: &ContainerId) -> Result<()> {
        self.act(id, Action::Pause, "")
    }

    fn unpause(&self, id: &ContainerId) -> Result<()> {
        self.act(id, Action::Unpause, "")
    }

    fn stop(&self, id: &ContainerId, _: &StopOptions, _: &CancelToken) -> Result<()> {
        self.act(id, Action::Stop, " (assumed to exit with 0)")
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

    fn rm(&self, id: &ContainerId, options: &RemoveOptions, _: &CancelToken) -> Result<()> {
        let volumes = self.container(id)?.spec.host.mounts.anonymous();
        self.act(id, if options.force { Action::RmForce } else { Action::Rm }, "")?;
        if options.volumes {
            self.state().remove_unused_volumes(&volumes);
        }
        Ok(())
    }

    fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()> {
        let mut world = self.state();
        let container = &mut world.entry(id)?.container;
        check(container.state.name.as_str(), container.state.status, Action::Update)?;
        let updated = changes.resolve(&container.spec.host)?;
        updated.apply(&mut container.spec.host);
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

    fn wait(&self, id: &ContainerId, _: Option<Duration>, _: &CancelToken) -> Result<i32> {
        self.exited(id)
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

    /// Removes a container, and the volumes that are removed with it.
    fn remove(&mut self, container: &Container) {
        self.containers.retain(|entry| entry.container.spec.id != container.spec.id);
        if container.spec.host.auto_remove {
            self.remove_unused_volumes(&container.spec.host.mounts.anonymous());
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

    fn emit(
        &mut self,
        container: &Container,
        action: event::Action,
        attributes: &[(&str, String)],
    ) {
        let (spec, name) = (&container.spec, &container.state.name);
        self.events.push(Event::of_container(spec, name, action, attributes));
    }
}

impl Dry {
    pub(super) fn container(&self, id: &ContainerId) -> Result<Container> {
        Ok(self.state().entry(id)?.container.clone())
    }

    /// Whether the real engine can describe this container.
    pub(super) fn is_real(&self, id: &ContainerId) -> bool {
        self.state().entry(id).is_ok_and(|entry| entry.is_real)
    }

    /// Simulates an action by the table of states, and records it unless it changes nothing.
    pub(super) fn act(&self, id: &ContainerId, action: Action, how: &str) -> Result<()> {
        let mut world = self.state();
        let entry = world.entry(id)?;
        let state = &mut entry.container.state;
        let name = state.name.clone();
        let events = match check(name.as_str(), state.status, action)? {
            Transition::Stays => return Ok(()),
            Transition::Removed => vec![event::Action::Destroy],
            Transition::Becomes(status) => apply_transition(state, status, action),
        };
        entry.is_real = false;
        let container = entry.container.clone();
        for action in events {
            let started = container.state.started_at.unwrap_or_else(Timestamp::now);
            let attributes = exit_attributes(container.state.exit_code, started);
            let attributes = if action == event::Action::Die { &attributes[..] } else { &[] };
            world.emit(&container, action, attributes);
        }
        let is_auto_removed =
            container.state.status == Status::Exited && container.spec.host.auto_remove;
        if emit_removal(action) || is_auto_removed {
            world.remove(&container);
        }
        drop(world);
        self.record(format_args!("{} {name}{how}", action.verb()));
        Ok(())
    }

    /// Simulates the exit of a container that is waited for, with 0.
    pub(super) fn exited(&self, id: &ContainerId) -> Result<i32> {
        let mut world = self.state();
        let entry = world.entry(id)?;
        if !entry.container.state.status.is_live() {
            return Ok(entry.container.state.exit_code);
        }
        let started = entry.container.state.started_at.unwrap_or_else(Timestamp::now);
        entry.container.state = entry.container.state.clone().exited(0, Timestamp::now());
        entry.is_real = false;
        let container = entry.container.clone();
        world.emit(&container, event::Action::Die, &exit_attributes(0, started));
        if container.spec.host.auto_remove {
            world.remove(&container);
        }
        drop(world);
        self.record(format_args!("wait for {} (assumed to exit with 0)", container.state.name));
        Ok(0)
    }
}

/// Applies an action to the state, and returns its events.
fn apply_transition(state: &mut State, status: Status, action: Action) -> Vec<event::Action> {
    use event::Action as E;
    let was_live = state.status.is_live();
    if status == Status::Exited {
        // The container is assumed to obey the stop signal; a kill is SIGKILL.
        let code = if action == Action::Kill { 137 } else { 0 };
        *state = state.clone().exited(code, Timestamp::now());
        return vec![E::Kill, E::Die];
    }
    let before = std::mem::replace(&mut state.status, status);
    match (action, before) {
        (Action::Pause, _) => vec![E::Pause],
        (Action::Unpause, _) => vec![E::Unpause],
        _ => {
            (state.started_at, state.finished_at) = (Some(Timestamp::now()), None);
            (state.exit_code, state.pid) = (0, NO_PROCESS);
            if was_live { vec![E::Kill, E::Die, E::Start] } else { vec![E::Start] }
        }
    }
}

fn emit_removal(action: Action) -> bool {
    matches!(action, Action::Rm | Action::RmForce)
}
