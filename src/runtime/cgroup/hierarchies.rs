//! The cgroup hierarchies of the host, and where they are mounted.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys::userns;

/// The v1 controllers for which every container gets a cgroup. `freezer` only without a unified
/// hierarchy: each directory costs about 0.15 ms at start.
const CONTROLLERS: [&str; 4] = ["pids", "memory", "devices", "cpuacct"];

/// The v1 controllers for which a container gets a cgroup only if a limit needs them.
const ON_DEMAND: [&str; 3] = ["cpu", "cpuset", "blkio"];
/// The child cgroup to which clients and monitors move, so that their own can pass controllers on.
const CLIENT_CGROUP: &str = "lifebox-client";

/// One v1 hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V1 {
    /// The controllers, as mount options.
    pub controllers: Vec<String>,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// Whether every container has a cgroup in it; otherwise only one with a limit that needs it.
    pub always: bool,
}

impl V1 {
    /// Returns the name of the directory that it is mounted on.
    pub fn name(&self) -> String {
        self.mount.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Returns whether it has this controller.
    pub fn has_controller(&self, controller: &str) -> bool {
        self.controllers.iter().any(|name| name == controller)
    }
}

/// The hierarchies that containers use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hierarchies {
    /// Where cgroup2 is mounted.
    pub unified: Option<PathBuf>,
    /// The v1 hierarchies of use.
    pub v1: Vec<V1>,
}

impl Hierarchies {
    /// Reads the hierarchies of the host.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] if none is mounted.
    pub fn of_host() -> Result<Self> {
        let path = "/proc/self/mountinfo";
        let text = fs::read_to_string(path).context(|| format!("read `{path}`"))?;
        let found = Hierarchies::parse(&text);
        if found.unified.is_none() && found.v1.is_empty() {
            return Err(Error::new(Kind::Unsupported, "no cgroup hierarchy is mounted")
                .hint("mount -t cgroup2 none /sys/fs/cgroup"));
        }
        Ok(found)
    }

    /// Returns the hierarchies in which this process may create cgroups below `parent`: all for the
    /// host's root; in a user namespace the unified one, if it was delegated to the user. v1
    /// hierarchies cannot be delegated safely (systemd, CGROUP_DELEGATION).
    #[must_use]
    pub fn delegated(self, parent: &Path) -> Self {
        if !userns::in_user_namespace() {
            return self;
        }
        let writable = |mount: &PathBuf| {
            let place = mount.join(parent);
            let nearest = place.ancestors().find(|place| place.exists()).unwrap_or(mount);
            let may = |path: &Path| rustix::fs::access(path, Access::WRITE_OK).is_ok();
            may(nearest) && may(&nearest.join("cgroup.procs"))
        };
        Hierarchies { unified: self.unified.filter(writable), v1: Vec::new() }
    }

    /// Returns the cgroup of this process in the unified hierarchy, relative to its root; empty if
    /// there is none.
    pub fn current_cgroup() -> PathBuf {
        let text = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let path = text.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
        let path = Path::new(path);
        path.parent().filter(|_| path.ends_with(CLIENT_CGROUP)).unwrap_or(path).to_owned()
    }

    /// Returns the controllers that cgroups below `parent` may get. Called after
    /// [`delegated`](Self::delegated).
    pub fn controllers_below(&self, parent: &Path) -> Vec<String> {
        if !userns::in_user_namespace() {
            return self.controllers();
        }
        let Some(unified) = &self.unified else { return Vec::new() };
        let place = unified.join(parent);
        let nearest = place.ancestors().find(|place| place.exists()).unwrap_or(unified);
        let text = fs::read_to_string(nearest.join("cgroup.controllers")).unwrap_or_default();
        text.split_whitespace().map(String::from).collect()
    }

    /// Parses proc_pid_mountinfo(5).
    fn parse(mountinfo: &str) -> Self {
        let mut found = Hierarchies::default();
        for line in mountinfo.lines() {
            let Some((mount, file_system)) = line.split_once(" - ") else { continue };
            let Some(point) = mount.split(' ').nth(4) else { continue };
            let point = PathBuf::from(point.replace("\\040", " "));
            let mut fields = file_system.split(' ');
            match (fields.next(), fields.nth(1)) {
                (Some("cgroup2"), _) if found.unified.is_none() => found.unified = Some(point),
                (Some("cgroup"), Some(options)) => found.v1.push(V1 {
                    controllers: options
                        .split(',')
                        .filter(|o| !matches!(*o, "rw" | "ro"))
                        .map(String::from)
                        .collect(),
                    mount: point,
                    always: false,
                }),
                _ => {}
            }
        }
        let freezes = found.unified.is_some();
        let used =
            |name: &String| CONTROLLERS.contains(&name.as_str()) || (!freezes && name == "freezer");
        for v1 in &mut found.v1 {
            v1.always = v1.controllers.iter().any(used);
        }
        let of_use = |v1: &V1| v1.always || ON_DEMAND.iter().any(|name| v1.has_controller(name));
        found.v1.retain(of_use);
        found
    }

