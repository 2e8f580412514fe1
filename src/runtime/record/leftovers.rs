//! What killed processes left below a root: found by a check, and collected by the next `create`.

use std::fs;

use super::container_store::{ContainerStore, anonymous_of, remove_tree};
use super::directory::Directory;
use crate::model::Result;
use crate::model::observe::check_report::CheckOptions;

impl ContainerStore {
    /// Returns what killed processes left: names without a container, partly created or removed
    /// containers. With `repair`, removes them.
    ///
    /// # Errors
    /// When the root can't be read or written.
    pub fn orphans(&self, options: &CheckOptions) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.place("names")).into_iter().flatten().flatten() {
            let name = entry.file_name().to_str().and_then(|name| name.parse().ok());
            let Some(name) = name.filter(|name| self.owner(name).is_none()) else { continue };
            let target = fs::read_link(entry.path()).ok();
            let id = target.and_then(|target| target.file_name()?.to_str()?.parse().ok());
            if let Some(id) = id {
                found.push(format!("the name `{name}` of a missing container"));
                if options.repair {
                    self.free_name(&name, &id)?;
                }
            }
        }
        for kind in ["staging", "removing"] {
            for entry in fs::read_dir(self.place(kind)).into_iter().flatten().flatten() {
                if !matches!(Directory::new(entry.path()).try_lock(), Ok(None)) {
                    let name = entry.file_name();
                    found.push(format!("a container in `{kind}`: {}", name.to_string_lossy()));
                }
            }
        }
        if options.repair {
            self.collect_garbage();
        }
        found.extend(self.parted_names(options)?);
        found.extend(self.volumes().half_done(options)?);
        Ok(found)
    }

    /// Returns how names and records part, as a killed rename leaves them.
    fn parted_names(&self, options: &CheckOptions) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let ids = self.ids()?;
        if ids.is_empty() {
            return Ok(found);
        }
        let held = self.lock_names()?;
        for id in ids {
            if let Ok(state) = self.directory(&id).read_state() {
                found.extend(self.mend_names(&held, &id, &state.name, options.repair)?);
            }
        }
        Ok(found)
    }

    /// Removes the volumes of a container whose removal a killed process left half done; returns
    /// false if another process uses the volumes now.
    fn finish_removal(&self, leftover: &Directory) -> bool {
        let volumes = leftover.read_spec().map(|spec| anonymous_of(&spec)).unwrap_or_default();
        if volumes.is_empty() || leftover.path().parent() != Some(&self.place("removing")) {
            return true;
        }
        match self.volumes().try_lock_exclusive() {
            Ok(Some(held)) => self.remove_unused(&held, &volumes).is_ok(),
            _ => false,
        }
    }

    /// Removes containers that killed processes left partly created or removed.
    pub(super) fn collect_garbage(&self) {
        // If another process is creating a container, a later call collects.
        let Ok(gate) = self.create_lock() else { return };
        if gate.try_lock().is_err() {
            return;
        }
        for kind in ["staging", "removing"] {
            for entry in fs::read_dir(self.place(kind)).into_iter().flatten().flatten() {
                let leftover = Directory::new(entry.path());
                // Unlocked, or without a lock file: no process works on it.
                if !matches!(leftover.try_lock(), Ok(None)) && self.finish_removal(&leftover) {
                    let _ = remove_tree(leftover.path());
                }
            }
        }
    }
}
