//! What a monitor leaves that was killed: the one place that cleans up after it, whichever command
//! meets the container next.

use jiff::Timestamp;

use super::runtime::{Runtime, no_such};
use crate::model::Result;
use crate::model::container::State;
use crate::model::container::status::Status;
use crate::model::container::status_reason;
use crate::model::observe::event;
use crate::model::value::id::ContainerId;
use crate::runtime::record::directory::Directory;
use crate::runtime::record::journal::write_mounts;
use crate::runtime::{host, rootless};
use crate::sys::{tree, userns};

/// The socket of a monitor, which removes it when it ends in order.
pub(super) const SOCKET: &str = "monitor.sock";

impl Runtime {
    /// Reads the state of a container that has no monitor. If the monitor was killed, removes what
    /// it left, records the exit, and removes a container that was created with `--rm`, as the
    /// monitor would have done; a dry run only says how it ended. The caller holds the lock.
    ///
    /// # Errors
    /// [`crate::model::Kind::NotFound`] if the container is removed now.
    pub(super) fn settled_state(&self, directory: &Directory, id: &ContainerId) -> Result<State> {
        let state = directory.read_state().map_err(|error| self.not_found_or(id, error))?;
        if !state.status.is_live() {
            // Killed in a start, or at its end: what it has recorded is true.
            if !self.read_only && directory.file(SOCKET).symlink_metadata().is_ok() {
                self.remove_processes(&state, id)?;
                let _ = tree::remove_any_at(&directory.file(SOCKET));
            }
            return Ok(state);
        }
        // Before the exit is recorded: what has exited is not looked at again.
        let spec = directory.known_spec()?;
        let state = self.record_lost_exit(directory, state, id)?;
        if spec.is_some_and(|spec| spec.host_config.auto_remove) {
            if !self.read_only {
                self.containers.remove(id, Some(&state.name))?;
            }
            return Err(no_such(id));
        }
        Ok(state)
    }

    /// Kills the processes that a monitor left, and removes their cgroup.
    fn remove_processes(&self, state: &State, id: &ContainerId) -> Result<()> {
        if userns::in_user_namespace() {
            rootless::kill_orphan(state)?;
        }
        let cgroup = self.cgroup(id)?;
        cgroup.kill()?;
        cgroup.remove()
    }

    fn record_lost_exit(
        &self,
        directory: &Directory,
        state: State,
        id: &ContainerId,
    ) -> Result<State> {
        let rebooted = state.boot_id != host::boot_id();
        if !rebooted && !self.read_only {
            self.remove_processes(&state, id)?;
        }
        let (code, reason) = if rebooted {
            (255, status_reason::HOST_RESTARTED)
        } else {
            (137, status_reason::MONITOR_KILLED)
        };
        // The event comes before the state, so that no reader of the state misses it.
        let is_recorded = state.status != Status::Restarting && !self.read_only;
        let ran = state.started_at.filter(|_| is_recorded);
        if let Some(started) = ran {
            self.event(id, event::EventAction::Die, &event::exit_attributes(code, started));
            if let Ok(spec) = directory.read_spec() {
                write_mounts(&self.journal(), &spec, event::EventAction::Unmount);
            }
        }
        let mut state = state.exited(code, Timestamp::now());
        state.error = reason.to_owned();
        // On a read-only root the exit is reported without being written.
        if !self.read_only && directory.write_state(&state).is_ok() {
            let _ = tree::remove_any_at(&directory.file(SOCKET));
        }
        Ok(state)
    }
}
