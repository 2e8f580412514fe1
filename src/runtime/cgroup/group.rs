//! The cgroup of a container, on v2, v1 and hybrid hosts.
//!
//! A container has one directory in each hierarchy in use: `<mount>/<parent>/<id>`. On a hybrid
//! host the v1 hierarchies have the controllers, and the unified one freezes and kills. See
//! cgroups(7), Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use oci_spec::runtime::LinuxResources;

use super::delegation::delegation_hint;
use super::file::{read, write};
use super::hierarchies::{self, Hierarchies, V1};
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys;
use crate::sys::process_state::ProcessState;

/// How long the kernel may take to freeze, thaw or release a cgroup.
const KERNEL_TIMEOUT: Duration = Duration::from_secs(5);

/// The states of the cgroup freezer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FreezerState {
    Frozen,
    Thawed,
}

/// The cgroup of one container.
#[derive(Debug)]
pub struct Cgroup {
    pub(super) unified: Option<PathBuf>,
    pub(super) v1: Vec<(V1, PathBuf)>,
}

impl Cgroup {
    /// Moves the container's processes to another hierarchy. A child starts in its parent's cgroup:
    /// once a round finds no new process, all are moved.
    pub(super) fn move_all(&self, directory: &Path) -> Result<()> {
        let home = self.v1_with("pids").or(self.v1_with("memory")).or(self.unified.as_deref());
        let Some(home) = home else { return Ok(()) };
        let mut moved = std::collections::BTreeSet::new();
        loop {
            let pids = read(home, "cgroup.procs")?;
            let new: Vec<_> = pids.lines().filter(|pid| !moved.contains(*pid)).collect();
            if new.is_empty() {
                return Ok(());
            }
            for pid in new {
                // A process that has just exited need not be moved.
                let _ = fs::write(directory.join("cgroup.procs"), pid);
                moved.insert(pid.to_owned());
            }
        }
    }

    /// Returns the cgroup at `path` (`<parent>/<id>`) in each hierarchy, whether it exists or not.
    pub fn at(hierarchies: &Hierarchies, path: &Path) -> Self {
        Cgroup {
            unified: hierarchies.unified.as_ref().map(|mount| mount.join(path)),
            v1: hierarchies.v1.iter().map(|v1| (v1.clone(), v1.mount.join(path))).collect(),
        }
    }

    /// Returns the cgroup without the v1 hierarchies that none of `controllers` needs.
    #[must_use]
    pub fn restricted_to(&self, controllers: &[&str]) -> Self {
        let kept = |v1: &V1| v1.always || controllers.iter().any(|name| v1.has_controller(name));
        let v1 = self.v1.iter().filter(|(v1, _)| kept(v1)).cloned().collect();
        Cgroup { unified: self.unified.clone(), v1 }
    }

    /// Returns the cgroup in the hierarchies in which it exists: those of a running container.
    #[must_use]
    pub fn present(&self) -> Self {
        let v1 = self.v1.iter().filter(|(_, directory)| directory.exists()).cloned().collect();
        Cgroup { unified: self.unified.clone(), v1 }
    }

    /// Returns whether it is in no hierarchy, as with an ordinary user who has no delegated cgroup.
    pub fn has_no_hierarchy(&self) -> bool {
        self.unified.is_none() && self.v1.is_empty()
    }

