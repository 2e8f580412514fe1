//! A running container as the kernel shows it: read in the host's `/proc`, without executing
//! anything inside.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::runtime::Runtime;
use crate::model::Result;
use crate::model::container::Container;
use crate::model::observe::introspection::{MountPoint, Namespace, ProcessView};
use crate::model::value::id::ContainerId;
use crate::runtime::host;
use crate::runtime::record::exec_files;

/// The namespaces that are reported, in the order of `operation::NAMESPACES`.
const KINDS: [&str; 7] = ["user", "pid", "mnt", "net", "uts", "ipc", "cgroup"];

impl Runtime {
    /// Returns the ids of a container's execs that run.
    pub fn execs(&self, container: &Container) -> Vec<String> {
        match container.state.status.is_live() {
            true => exec_files::running(&self.directory(&container.spec.id)),
            false => Vec::new(),
        }
    }

    /// Returns the namespaces of a container, and which containers share each; none if it does not
    /// run.
    pub fn namespaces(&self, container: &Container, others: &[Container]) -> Vec<Namespace> {
        let number = |pid: &str, kind: &str| {
            fs::metadata(format!("/proc/{pid}/ns/{kind}")).ok().map(|found| found.ino())
        };
        let pid = container.state.pid;
        if pid == 0 {
            return Vec::new();
        }
        let running =
            |other: &&Container| other.state.pid != 0 && other.spec.id != container.spec.id;
        let of = |kind: &&str| {
            let inode = number(&pid.to_string(), kind)?;
            let host = (number("self", kind) == Some(inode)).then(|| "host".to_owned());
            let is_in_it =
                |other: &&Container| number(&other.state.pid.to_string(), kind) == Some(inode);
            let names = others.iter().filter(running).filter(is_in_it);
            let names = names.map(|other| other.state.name.to_string());
            let shared_with = host.into_iter().chain(names).collect();
            Some(Namespace { kind: (*kind).to_owned(), number: inode, shared_with })
        };
        let found = KINDS.iter().filter_map(of).collect();
        // Read before the check: the process id was not reused.
        if host::start_time(pid) == container.state.pid_start { found } else { Vec::new() }
    }

    /// Returns a container's processes with their ids on the host and inside.
    ///
    /// # Errors
    /// When its cgroup cannot be found.
    pub fn process_views(&self, id: &ContainerId) -> Result<Vec<ProcessView>> {
        let processes = self.processes(id)?;
        Ok(processes
            .into_iter()
            .filter_map(|(pid, command)| {
                let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
                let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
                let inside = numbers.split_whitespace().next_back()?.parse().ok()?;
                Some(ProcessView { host_pid: pid, container_pid: inside, command })
            })
            .collect())
    }

    /// Returns the existing directories of a container's cgroup.
    ///
    /// # Errors
    /// When the hierarchies cannot be found.
    pub fn cgroups(&self, id: &ContainerId) -> Result<Vec<String>> {
        let cgroup = self.cgroup(id)?.present();
        Ok(cgroup
            .paths()
            .filter(|path| path.exists())
            .map(|path| path.display().to_string())
            .collect())
    }

    /// Returns the mounts of a container.
    pub fn mount_points(&self, container: &Container) -> Vec<MountPoint> {
        let path = format!("/proc/{}/mountinfo", container.state.pid);
        let text = fs::read_to_string(path).unwrap_or_default();
        if host::start_time(container.state.pid) != container.state.pid_start {
            return Vec::new();
        }
        text.lines().filter_map(mount_point).collect()
    }
}

/// Parses a line of proc_pid_mountinfo(5).
fn mount_point(line: &str) -> Option<MountPoint> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(4);
    let (path, options) = (fields.next()?, fields.next()?);
    let kind = after.split(' ').next()?;
    let writable = options.split(',').all(|option| option != "ro");
    // Spaces in paths are octal escapes; no other escape matters here.
    let path = path.replace("\\040", " ");
    Some(MountPoint { path, kind: kind.to_owned(), writable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_read() {
        let line = "36 35 98:0 / /proc/a\\040b ro,nosuid - proc proc rw";
        let found = mount_point(line).unwrap();
        let expected =
            MountPoint { path: "/proc/a b".into(), kind: "proc".into(), writable: false };
        assert_eq!(found, expected);
        assert_eq!(mount_point("torn"), None);
    }
}
