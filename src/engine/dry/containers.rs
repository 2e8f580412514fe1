//! Containers that would be there, and their life by the table of states.

use jiff::Timestamp;

use super::state::{Dry, Entry, World};
use crate::engine::backend::Backend as _;
use crate::engine::native::volumes;
use crate::engine::rules::{namespaces, profile};
use crate::model::container::options::CreateOptions;
use crate::model::container::status::{Action, Next, Status, check};
use crate::model::container::{Changes, Container, State};
use crate::model::creation::merge;
use crate::model::observe::event;
use crate::model::observe::event::{Event, death};
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::{Error, Kind, Result};
use crate::runtime::host::lsm;

/// The number of a process that there is not.
const NO_PROCESS: i32 = 0;

impl World {
    /// An id that none has yet.
    pub(super) fn next_id(&mut self) -> ContainerId {
        loop {
            self.ids += 1;
            let mut bytes = [0xd0; 32];
            bytes[..8].copy_from_slice(&self.ids.to_be_bytes());
            // Its beginning tells them apart; a beginning of digits alone would be no id.
            bytes[0] = 0xd0;
            bytes.swap(1, 7);
            if let Some(id) = ContainerId::from_random(bytes) {
                return id;
            }
        }
    }

    /// Takes a container away, and its volumes that go with it.
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

    /// A name that no container has.
    fn free<'a>(&self, name: &'a ContainerName) -> Result<&'a ContainerName> {
        let has = |entry: &&Entry| entry.container.state.name == *name;
        match self.containers.iter().find(has) {
            Some(entry) => Err(name.taken_by(&entry.container.spec.id)),
            None => Ok(name),
        }
    }

    fn tell(&mut self, container: &Container, action: event::Action, own: &[(&str, String)]) {
        let (spec, name) = (&container.spec, &container.state.name);
        self.events.push(Event::of_container(spec, name, action, own));
    }
}

impl Dry {
    pub(super) fn container(&self, id: &ContainerId) -> Result<Container> {
        Ok(self.world().entry(id)?.container.clone())
    }

    /// Whether the real engine can be asked what this container has to say.
    pub(super) fn is_real(&self, id: &ContainerId) -> bool {
        self.world().entry(id).is_ok_and(|entry| entry.is_real)
    }

    pub(super) fn made(&self, reference: &str, options: &CreateOptions) -> Result<ContainerId> {
        let image = self.known(reference)?;
        let spec_of = |name: &str| Ok(self.container(&self.find(name)?)?.spec);
        let options = &*volumes::with_mounts_of_others(options, &spec_of)?;
        let id = self.world().next_id();
        let mut spec = merge::spec(id.clone(), Timestamp::now(), reference, &image, options)?;
        lsm::check(&spec.host.security)?;
        profile::read(&mut spec.host.security.seccomp)?;
        namespaces::resolve(&mut spec, &spec_of)?;
        volumes::check_binds(&spec.host.mounts.list)?;
        let mut world = self.world();
        let name = match &options.name {
            Some(name) => world.free(name)?.clone(),
            None => {
                let seed = world.ids.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let names = (1..).map(|attempt| ContainerName::generate(seed, attempt));
                let mut free = names.filter(|name| world.free(name).is_ok());
                free.next().unwrap_or_else(|| ContainerName::generate(seed, 1))
            }
        };
        world.make_volumes(&mut spec, &self.root)?;
        let container = Container { spec, state: State::created(name.clone()) };
        let argv = container.spec.config.argv().join(" ");
        world.tell(&container, event::Action::Create, &[]);
        world.containers.insert(0, Entry::new(container, false));
        drop(world);
        self.would(format_args!("create {name} from {reference}: {argv}"));
        Ok(id)
    }

    /// Does what an action leads to by the table, and tells of it where it leads somewhere.
    pub(super) fn act(&self, id: &ContainerId, action: Action, how: &str) -> Result<()> {
        let mut world = self.world();
        let entry = world.entry(id)?;
        let state = &mut entry.container.state;
        let name = state.name.clone();
        let told = match check(name.as_str(), state.status, action)? {
            Next::Stays => return Ok(()),
            Next::Gone => vec![event::Action::Destroy],
            Next::Becomes(status) => become_so(state, status, action),
        };
        entry.is_real = false;
        let container = entry.container.clone();
        for action in told {
            let begun = container.state.started_at.unwrap_or_else(Timestamp::now);
            let own = death(container.state.exit_code, begun);
            let own = if action == event::Action::Die { &own[..] } else { &[] };
            world.tell(&container, action, own);
        }
        let ended = container.state.status == Status::Exited && container.spec.host.auto_remove;
        if container_goes(action) || ended {
            world.remove(&container);
        }
        drop(world);
        self.would(format_args!("{} {name}{how}", action.verb()));
        Ok(())
    }

    /// Its program ends with 0: what is assumed of those that are waited for.
    pub(super) fn ended(&self, id: &ContainerId) -> Result<i32> {
        let mut world = self.world();
        let entry = world.entry(id)?;
        if !entry.container.state.status.is_live() {
            return Ok(entry.container.state.exit_code);
        }
        let begun = entry.container.state.started_at.unwrap_or_else(Timestamp::now);
        entry.container.state = entry.container.state.clone().ended(0, Timestamp::now());
        entry.is_real = false;
        let container = entry.container.clone();
        world.tell(&container, event::Action::Die, &death(0, begun));
        if container.spec.host.auto_remove {
            world.remove(&container);
        }
        drop(world);
        self.would(format_args!("wait for {} (taken to end with 0)", container.state.name));
        Ok(0)
    }

    /// Removes it with the volumes that nobody named.
    pub(super) fn removed_whole(&self, id: &ContainerId, force: bool) -> Result<()> {
        let volumes = self.container(id)?.spec.host.mounts.anonymous();
        self.act(id, if force { Action::RmForce } else { Action::Rm }, "")?;
        self.world().remove_unused_volumes(&volumes);
        Ok(())
    }

    pub(super) fn renamed(&self, id: &ContainerId, name: &ContainerName) -> Result<()> {
        let mut world = self.world();
        world.free(name)?;
        let state = &mut world.entry(id)?.container.state;
        check(state.name.as_str(), state.status, Action::Rename)?;
        let old = std::mem::replace(&mut state.name, name.clone());
        drop(world);
        self.would(format_args!("rename {old} to {name}"));
        Ok(())
    }

    pub(super) fn updated(&self, id: &ContainerId, changes: &Changes) -> Result<()> {
        let mut world = self.world();
        let container = &mut world.entry(id)?.container;
        check(container.state.name.as_str(), container.state.status, Action::Update)?;
        let updated = changes.of(&container.spec.host)?;
        updated.apply(&mut container.spec.host);
        let name = container.state.name.clone();
        drop(world);
        self.would(format_args!("update {name}"));
        Ok(())
    }
}

/// What an action that is told makes of the state, and what happens on the way.
fn become_so(state: &mut State, status: Status, action: Action) -> Vec<event::Action> {
    use event::Action as E;
    let was_live = state.status.is_live();
    if status == Status::Exited {
        // A stop signal that is heeded, or SIGKILL.
        let code = if action == Action::Kill { 137 } else { 0 };
        *state = state.clone().ended(code, Timestamp::now());
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

fn container_goes(action: Action) -> bool {
    matches!(action, Action::Rm | Action::RmForce)
}
