//! Records the exit of a container whose monitor was killed, by the next command that meets it.

use jiff::Timestamp;

use super::runtime::Runtime;
use crate::model::Result;
use crate::model::container::State;
use crate::model::container::status::Status;
use crate::model::container::status_reason;
use crate::model::observe::event;
use crate::model::value::id::ContainerId;
use crate::runtime::record::directory::Directory;
use crate::runtime::record::journal::write_mounts;
use crate::runtime::{host, rootless};
use crate::sys::userns;

impl Runtime {
    /// Records the exit of a container whose monitor was killed, and removes its leftovers. The
    /// caller holds the lock.
    pub(super) fn record_lost_exit(
        &self,
        directory: &Directory,
        state: State,
        id: &ContainerId,
    ) -> Result<State> {
        let rebooted = state.boot_id != host::boot_id();
        if !rebooted {
            if userns::in_user_namespace() {
                rootless::kill_orphan(&state)?;
            }
            let cgroup = self.cgroup(id)?;
            cgroup.kill()?;
            cgroup.remove()?;
        }
        let (code, reason) = if rebooted {
            (255, status_reason::HOST_RESTARTED)
        } else {
            (137, status_reason::MONITOR_KILLED)
        };
        // The event comes before the state, so that no reader of the state misses it.
        let ran = state.started_at.filter(|_| state.status != Status::Restarting);
        if let Some(started) = ran {
            self.event(id, event::EventAction::Die, &event::exit_attributes(code, started));
            if let Ok(spec) = directory.read_spec() {
                write_mounts(&self.journal(), &spec, event::EventAction::Unmount);
            }
        }
        let mut state = state.exited(code, Timestamp::now());
        state.error = reason.to_owned();
        // On a read-only root the exit is reported without being written.
        let _ = directory.write_state(&state);
        Ok(state)
    }
}
