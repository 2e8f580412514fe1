//! What killed processes left of containers on this host: monitors and cgroups.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::runtime::Runtime;
use crate::model::Result;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::value::id::ContainerId;
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::host;
use crate::runtime::protocol::role_names;

/// A cgroup without processes that is younger may belong to a start under another root.
const SETTLED: Duration = Duration::from_secs(10);

impl Runtime {
    /// Describes what killed processes left of containers. With `repair`, removes it.
    ///
    /// # Errors
    /// When the root can't be read or written.
    pub fn orphans(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        // A look at each container removes what its monitor left.
        self.ps()?;
        let mut found = self.lost_monitors(options)?;
        found.extend(self.lost_cgroups(options)?);
        found.extend(self.containers.orphans(options)?);
        Ok(found)
    }

    /// Describes damaged records, and what stands in the place of one. With `repair`, repairs it
    /// as far as possible.
    ///
    /// # Errors
    /// When the root can't be read.
    pub fn damaged(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        self.containers.damaged(options)
    }

    /// Finds monitors of containers whose directory was removed.
    fn lost_monitors(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let mut found = Vec::new();
        for (pid, words) in host::with_name(role_names::MONITOR) {
            let [root, id, parent] = words.as_slice() else { continue };
            let Ok(id) = id.parse::<ContainerId>() else { continue };
            if Path::new(root) != self.root || self.directory(&id).path().exists() {
                continue;
            }
            found.push((
                format!("the monitor of a removed container: process {pid}"),
                removed(options),
            ));
            if options.repair && self.kill_monitor(&id) {
                let hierarchies = Hierarchies::of_host()?.delegated(Path::new(parent));
                let cgroup = Cgroup::at(&hierarchies, &Path::new(parent).join(id.as_str()));
                cgroup.kill()?;
                cgroup.remove()?;
            }
        }
        Ok(found)
    }

    /// Finds cgroups without processes, named after a container that does not exist.
    fn lost_cgroups(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let parent = PathBuf::from(&self.cgroup_parent);
        let Ok(hierarchies) = Hierarchies::of_host() else { return Ok(Vec::new()) };
        let hierarchies = hierarchies.delegated(&parent);
        let mut lost = std::collections::BTreeSet::new();
        for directory in Cgroup::at(&hierarchies, &parent).paths() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let id = entry.file_name().to_str().and_then(|id| id.parse::<ContainerId>().ok());
                let age = entry.metadata().and_then(|found| found.modified()).ok();
                let is_settled = age.is_some_and(|at| at.elapsed().is_ok_and(|age| age > SETTLED));
                let is_lost = |id: &ContainerId| !self.directory(id).path().exists();
                lost.extend(id.filter(|id| is_settled && is_lost(id)));
            }
        }
        let monitors = host::with_name(role_names::MONITOR);
        let mut found = Vec::new();
        for id in lost {
            let cgroup = Cgroup::at(&hierarchies, &parent.join(id.as_str())).present();
            let is_watched =
                monitors.iter().any(|(_, words)| words.get(1) == Some(&id.to_string()));
            if is_watched || !cgroup.processes().is_empty() {
                continue;
            }
            found.push((
                format!("the cgroup of a missing container: {}", id.short()),
                removed(options),
            ));
            if options.repair {
                cgroup.remove()?;
            }
        }
        Ok(found)
    }
}

fn removed(options: &CheckOptions) -> Resolution {
    if options.repair { Resolution::Removed } else { Resolution::Found }
}
