//! What the monitor tells of its container.

use super::state::Monitor;
use crate::model::observe::event::{Action, Event, exit_attributes};
use crate::runtime::record::journal::write_mounts;

impl Monitor {
    /// Writes down what has just happened to the container.
    pub(super) fn event(&self, action: impl Into<String>, own: &[(&str, String)]) {
        let event = Event::of_container(&self.spec, &self.state.name, action, own);
        self.containers.journal().write(event);
    }

    /// It runs.
    pub(super) fn emit_start(&self) {
        write_mounts(&self.containers.journal(), &self.spec, Action::Mount);
        self.event(Action::Start, &[]);
    }

    /// Its first process has ended. To be told before anybody can learn of it elsewhere.
    pub(super) fn emit_exit(&self, code: i32) {
        if self.state.oom_killed {
            self.event(Action::Oom, &[]);
        }
        if let Some(begun) = self.state.started_at {
            self.event(Action::Die, &exit_attributes(code, begun));
        }
        write_mounts(&self.containers.journal(), &self.spec, Action::Unmount);
        if self.restart_state.stopped {
            self.event(Action::Stop, &[]);
        }
    }
}
