//! What killed processes left of containers on this host: monitors and cgroups.

use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags};

use super::lost::SOCKET;
use super::request_timeout::ANSWER_TIMEOUT;
use super::runtime::Runtime;
use crate::model::Result;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::host;
use crate::runtime::protocol::role_names;
use crate::sys;
use crate::sys::process_state::ProcessState;

/// How long a process of a container that was removed may take to exit.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

impl Runtime {
    /// Describes what killed processes left of containers, part by part: one that fails does not
    /// end the others. With `repair`, removes it.
    pub fn orphans(
        &self,
        options: &CheckOptions,
    ) -> impl Iterator<Item = Result<Vec<(String, Resolution)>>> {
        type Part = fn(&Runtime, &CheckOptions) -> Result<Vec<(String, Resolution)>>;
        let parts: [Part; 8] = [
            // A look at each container removes what its monitor left.
            |runtime, _| runtime.ps().map(|_| Vec::new()),
            Runtime::killed_starts,
            Runtime::ownerless,
            Runtime::lost_processes,
            Runtime::lost_cgroups,
            |runtime, options| runtime.containers.orphans(options),
            |runtime, options| runtime.containers.parted_names(options),
            |runtime, options| runtime.containers.volumes().half_done(options),
        ];
        let options = *options;
        parts.into_iter().map(move |part| part(self, &options))
    }

    /// Describes what stands in the place of a directory below the root, each with its path. With
    /// `repair`, makes directories.
    pub fn misplaced(&self, options: &CheckOptions) -> Vec<(PathBuf, (String, Resolution))> {
        self.containers.misplaced(options)
    }

    /// Finds containers that do not run, whose monitor was killed in a start.
    fn killed_starts(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let mut found = Vec::new();
        for id in self.containers.ids()? {
            let directory = self.directory(&id);
            if directory.file(SOCKET).symlink_metadata().is_err() {
                continue;
            }
            // It was removed meanwhile, or a process starts it now.
            let Ok(Some(_lock)) = directory.try_lock() else { continue };
            let settled = options.repair.then(|| self.settled_state(&directory, &id).map(drop));
            let what = format!("what a killed start of the container {} left", id.short());
            found.push((what, Resolution::of_removal(settled)));
        }
        Ok(found)
    }

    /// Finds monitors and helpers of containers whose directory was removed.
    fn lost_processes(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let mut found = Vec::new();
        let roles = [(role_names::MONITOR, "monitor"), (role_names::EXEC, "exec")];
        let of = |(role, name)| host::with_name(role).into_iter().map(move |it| (name, it));
        for (name, (pid, words)) in roles.into_iter().flat_map(of) {
            let [root, id, parent] = words.as_slice() else { continue };
            let Ok(id) = id.parse::<ContainerId>() else { continue };
            let is_ours = Path::new(root) == self.root && !self.directory(&id).path().exists();
            if !is_ours || exits_by_itself(pid)? {
                continue;
            }
            let killed = options.repair.then(|| self.kill_lost(pid, &id, Path::new(parent)));
            let what = format!("the {name} of a removed container: process {pid}");
            found.push((what, Resolution::of_removal(killed)));
        }
        Ok(found)
    }

    /// Kills a process of a container that was removed, and what its cgroup has.
    fn kill_lost(&self, pid: i32, id: &ContainerId, parent: &Path) -> Result<()> {
        let opened = Pid::from_raw(pid)
            .and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok());
        self.kill_monitor(id);
        if let Some(process) = opened.filter(|_| ProcessState::of(pid).is_some()) {
            let _ = sys::process::send_signal(&process, Signal::KILL.number());
            sys::poll::wait_readable(&[process.as_fd()], Some(ANSWER_TIMEOUT))?;
        }
        let hierarchies = Hierarchies::of_host()?.delegated(parent);
        let cgroup = Cgroup::at(&hierarchies, &parent.join(id.as_str()));
        cgroup.kill()?;
        cgroup.remove()
    }

    /// Finds cgroups named after a container that does not exist, and that no monitor watches.
    fn lost_cgroups(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let parent = PathBuf::from(&self.cgroup_parent);
        let Ok(hierarchies) = Hierarchies::of_host() else { return Ok(Vec::new()) };
        let hierarchies = hierarchies.delegated(&parent);
        let mut lost = std::collections::BTreeSet::new();
        for directory in Cgroup::at(&hierarchies, &parent).paths() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let id = entry.file_name().to_str().and_then(|id| id.parse::<ContainerId>().ok());
                lost.extend(id.filter(|id| !self.directory(id).path().exists()));
            }
        }
        let monitors = host::with_name(role_names::MONITOR);
        let mut found = Vec::new();
        for id in lost {
            let cgroup = Cgroup::at(&hierarchies, &parent.join(id.as_str())).present();
            let is_watched =
                monitors.iter().any(|(_, words)| words.get(1) == Some(&id.to_string()));
            // A process of another PID namespace has the number 0: its engine watches it.
            let is_foreign = cgroup.processes().contains(&0);
            if is_watched || is_foreign || !cgroup.paths().any(Path::exists) {
                continue;
            }
            let what = format!("the cgroup of a missing container: {}", id.short());
            let removed = options.repair.then(|| cgroup.kill().and_then(|()| cgroup.remove()));
            found.push((what, Resolution::of_removal(removed)));
        }
        Ok(found)
    }
}

/// Returns whether a process exits soon: that of a container which has just been removed.
fn exits_by_itself(pid: i32) -> Result<bool> {
    let opened = Pid::from_raw(pid)
        .and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok());
    let Some(process) = opened else { return Ok(true) };
    Ok(sys::poll::wait_readable(&[process.as_fd()], Some(EXIT_TIMEOUT))?.contains(&true))
}
