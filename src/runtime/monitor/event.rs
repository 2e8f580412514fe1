//! The events that the monitor emits.

use super::state::Monitor;
use crate::model::observe::event::{Event, EventAction, exit_attributes};
use crate::runtime::record::journal::write_mounts;

impl Monitor {
    /// Records an event of the container.
    pub(super) fn event(&self, action: impl Into<String>, attributes: &[(&str, String)]) {
        let event = Event::of_container(&self.spec, &self.state.name, action, attributes);
        self.containers.journal().write(event);
    }

    /// Records that the container has started.
    pub(super) fn emit_start(&self) {
        write_mounts(&self.containers.journal(), &self.spec, EventAction::Mount);
        self.event(EventAction::Start, &[]);
    }

    /// Records the exit of the first process. Called before any client can learn of the exit.
    pub(super) fn emit_exit(&self, code: i32) {
        if self.state.oom_killed {
            self.event(EventAction::Oom, &[]);
        }
        if let Some(started) = self.state.started_at {
            self.event(EventAction::Die, &exit_attributes(code, started));
        }
        write_mounts(&self.containers.journal(), &self.spec, EventAction::Unmount);
        if self.restart_state.stopped {
            self.event(EventAction::Stop, &[]);
        }
    }
}
