//! The life of simulated containers, by the table of states.

use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;

use super::program::Program;
use super::state::{Dry, Entry, SimulatedState};
use super::streams::follow;
use crate::engine::backend::CancelToken;
use crate::model::Result;
use crate::model::container::status::{Action, Status, Transition, check};
use crate::model::container::{Container, State};
use crate::model::observe::event;
use crate::model::observe::event::{Event, exit_attributes};
use crate::model::value::id::ContainerId;

/// The process id of a simulated process.
const NO_PROCESS: i32 = 0;

impl SimulatedState {
    /// Removes a container, and the volumes that are removed with it.
    fn remove(&mut self, container: &Container) {
        self.containers.retain(|entry| entry.container.spec.id != container.spec.id);
        if container.spec.host_config.auto_remove {
            self.remove_unused_volumes(&container.spec.host_config.mounts.anonymous());
        }
    }

    pub(super) fn emit(
        &mut self,
        container: &Container,
        action: event::EventAction,
        own: &[(&str, String)],
    ) {
        let (spec, name) = (&container.spec, &container.state.name);
        self.events.push(Event::of_container(spec, name, action, own));
    }
}

impl Dry {
    /// Simulates an action by the table of states, and records it unless it changes nothing. A
    /// program that the action ends exits with `exit_code`. Returns the container afterwards.
    pub(super) fn act(
        &self,
        id: &ContainerId,
        action: Action,
        note: &str,
        exit_code: i32,
    ) -> Result<Entry> {
        let program = self.started_program(id, action)?;
        let mut world = self.state();
        let entry = world.entry(id)?;
        let state = &mut entry.container.state;
        let name = state.name.clone();
        let mut events = match check(name.as_str(), state.status, action)? {
            Transition::Stays => return Ok(entry.clone()),
            Transition::Removed => vec![(event::EventAction::Destroy, None)],
            Transition::Becomes(status) => apply_transition(state, status, action, exit_code),
        };
        entry.is_real = false;
        if let Some(program) = program {
            entry.lines.extend(program.lines);
            if let Some(code) = program.exit_code {
                *state = state.clone().exited(code, Timestamp::now());
                events.push((event::EventAction::Die, Some(code)));
            }
        }
        let entry = entry.clone();
        let Container { spec, state } = &entry.container;
        for (action, code) in events {
            let begun = state.started_at.unwrap_or_else(Timestamp::now);
            let own = code.map(|code| exit_attributes(code, begun));
            world.emit(&entry.container, action, own.as_ref().map_or(&[], |own| own));
        }
        if matches!(action, Action::Rm | Action::RmForce) {
            world.remove(&entry.container);
        } else if state.status == Status::Exited && spec.host_config.auto_remove {
            world.emit(&entry.container, event::EventAction::Destroy, &[]);
            world.remove(&entry.container);
        }
        drop(world);
        self.record(format_args!("{} {name}{note}", action.verb()));
        Ok(entry)
    }

    /// Returns what the program does that an action starts; `None` where it starts none.
    fn started_program(&self, id: &ContainerId, action: Action) -> Result<Option<Program>> {
        let Some(programs) = &self.programs else { return Ok(None) };
        let Container { spec, state } = self.container(id)?;
        let next = check(state.name.as_str(), state.status, action)?;
        if next != Transition::Becomes(Status::Running) || action == Action::Unpause {
            return Ok(None);
        }
        let program = programs(&spec.config.argv());
        program.map(Some).map_err(|error| error.context(format!("cannot start `{}`", state.name)))
    }

    /// Waits in a simulation until a container has exited.
    pub(super) fn wait_for_exit(
        &self,
        id: &ContainerId,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<i32> {
        let late = format!("container `{}` has not ended in time", id.short());
        let exit_code = follow(timeout, cancel, &late, || {
            let state = self.container(id)?.state;
            let is_live = state.status.is_live();
            Ok(if is_live { Poll::Pending } else { Poll::Ready(Some(state.exit_code)) })
        })?;
        Ok(exit_code.unwrap_or_default())
    }

    /// Simulates the exit of a container that is waited for in a dry run, with 0.
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
        world.emit(&container, event::EventAction::Die, &exit_attributes(0, begun));
        if container.spec.host_config.auto_remove {
            world.emit(&container, event::EventAction::Destroy, &[]);
            world.remove(&container);
        }
        drop(world);
        self.record(format_args!("wait for {} (assumed to exit with 0)", container.state.name));
        Ok(0)
    }
}

/// Applies an action to the state. Returns its events, with the exit code where a program exits.
fn apply_transition(
    state: &mut State,
    status: Status,
    action: Action,
    exit_code: i32,
) -> Vec<(event::EventAction, Option<i32>)> {
    use event::EventAction as E;
    let was_live = state.status.is_live();
    let exits = [(E::Kill, None), (E::Die, Some(exit_code))];
    if status == Status::Exited {
        *state = state.clone().exited(exit_code, Timestamp::now());
        return exits.to_vec();
    }
    let before = std::mem::replace(&mut state.status, status);
    match (action, before) {
        (Action::Pause, _) => vec![(E::Pause, None)],
        (Action::Unpause, _) => vec![(E::Unpause, None)],
        _ => {
            (state.started_at, state.finished_at) = (Some(Timestamp::now()), None);
            (state.exit_code, state.pid) = (0, NO_PROCESS);
            let exits = exits.into_iter().filter(|_| was_live);
            exits.chain([(E::Start, None)]).collect()
        }
    }
}
