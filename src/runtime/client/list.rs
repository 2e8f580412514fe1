//! Reads the records of containers, one and many: scripts ask again and again, and there may be a
//! thousand of them.

use super::runtime::{Runtime, no_such};
use crate::model::container::Container;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// From so many containers on, two threads read them.
const PARALLEL_FROM: usize = 64;

impl Runtime {
    /// A container as it is now.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::Corrupt`] where its record is damaged.
    pub fn inspect(&self, id: &ContainerId) -> Result<Container> {
        let directory = self.containers.directory(id);
        let spec = || self.spec_cache.read(&directory, id);
        let read = || Ok(Container { spec: spec()?, state: directory.read_state()? });
        let mut container: Container =
            read().map_err(|error: Error| self.not_found_or(id, error))?;
        container.state.updated.clone().apply(&mut container.spec.host);
        if container.state.status.is_live() {
            // It runs, but nobody holds the lock: its monitor was killed, or the machine.
            let not_found = |error| self.not_found_or(id, error);
            if let Some(_lock) = directory.try_lock().map_err(not_found)? {
                container.state = directory.read_state().map_err(not_found)?;
                if container.state.status.is_live() {
                    container.state = self.record_lost_exit(&directory, container.state, id)?;
                    if container.spec.host.auto_remove {
                        // What its monitor would have done at the end of it.
                        self.containers.remove(id, Some(&container.state.name))?;
                        self.remove_unused_volumes(&container.spec.host.mounts.anonymous())?;
                        return Err(no_such(id));
                    }
                }
            }
        }
        Ok(container)
    }

    /// All containers, newest first, with the error of each whose record is damaged.
    ///
    /// # Errors
    /// When the root can't be read.
    pub fn ps(&self) -> Result<Vec<(ContainerId, Result<Container>)>> {
        let ids = self.containers.ids()?;
        let mut all = self.inspect_each(&ids);
        all.retain(|(_, result)| {
            !result.as_ref().is_err_and(|error| error.kind() == Kind::NotFound)
        });
        let age = |entry: &(ContainerId, Result<Container>)| {
            entry.1.as_ref().map(|c| c.spec.created).ok()
        };
        all.sort_by(|a, b| age(b).cmp(&age(a)).then_with(|| a.0.cmp(&b.0)));
        Ok(all)
    }

    fn inspect_each(&self, ids: &[ContainerId]) -> Vec<(ContainerId, Result<Container>)> {
        let read = |ids: &[ContainerId]| -> Vec<_> {
            ids.iter().map(|id| (id.clone(), self.inspect(id))).collect()
        };
        if ids.len() < PARALLEL_FROM {
            return read(ids);
        }
        let (here, beside) = ids.split_at(ids.len() / 2);
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, || read(beside));
            let mut all = read(here);
            // Without a second thread it only takes longer.
            let rest = thread.ok().and_then(|thread| thread.join().ok());
            all.extend(rest.unwrap_or_else(|| read(beside)));
            all
        })
    }
}
