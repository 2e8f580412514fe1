//! What the monitor tells of its container.

use super::Monitor;
use crate::model::observe::event::{Action, Event, death};
use crate::runtime::record::journal::write_mounts;

impl Monitor {
    /// Writes down what has just happened to the container.
    pub(super) fn event(&self, action: impl Into<String>, own: &[(&str, String)]) {
        let event = Event::of_container(&self.spec, &self.state.name, action, own);
        self.catalogue.journal().write(event);
    }

    /// It runs.
    pub(super) fn tell_start(&self) {
        write_mounts(&self.catalogue.journal(), &self.spec, Action::Mount);
        self.event(Action::Start, &[]);
    }

    /// Its first process has ended. To be told before anybody can learn of it elsewhere.
    pub(super) fn tell_end(&self, code: i32) {
        if self.state.oom_killed {
            self.event(Action::Oom, &[]);
        }
        if let Some(begun) = self.state.started_at {
            self.event(Action::Die, &death(code, begun));
        }
        write_mounts(&self.catalogue.journal(), &self.spec, Action::Unmount);
        if self.upkeep.stopped {
            self.event(Action::Stop, &[]);
        }
    }
}