    /// Returns the hierarchies without the v1 ones that only limits need, unless they are among
    /// `controllers`.
    #[must_use]
    pub fn restricted_to(&self, controllers: &[&str]) -> Self {
        let mut these = self.clone();
        these.v1.retain(|v1| v1.always || controllers.iter().any(|name| v1.has_controller(name)));
        these
    }

    /// Returns `v2`, `v1` or `hybrid`.
    pub fn version(&self) -> &'static str {
        match (&self.unified, self.v1.is_empty()) {
            (Some(_), true) => "v2",
            (None, _) => "v1",
            (Some(_), false) => "hybrid",
        }
    }

    /// Returns the controllers that containers get.
    pub fn controllers(&self) -> Vec<String> {
        let unified = self
            .unified
            .as_ref()
            .and_then(|mount| fs::read_to_string(mount.join("cgroup.controllers")).ok());
        let unified = unified.unwrap_or_default();
        let v1 = self.v1.iter().flat_map(|v1| v1.controllers.iter().cloned());
        v1.chain(unified.split_whitespace().map(String::from)).collect()
    }
}

/// Passes controllers of the unified hierarchy on to the cgroup at `directory`: a child has those
/// that its parent's `cgroup.subtree_control` names. A controller that is not available is left
/// out; the limit that needs it fails later.
pub(super) fn enable_controllers(directory: &Path) {
    let Some(parent) = directory.parent() else { return };
    let read =
        |directory: &Path, file: &str| fs::read_to_string(directory.join(file)).unwrap_or_default();
    let has = |text: &str, name: &str| text.split_whitespace().any(|word| word == name);
    let mut chain: Vec<_> =
        parent.ancestors().take_while(|path| path.join("cgroup.controllers").exists()).collect();
    chain.reverse();
    for level in chain {
        let (available, enabled) =
            (read(level, "cgroup.controllers"), read(level, "cgroup.subtree_control"));
        let missing = ["pids", "memory", "cpu", "io", "cpuset"]
            .into_iter()
            .filter(|name| has(&available, name) && !has(&enabled, name));
        let mut missing = missing.peekable();
        // Threaded controllers would be enabled too, and then no child could be entered.
        if missing.peek().is_none()
            || userns::in_user_namespace() && move_processes_to_child(level).is_err()
        {
            continue;
        }
        for name in missing {
            let _ = fs::write(level.join("cgroup.subtree_control"), format!("+{name}"));
        }
    }
}

/// Moves all processes of a cgroup that was delegated to lifebox alone into a child: a cgroup with
/// processes passes no controllers on (cgroups(7), "no internal processes"). Fails if processes of
/// other programs are in it.
fn move_processes_to_child(cgroup: &Path) -> std::io::Result<()> {
    let text = fs::read_to_string(cgroup.join("cgroup.procs"))?;
    if text.is_empty() {
        return Ok(());
    }
    let us = fs::read_link("/proc/self/exe")?;
    for process in text.lines() {
        if fs::read_link(format!("/proc/{process}/exe"))? != us {
            return Err(ErrorKind::ResourceBusy.into());
        }
    }
    let child = cgroup.join(CLIENT_CGROUP);
    match fs::create_dir(&child) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    text.lines().try_for_each(|process| fs::write(child.join("cgroup.procs"), process))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
25 19 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:3 - cgroup cgroup rw,cpu,cpuacct
27 25 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
28 25 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
29 25 0:26 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
30 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
";

    #[test]
    fn a_hybrid_host_freezes_with_the_unified_hierarchy() {
        let found = Hierarchies::parse(HYBRID);
        assert_eq!(found.version(), "hybrid");
        assert_eq!(found.unified, Some("/sys/fs/cgroup/unified".into()));
        let mounts: Vec<_> = found.v1.iter().map(|v1| v1.mount.to_str().unwrap()).collect();
        assert_eq!(mounts, ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory"]);
    }

    #[test]
    fn a_v1_host_freezes_with_the_freezer() {
        let text: String = HYBRID
            .lines()
            .filter(|line| !line.contains("cgroup2"))
            .map(|line| format!("{line}\n"))
            .collect();
        let found = Hierarchies::parse(&text);
        assert_eq!(found.version(), "v1");
        assert!(found.v1.iter().any(|v1| v1.controllers == ["freezer"]));
    }

    #[test]
    fn a_unified_host_has_no_v1() {
        let found = Hierarchies::parse("30 25 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        assert_eq!(found.version(), "v2");
    }
}
