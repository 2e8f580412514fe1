//! The life of simulated containers, by the table of states.

use jiff::Timestamp;

use super::state::{Dry, SimulatedState};
use crate::model::Result;
use crate::model::container::status::{Action, Status, Transition, check};
use crate::model::container::{Container, State};
use crate::model::observe::event;
use crate::model::observe::event::{Event, exit_attributes};
use crate::model::value::id::ContainerId;

/// The number of a process that there is not.
const NO_PROCESS: i32 = 0;

impl SimulatedState {
    /// Takes a container away, and its volumes that go with it.
    fn remove(&mut self, container: &Container) {
        self.containers.retain(|entry| entry.container.spec.id != container.spec.id);
        if container.spec.host.auto_remove {
            self.remove_unused_volumes(&container.spec.host.mounts.anonymous());
        }
    }

    pub(super) fn emit(
        &mut self,
        container: &Container,
        action: event::Action,
        own: &[(&str, String)],
    ) {
        let (spec, name) = (&container.spec, &container.state.name);
        self.events.push(Event::of_container(spec, name, action, own));
    }
}

impl Dry {
    /// Does what an action leads to by the table, and tells of it where it leads somewhere.
    pub(super) fn act(&self, id: &ContainerId, action: Action, how: &str) -> Result<()> {
        let mut world = self.state();
        let entry = world.entry(id)?;
        let state = &mut entry.container.state;
        let name = state.name.clone();
        let told = match check(name.as_str(), state.status, action)? {
            Transition::Stays => return Ok(()),
            Transition::Removed => vec![event::Action::Destroy],
            Transition::Becomes(status) => apply_transition(state, status, action),
        };
        entry.is_real = false;
        let container = entry.container.clone();
        for action in told {
            let begun = container.state.started_at.unwrap_or_else(Timestamp::now);
            let own = exit_attributes(container.state.exit_code, begun);
            let own = if action == event::Action::Die { &own[..] } else { &[] };
            world.emit(&container, action, own);
        }
        let ended = container.state.status == Status::Exited && container.spec.host.auto_remove;
        if emit_removal(action) || ended {
            world.remove(&container);
        }
        drop(world);
        self.record(format_args!("{} {name}{how}", action.verb()));
        Ok(())
    }

    /// Its program ends with 0: what is assumed of those that are waited for.
    pub(super) fn exited(&self, id: &ContainerId) -> Result<i32> {
        let mut world = self.state();
        let entry = world.entry(id)?;
        if !entry.container.state.status.is_live() {
            return Ok(entry.container.state.exit_code);
        }
        let begun = entry.container.state.started_at.unwrap_or_else(Timestamp::now);
        entry.container.state = entry.container.state.clone().exited(0, Timestamp::now());
        entry.is_real = false;
        let container = entry.container.clone();
        world.emit(&container, event::Action::Die, &exit_attributes(0, begun));
        if container.spec.host.auto_remove {
            world.remove(&container);
        }
        drop(world);
        self.record(format_args!("wait for {} (taken to end with 0)", container.state.name));
        Ok(0)
    }
}

/// What an action that is told makes of the state, and what happens on the way.
fn apply_transition(state: &mut State, status: Status, action: Action) -> Vec<event::Action> {
    use event::Action as E;
    let was_live = state.status.is_live();
    if status == Status::Exited {
        // A stop signal that is heeded, or SIGKILL.
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