    /// Returns its directory in each hierarchy.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.directories()
    }

    /// Returns its directory in each hierarchy that containers see, by the name of the hierarchy's
    /// own; none where the unified one is the only one.
    pub fn named(&self) -> Vec<(String, PathBuf)> {
        if self.v1.is_empty() {
            return Vec::new();
        }
        let unified = self.unified.iter().map(|own| ("unified".to_owned(), own.clone()));
        self.v1.iter().map(|(v1, own)| (v1.name(), own.clone())).chain(unified).collect()
    }

    fn directories(&self) -> impl Iterator<Item = &Path> {
        self.unified
            .iter()
            .chain(self.v1.iter().map(|(_, directory)| directory))
            .map(PathBuf::as_path)
    }

    pub(super) fn v1_with(&self, controller: &str) -> Option<&Path> {
        let found = self.v1.iter().find(|(v1, _)| v1.controllers.iter().any(|c| c == controller));
        found.map(|(_, directory)| directory.as_path())
    }

    /// Creates the directories. Leftovers of a killed monitor at the same path are removed first.
    ///
    /// # Errors
    /// When this user may not create cgroups; then nothing is left behind.
    pub fn create(&self) -> Result<()> {
        for directory in self.directories() {
            if let Err(error) = create_directory(directory) {
                let _ = self.remove();
                return Err(error.hint("run lifebox as root"));
            }
        }
        if let Some(unified) = &self.unified {
            hierarchies::enable_controllers(unified);
        }
        self.v1_with("cpuset").map_or(Ok(()), fill_cpuset)
    }

    /// Sets limits and the devices that may be used.
    ///
    /// # Errors
    /// When the kernel refuses one; the message names the file.
    pub fn apply(&self, resources: &LinuxResources) -> Result<()> {
        self.limit(resources)?;
        let rules = resources.devices().as_deref().unwrap_or_default();
        match (self.v1_with("devices"), &self.unified) {
            (Some(directory), _) => super::devices::apply_v1(directory, rules),
            // Only the host's root may attach the program. In a user namespace a container has only
            // bind-mounted device nodes, and all else is mounted `nodev`.
            (None, Some(_)) if sys::userns::in_user_namespace() => Ok(()),
            (None, Some(unified)) => super::devices::apply_v2(unified, rules),
            (None, None) => Ok(()),
        }
    }

    /// Opens the unified directory, for `CLONE_INTO_CGROUP`.
    ///
    /// # Errors
    /// When it was removed.
    pub fn open_unified(&self) -> Result<Option<OwnedFd>> {
        let open = |path: &PathBuf| {
            fs::File::open(path).context(|| format!("open `{}`", path.display())).map(OwnedFd::from)
        };
        self.unified.as_ref().map(open).transpose()
    }

    /// Opens `tasks` of each v1 hierarchy for writing. A thread that writes 0 there moves itself,
    /// which takes no lock over all processes: `cgroup.procs` would cost a grace period of about 10
    /// ms (kernel/cgroup/cgroup.c, `cgroup_procs_write_start`).
    ///
    /// # Errors
    /// When one was removed.
    pub fn open_tasks(&self) -> Result<Vec<OwnedFd>> {
        let open = |(_, directory): &(V1, PathBuf)| {
            let path = directory.join("tasks");
            let file = fs::OpenOptions::new().write(true).open(&path);
            file.context(|| format!("open `{}`", path.display())).map(OwnedFd::from)
        };
        self.v1.iter().map(open).collect()
    }

    /// Freezes all processes and waits until they are frozen: they use no CPU and keep their
    /// memory.
    ///
    /// # Errors
    /// [`Kind::Timeout`] when a process cannot be frozen in time; then the cgroup is thawed again.
    pub fn freeze(&self) -> Result<()> {
        self.reach(FreezerState::Frozen).inspect_err(|_| {
            let _ = self.reach(FreezerState::Thawed);
        })
    }

    /// Thaws all processes and waits until they are thawed.
    ///
    /// # Errors
    /// When the cgroup was removed.
    pub fn thaw(&self) -> Result<()> {
        self.reach(FreezerState::Thawed)
    }

    fn reach(&self, target: FreezerState) -> Result<()> {
        let is_frozen = target == FreezerState::Frozen;
        if let Some(unified) = &self.unified {
            // Opened before the write: a later change is seen by the poll.
            let path = unified.join("cgroup.events");
            let events = fs::File::open(&path).context(|| format!("open `{}`", path.display()))?;
            write(unified, "cgroup.freeze", if is_frozen { "1" } else { "0" })?;
            let state = if is_frozen { "frozen 1" } else { "frozen 0" };
            return wait_until(target, |left| {
                let reached = read(unified, "cgroup.events")?.lines().any(|line| line == state);
                if !reached {
                    sys::poll::wait_priority(&events, left)?;
                }
                Ok(reached)
            });
        }
        let freezer = self.v1_with("freezer").ok_or_else(|| {
            if sys::userns::in_user_namespace() {
                return Error::new(Kind::Unsupported, "cannot freeze: this user has no cgroup")
                    .hint(delegation_hint(None, false));
            }
            Error::new(Kind::Unsupported, "cannot freeze: the host has no cgroup freezer")
                .hint("mount cgroup2: mount -t cgroup2 none /sys/fs/cgroup")
        })?;
        let state = if is_frozen { "FROZEN" } else { "THAWED" };
        wait_until(target, |_| {
            // Written again each time: v1 may stay at FREEZING.
            write(freezer, "freezer.state", state)?;
            let reached = read(freezer, "freezer.state")?.trim() == state;
            if !reached {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(reached)
        })
    }

    /// Kills all processes. A frozen process in v1 dies when it is thawed.
    ///
    /// # Errors
    /// When the processes cannot be listed.
    pub fn kill(&self) -> Result<()> {
        if let Some(unified) = &self.unified {
            return match fs::write(unified.join("cgroup.kill"), "1") {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::from_io(
                    format!("write `{}/cgroup.kill`", unified.display()),
                    &error,
                )),
                _ => Ok(()),
            };
        }
        for (_, directory) in self.v1.iter().take(1) {
            for pid in read(directory, "cgroup.procs").unwrap_or_default().lines() {
                let _ = pid.parse().map(sys::process::kill_by_number);
            }
        }
        if self.v1_with("freezer").is_some_and(Path::exists) { self.thaw() } else { Ok(()) }
    }

    /// Returns the process ids in it, as the host sees them.
    pub fn processes(&self) -> Vec<u32> {
        let directory = self.unified.as_deref().or(self.v1.first().map(|(_, at)| at.as_path()));
        let text = directory.and_then(|directory| read(directory, "cgroup.procs").ok());
        text.iter().flat_map(|text| text.lines()).filter_map(|line| line.parse().ok()).collect()
    }

    /// Returns how many processes the kernel killed in it for lack of memory.
    pub fn oom_kills(&self) -> u64 {
        let text = match self.v1_with("memory") {
            Some(directory) => read(directory, "memory.oom_control"),
            None => match &self.unified {
                Some(unified) => read(unified, "memory.events"),
                None => return 0,
            },
        };
        let text = text.unwrap_or_default();
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    }

    /// Returns its highest memory usage, in bytes; 0 if the kernel does not count it.
    pub fn memory_peak(&self) -> u64 {
        let text = match (self.v1_with("memory"), &self.unified) {
            (Some(directory), _) => read(directory, "memory.max_usage_in_bytes"),
            // Since Linux 5.19.
            (None, Some(unified)) => read(unified, "memory.peak"),
            (None, None) => return 0,
        };
        text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// Removes the directories, which must have no process left. Waits for processes that are
    /// exiting. A missing directory counts as removed.
    ///
    /// # Errors
    /// [`Kind::Timeout`] when processes are still there.
    pub fn remove(&self) -> Result<()> {
        self.directories().try_for_each(remove_directory)
    }
}

