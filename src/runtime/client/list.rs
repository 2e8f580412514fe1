//! Reads the records of containers, one or all. Scripts do this frequently, for up to a thousand
//! containers.

use super::runtime::Runtime;
use crate::model::container::Container;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// From this number of containers on, two threads read them.
const PARALLEL_FROM: usize = 64;

impl Runtime {
    /// Returns a container with its present state.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::Corrupt`] if its record is damaged.
    pub fn inspect(&self, id: &ContainerId) -> Result<Container> {
        let directory = self.containers.directory(id);
        let spec = || self.spec_cache.read(&directory, id);
        let read = || Ok(Container { spec: spec()?, state: directory.read_state()? });
        let mut container: Container =
            read().map_err(|error: Error| self.not_found_or(id, error))?;
        container.state.updated.clone().apply(&mut container.spec.host_config);
        if container.state.status.is_live() {
            // Its state says that it runs, but no process holds the lock: the monitor was killed,
            // or the host crashed.
            let lock = directory.try_lock().map_err(|error| self.not_found_or(id, error))?;
            if let Some(_lock) = lock {
                container.state = self.settled_state(&directory, id)?;
            }
        }
        Ok(container)
    }

    /// Returns all containers, newest first; for each damaged record its error.
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
        let (first_half, second_half) = ids.split_at(ids.len() / 2);
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, || read(second_half));
            let mut all = read(first_half);
            // Without a second thread this one reads all.
            let rest = thread.ok().and_then(|thread| thread.join().ok());
            all.extend(rest.unwrap_or_else(|| read(second_half)));
            all
        })
    }
}
