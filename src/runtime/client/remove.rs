//! Takes containers away, and what killed processes left of them.

use super::runtime::{Claim, Runtime, refuse};
use crate::model::container::status::Action;
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::protocol::Request;
use crate::runtime::record::directory::Directory;

impl Runtime {
    /// Removes a container; with `force`, kills it first, and takes one whose record is damaged.
    ///
    /// # Errors
    /// [`Kind::Refused`] without `force` while it runs or is paused.
    pub fn rm(&self, id: &ContainerId, force: bool, cancel: &CancelToken) -> Result<()> {
        let directory = self.containers.directory(id);
        let action = if force { Action::RmForce } else { Action::Rm };
        loop {
            let claim = match self.claim(id) {
                // What is damaged can only be removed, and that needs no state.
                Err(error) if error.kind() == Kind::Corrupt => {
                    return self.remove_damaged(id, &directory);
                }
                result => result?,
            };
            match claim {
                Claim::Stopped(_lock, state) => {
                    refuse(&state, action)?;
                    return self.containers.remove(id, Some(&state.name));
                }
                Claim::Running(mut connection) => {
                    let state = match directory.read_state() {
                        // Its monitor knows better, and writes the record anew at the end.
                        Err(error) if force && error.kind() == Kind::Corrupt => None,
                        result => Some(result.map_err(|error| self.not_found_or(id, error))?),
                    };
                    if state.as_ref().is_none_or(|state| state.status.is_live()) {
                        state.map_or(Ok(()), |state| refuse(&state, action))?;
                        connection.ask(
                            &Request::Kill { signal: Signal::KILL },
                            None,
                            Some(cancel),
                        )?;
                        if !directory.path().exists() {
                            // Made with `--rm`: its monitor has removed it.
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    fn remove_damaged(&self, id: &ContainerId, directory: &Directory) -> Result<()> {
        let _lock = directory.try_lock();
        let cgroup = self.cgroup(id)?;
        cgroup.kill()?;
        cgroup.remove()?;
        self.containers.remove(id, self.containers.name_of(id).as_ref())
    }

    /// Removes those of these volumes that no container uses any more.
    ///
    /// # Errors
    /// When something can't be read or removed.
    pub fn remove_unused_volumes(&self, names: &[String]) -> Result<()> {
        self.containers.remove_unused_volumes(names)
    }

    /// What killed processes left of containers, in words; with `sweep`, takes it away.
    ///
    /// # Errors
    /// When the root can't be read or written.
    pub fn orphans(&self, sweep: bool) -> Result<Vec<String>> {
        self.containers.orphans(sweep)
    }
}
