//! Starts containers: spawns a monitor, or the helper of an exec.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;

use super::runtime::{CGROUP_PARENT, Claim, Runtime};
use super::watch::Work;
use crate::model::container::options::StopOptions;
use crate::model::container::status::{self, Action, Transition};
use crate::model::error::Context;
use crate::model::script::trace::ProcessRole;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::protocol::connection::{Awaited, Connection};
use crate::runtime::protocol::{Request, StartOptions, role_names};
use crate::runtime::record::directory::Lock;
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;
use crate::sys::{record_file, userns};

impl Runtime {
    /// Starts a container, and returns when its program runs. Does nothing if the container runs.
    ///
    /// # Errors
    /// [`Kind::Refused`] if it is paused; the reason if the program does not run.
    pub fn start(&self, id: &ContainerId) -> Result<()> {
        self.start_connected(id, StartOptions::default()).map(drop)
    }

    /// Stops a container and starts it.
    ///
    /// # Errors
    /// As [`Runtime::stop`] and [`Runtime::start`].
    pub fn restart(
        &self,
        id: &ContainerId,
        options: &StopOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        self.stop_to_restart(id, options, cancel)?;
        self.start_connected(id, StartOptions { restarting: true, ..StartOptions::default() })
            .map(drop)
    }

    /// Starts a container and returns the connection; `None` if it runs already.
    pub(crate) fn start_connected(
        &self,
        id: &ContainerId,
        options: StartOptions,
    ) -> Result<Option<Connection>> {
        loop {
            match self.claim(id)? {
                Claim::Stopped(lock, state) => {
                    status::check(state.name.as_str(), state.status, Action::Start)?;
                    let spawn = || self.spawn_monitor(id, lock);
                    let options = StartOptions { stepwise: trace::is_watched(), ..options };
                    let mut connection =
                        trace::traced(ProcessRole::Client, || Operation::StartMonitor, spawn)?;
                    // Between the steps of a watched start the user may take long.
                    let work = if options.stepwise { Work::Run } else { Work::Start };
                    let request = (&Request::Start(options), work);
                    let started = self.ask_patiently(&mut connection, id, request, None, None);
                    let started = started.map_err(|error| {
                        let text = format!("cannot start `{}`", state.name);
                        let error = error
                            .context(text)
                            .container(state.name.as_str(), Some(state.status.as_str()));
                        self.with_damage(id, error)
                    })?;
                    if matches!(started, Awaited::Reply(_)) {
                        return Ok(Some(connection));
                    }
                    // Removes what the monitor left; the claim itself is not needed.
                    let _ = self.claim(id);
                    let message = format!("the monitor of `{}` died", state.name);
                    return Err(Error::new(Kind::Died, message)
                        .hint("look for out of memory in the kernel's messages: dmesg"));
                }
                Claim::Running(connection) => {
                    let state = self.containers.directory(id).read_state()?;
                    if state.status.is_live() {
                        let next = status::check(state.name.as_str(), state.status, Action::Start)?;
                        debug_assert_eq!(next, Transition::Stays);
                        return Ok(None);
                    }
                    // Another client is starting it, or it has just exited: check again.
                    drop(connection);
                    std::thread::yield_now();
                }
            }
        }
    }

    /// Starts a monitor as a fresh exec of this binary. Its standard input is a connection, its
    /// standard output the lock: no other descriptor is inherited, even if threads open files.
    fn spawn_monitor(&self, id: &ContainerId, lock: Lock) -> Result<Connection> {
        if userns::in_user_namespace() {
            let path = self.containers.directory(id).file(CGROUP_PARENT);
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(true).mode(0o600);
            record_file::open(&path, options)
                .and_then(|mut file| file.write_all(self.cgroup_parent.as_bytes()))
                .context(|| format!("write `{}`", path.display()))?;
        }
        let lock = Stdio::from(OwnedFd::from(lock.file));
        self.monitors.spawn(role_names::MONITOR, &self.root, id, &self.parent_of(id)?, lock)
    }

    /// Starts the helper of an exec, in the way a monitor is started.
    pub(crate) fn spawn_helper(&self, id: &ContainerId) -> Result<Connection> {
        self.monitors.spawn(role_names::EXEC, &self.root, id, &self.parent_of(id)?, Stdio::null())
    }
}
