//! Starts a process of the engine with a role, as a fresh exec of this binary, and reaps it.

use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use crate::model::Result;
use crate::model::error::Context;
use crate::model::value::id::ContainerId;
use crate::runtime::protocol::connection::Connection;
use crate::runtime::rootless;
use crate::sys::{self, userns};

/// The processes that this one started with a role; they are reaped when they exit.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Children(Mutex<Vec<Child>>);

impl Children {
    /// Starts the process `name` for a container, connected to this one by its standard input.
    pub(in crate::runtime) fn spawn(
        &self,
        name: &str,
        root: &Path,
        id: &ContainerId,
        cgroup_parent: &str,
        stdout: Stdio,
    ) -> Result<Connection> {
        self.reap();
        let (child, connection) = spawn(name, root, id, cgroup_parent, stdout)?;
        self.push(child);
        Ok(connection)
    }

    /// Adds a process that was started elsewhere.
    pub(in crate::runtime) fn push(&self, child: Child) {
        if let Ok(mut children) = self.0.lock() {
            children.push(child);
        }
    }

    /// Reaps processes that have exited, so that none stays a zombie while this process lives.
    fn reap(&self) {
        if let Ok(mut children) = self.0.lock() {
            children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        }
    }
}

fn spawn(
    name: &str,
    root: &Path,
    id: &ContainerId,
    cgroup_parent: &str,
    stdout: Stdio,
) -> Result<(Child, Connection)> {
    let (ours, theirs) = UnixStream::pair().context(|| "socketpair".to_owned())?;
    // The monitor becomes init, and a hostile image may make init execute its own binary again.
    let sealed = sys::process::sealed_program();
    let program = match &sealed {
        Some(file) => format!("/proc/self/fd/{}", file.as_raw_fd()),
        None => "/proc/self/exe".to_owned(),
    };
    let mut command = Command::new(program);
    command
        .arg0(name)
        .arg(root)
        .arg(id.as_str())
        .arg(cgroup_parent)
        .env_clear()
        // A cache per thread would keep most pages of a start, freed or not.
        .env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0")
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(stdout)
        .stderr(Stdio::null());
    let child = command.spawn().context(|| format!("start `{name}`"))?;
    if userns::in_user_namespace() {
        rootless::register_member(root, child.id())?;
    }
    let pid = i32::try_from(child.id()).unwrap_or(-1);
    Ok((child, Connection::to_child(ours, pid)))
}
