//! What killed processes left below a root: found by a check, and collected by the next `create`.

use std::fs;
use std::path::Path;

use super::aside::{ASIDE, remove_tree, set_aside};
use super::container_store::{ContainerStore, anonymous_of};
use super::directory::Directory;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::{Error, Kind, Result};
use crate::sys::lock::{self, Share};
use crate::sys::store_dir;

impl ContainerStore {
    /// Returns what killed processes left: names without a container, partly created or removed
    /// containers. With `repair`, removes them.
    ///
    /// # Errors
    /// When the root can't be read or written.
    pub fn orphans(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        // Before the names: a container keeps its name until it is removed.
        let mut found = self.leftovers(options)?;
        let names = self.place("names");
        for entry in store_dir::names(&names)?.into_iter().flatten() {
            let Some(name) = entry.to_str().and_then(|name| name.parse().ok()) else { continue };
            if self.owner(&name)?.is_some() {
                continue;
            }
            let target = fs::read_link(names.join(&entry)).ok();
            let id = target.and_then(|target| target.file_name()?.to_str()?.parse().ok());
            if let Some(id) = id {
                let freed = options.repair.then(|| self.free_name(&name, &id));
                let what = format!("the name `{name}` of a missing container");
                found.push((what, Resolution::of_removal(freed)));
            }
        }
        Ok(found)
    }

    /// Returns the containers that are partly created or removed. With `repair`, removes them.
    fn leftovers(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        // Until a process that creates a container has locked it, it looks like a leftover.
        let gate = self.create_lock().ok();
        gate.as_ref().map_or(Ok(()), |gate| lock::acquire(gate, Share::Alone, "new containers"))?;
        let leftovers = self.partial().into_iter();
        let found = leftovers.map(|leftover| {
            let path = leftover.path();
            let kind = path.parent().and_then(Path::file_name).unwrap_or_default().display();
            let name = path.file_name().unwrap_or_default().display();
            let what = format!("a container in `{kind}`: {name}");
            let finish = || self.finish_removal(&leftover).and_then(|()| remove_tree(path));
            let removed = options.repair.then(finish);
            (what, Resolution::of_removal(removed))
        });
        Ok(found.collect())
    }

    /// Returns the directories in which a process creates or removed a container, and works no
    /// more: unlocked, or without a lock file.
    fn partial(&self) -> Vec<Directory> {
        let paths = ["staging", "removing"].into_iter().flat_map(|kind| {
            let place = self.place(kind);
            let names = store_dir::names(&place).ok().flatten().unwrap_or_default();
            names.into_iter().map(move |name| place.join(name))
        });
        let directories = paths.map(Directory::new);
        directories.filter(|directory| !matches!(directory.try_lock(), Ok(None))).collect()
    }

    /// Returns how names and records part, as a killed rename leaves them. With `repair`, mends the
    /// names.
    ///
    /// # Errors
    /// When the root can't be read or written.
    pub fn parted_names(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let mut found = Vec::new();
        let ids = self.ids()?;
        if ids.is_empty() {
            return Ok(found);
        }
        let done = if options.repair { Resolution::Repaired } else { Resolution::Found };
        let held = self.lock_names_for(options.repair)?;
        let mut names = self.names_by_id();
        for id in ids {
            if let Ok(state) = self.directory(&id).read_state() {
                let linked = (&id, names.remove(&id).unwrap_or_default());
                let parted = self.mend_these_names(&held, linked, &state.name, options.repair)?;
                found.extend(parted.into_iter().map(|what| (what, done.clone())));
            }
        }
        Ok(found)
    }

    /// Removes the volumes of a container whose removal a killed process left half done.
    ///
    /// # Errors
    /// When another process uses the volumes now, or one cannot be taken away.
    fn finish_removal(&self, leftover: &Directory) -> Result<()> {
        let spec = leftover.known_spec()?;
        let volumes = spec.as_ref().map(anonymous_of).unwrap_or_default();
        if volumes.is_empty() || leftover.path().parent() != Some(&self.place("removing")) {
            return Ok(());
        }
        let Some(held) = self.volumes().try_lock_exclusive()? else {
            let why = "another process uses the volumes now";
            return Err(Error::new(Kind::Refused, why).hint("try again: lifebox system check"));
        };
        let unused = self.take_unused(&held, &volumes)?;
        drop(held);
        // What cannot be deleted is set aside.
        unused.into_iter().for_each(|volume| drop(volume.delete()));
        Ok(())
    }

    /// Removes containers that killed processes left partly created or removed.
    pub(super) fn collect_garbage(&self) {
        // If another process is creating a container, a later call collects.
        let Ok(gate) = self.create_lock() else { return };
        if gate.try_lock().is_err() {
            return;
        }
        for leftover in self.partial() {
            let path = leftover.path();
            // What could not be removed is for `system check --repair`.
            let is_aside = path.extension().is_some_and(|ending| ending == ASIDE);
            if !is_aside && self.finish_removal(&leftover).is_ok() && remove_tree(path).is_err() {
                set_aside(path);
            }
        }
    }
}
