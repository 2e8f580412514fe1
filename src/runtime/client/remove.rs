//! Removes containers, and what killed processes left of them.

use super::runtime::{Claim, Runtime, refuse};
use crate::model::container::options::RemoveOptions;
use crate::model::container::status::Action;
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::protocol::Request;
use crate::runtime::record::directory::Directory;

const KILL: Request = Request::Kill { signal: Signal::KILL };

impl Runtime {
    /// Removes a container, and its anonymous volumes if `options` require it or it was created
    /// with `--rm`. With `force`, kills the container first, and removes one whose record is
    /// damaged.
    ///
    /// # Errors
    /// [`Kind::Refused`] without `force` while it runs or is paused.
    pub fn rm(
        &self,
        id: &ContainerId,
        options: &RemoveOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        let spec = self.containers.directory(id).known_spec()?;
        self.remove_container(id, options, cancel)?;
        let owner = spec.filter(|_| options.volumes);
        let names = owner.map(|spec| spec.host_config.mounts.anonymous()).unwrap_or_default();
        self.remove_unused_volumes(&names)?;
        if names.is_empty() { Ok(()) } else { self.containers.volumes().sync(&[]) }
    }

    fn remove_container(
        &self,
        id: &ContainerId,
        options: &RemoveOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        let directory = self.containers.directory(id);
        let existed = directory.path().exists();
        let action = if options.force { Action::RmForce } else { Action::Rm };
        loop {
            let claim = match self.claim_for(options, id, cancel) {
                // A damaged record can only be removed, and that needs no state.
                Err(error) if error.kind() == Kind::Corrupt => {
                    return self.remove_damaged(id, &directory);
                }
                // Created with `--rm`, and its monitor was killed: it has just been removed.
                Err(error) if error.kind() == Kind::NotFound && existed => return Ok(()),
                result => result?,
            };
            match claim {
                Claim::Stopped(_lock, state) => {
                    refuse(&state, action)?;
                    return self.containers.remove(id, Some(&state.name));
                }
                Claim::Running(mut connection) => {
                    let state = match directory.read_state() {
                        // The monitor knows the state, and writes the record anew at the exit.
                        Err(error) if options.force && error.kind() == Kind::Corrupt => None,
                        result => Some(result.map_err(|error| self.not_found_or(id, error))?),
                    };
                    if state.as_ref().is_none_or(|state| state.status.is_live()) {
                        state.map_or(Ok(()), |state| refuse(&state, action))?;
                        self.ask(&mut connection, id, &KILL, Some(cancel))?;
                        if !directory.path().exists() {
                            // Created with `--rm`: the monitor has removed it.
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    /// Claims a container for its removal; with `force` a monitor that cannot be reached is ended.
    fn claim_for(
        &self,
        options: &RemoveOptions,
        id: &ContainerId,
        cancel: &CancelToken,
    ) -> Result<Claim> {
        if options.force { self.claim_to(&KILL, id, Some(cancel)) } else { self.claim(id) }
    }

    fn remove_damaged(&self, id: &ContainerId, directory: &Directory) -> Result<()> {
        let _lock = directory.try_lock();
        let cgroup = self.cgroup_of_damaged(id)?;
        cgroup.kill()?;
        cgroup.remove()?;
        self.containers.remove(id, self.containers.name_of(id).as_ref())
    }

    /// Removes the volumes among `names` that no container uses any more.
    ///
    /// # Errors
    /// When something can't be read or removed.
    pub fn remove_unused_volumes(&self, names: &[String]) -> Result<()> {
        self.containers.remove_unused_volumes(names)
    }
}