/// Copies processors and memory nodes of the parent to a new v1 cpuset, which has none and takes no
/// process until it has (cgroup-v1/cpusets.rst).
pub(super) fn fill_cpuset(directory: &Path) -> Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if !read(directory, file)?.trim().is_empty() {
            continue;
        }
        let Some(parent) = directory.parent() else { continue };
        if parent.join(file).exists() {
            fill_cpuset(parent)?;
            write(directory, file, read(parent, file)?.trim())?;
        }
    }
    Ok(())
}

/// Creates the directory of a cgroup, and removes first what a killed monitor left there.
pub(super) fn create_directory(directory: &Path) -> Result<()> {
    let create = || fs::create_dir(directory);
    let result = match create() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let parent = directory.parent().unwrap_or(directory);
            fs::create_dir_all(parent).and_then(|()| create())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            remove_directory(directory)?;
            create()
        }
        result => result,
    };
    result.context(|| format!("create cgroup `{}`", directory.display()))
}

/// Removes a directory. The kernel says `EBUSY` until it has released processes that have just
/// exited.
fn remove_directory(directory: &Path) -> Result<()> {
    let deadline = Instant::now() + KERNEL_TIMEOUT;
    let mut pause = Duration::from_micros(100);
    loop {
        match fs::remove_dir(directory) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == ErrorKind::ResourceBusy && Instant::now() < deadline => {
                remove_children(directory)?;
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            Err(error) => return Err(still_used(directory, &error)),
        }
    }
}

/// Returns the error of a cgroup that cannot be removed. It names a process that is left in it.
fn still_used(directory: &Path, error: &std::io::Error) -> Error {
    let what = format!("remove cgroup `{}`", directory.display());
    let left = read(directory, "cgroup.procs").unwrap_or_default();
    let left = left.lines().next().and_then(|pid| ProcessState::of(pid.parse().ok()?));
    match left {
        Some(process) => Error::new(Kind::Timeout, format!("{what}: {process}, is left in it"))
            .hint("remove the container when that process has exited: lifebox rm -f CONTAINER"),
        None => Error::from_io(what, error),
    }
}

fn remove_children(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_directory(&entry.path())?;
        }
    }
    Ok(())
}

fn wait_until(
    target: FreezerState,
    mut reached: impl FnMut(Duration) -> Result<bool>,
) -> Result<()> {
    let deadline = Instant::now() + KERNEL_TIMEOUT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if reached(left)? {
            return Ok(());
        }
        if left.is_zero() {
            let verb = if target == FreezerState::Frozen { "freeze" } else { "thaw" };
            return Err(Error::new(Kind::Timeout, format!("cannot {verb} the cgroup within 5 s"))
                .hint("look for a process that is stuck in the kernel: cat /proc/PID/stack"));
        }
    }
}
