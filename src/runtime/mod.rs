//! The native runtime: one container = one directory = one monitor process.
//!
//! [`Runtime`] is the front's side: it changes what rests and asks the monitors of what runs.

pub mod cancel;
pub mod cgroup;
pub mod client;
pub(crate) mod exec;
pub mod host;
pub mod init;
pub mod log;
pub mod monitor;
pub mod oci;
pub mod plan;
pub mod protocol;
pub mod record;
pub mod rootless;
pub mod seccomp;
pub(crate) mod spawn;
pub mod trace;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use self::cancel::CancelToken;
use self::cgroup::{Cgroup, Hierarchies};
pub use self::host::random;
use self::protocol::{Reply, Request};
use crate::model::container::options::{StopOptions, StopTimeout};
use crate::model::container::status;
use crate::model::container::status::{Action, Status};
use crate::model::container::status_reason;
use crate::model::container::{Container, ContainerSpec, State};
use crate::model::observe::event as happening;
use crate::model::observe::log::LogOptions;
use crate::model::script::trace::ProcessRole;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::client::list::SpecCache;
use crate::runtime::log::reader::Reader;
use crate::runtime::protocol::connection::Connection;
use crate::runtime::record::container_store::ContainerStore;
use crate::runtime::record::directory::{Directory, Lock};
use crate::runtime::record::journal::write_mounts;
use crate::runtime::trace::operation::Operation;
use crate::sys::userns;

/// The file that tells below which cgroup a container's own is, where that depends on the caller.
const CGROUP_PARENT: &str = "cgroup";

/// How long another process may hold a container's lock without a monitor to talk to.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// The containers below one root, on this kernel.
#[derive(Debug)]
pub struct Runtime {
    containers: ContainerStore,
    root: PathBuf,
    cgroup_parent: String,
    /// Monitors that this process started; they are reaped as they end.
    monitors: Mutex<Vec<Child>>,
    spec_cache: SpecCache,
}

/// Who may change a container now.
#[derive(Debug)]
enum Claim {
    /// This process: no monitor lives, and nobody else is at work.
    Stopped(Lock, Box<State>),
    /// Its monitor.
    Running(Connection),
}

impl Runtime {
    /// The containers below `root`, whose cgroups are below `cgroup_parent`.
    pub fn new(root: &Path, cgroup_parent: &str) -> Self {
        Runtime {
            containers: ContainerStore::at(root),
            root: root.to_owned(),
            cgroup_parent: cgroup_parent.trim_matches('/').to_owned(),
            monitors: Mutex::new(Vec::new()),
            spec_cache: SpecCache::default(),
        }
    }

    /// The container that `query` names: id, name, or the unique beginning of an id.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::Invalid`] where several ids begin so.
    pub fn find(&self, query: &str) -> Result<ContainerId> {
        self.containers.find(query)
    }

    /// Where a container's files are.
    pub fn directory(&self, id: &ContainerId) -> Directory {
        self.containers.directory(id)
    }

    /// A container as it is now.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::Corrupt`] where its record is damaged.
    pub fn inspect(&self, id: &ContainerId) -> Result<Container> {
        let directory = self.containers.directory(id);
        let spec = || self.spec_cache.read(&directory, id);
        let read = || Ok(Container { spec: spec()?, state: directory.read_state()? });
        let mut container: Container =
            read().map_err(|error: Error| self.not_found_or(id, error))?;
        container.state.updated.clone().apply(&mut container.spec.host);
        if container.state.status.is_live() {
            // It runs, but nobody holds the lock: its monitor was killed, or the machine.
            if let Some(_lock) = directory.try_lock()? {
                container.state = directory.read_state()?;
                if container.state.status.is_live() {
                    container.state = self.record_lost_exit(&directory, container.state, id)?;
                    if container.spec.host.auto_remove {
                        // What its monitor would have done at the end of it.
                        self.containers.remove(id, Some(&container.state.name))?;
                        self.remove_unused_volumes(&container.spec.host.mounts.anonymous())?;
                        return Err(no_such(id));
                    }
                }
            }
        }
        Ok(container)
    }

    /// The error of a read of its files, or that it is gone, with all of them.
    pub fn not_found_or(&self, id: &ContainerId, error: Error) -> Error {
        if error.kind() == Kind::NotFound && !self.containers.directory(id).path().exists() {
            return no_such(id);
        }
        if error.kind() == Kind::NotFound { error.with_kind(Kind::Corrupt) } else { error }
    }

    /// The name of a container whose record can't be read.
    pub fn name_of(&self, id: &ContainerId) -> Option<ContainerName> {
        self.containers.name_of(id)
    }

    /// Records the end of a container whose monitor was killed, with what it left behind. The
    /// caller holds the lock.
    fn record_lost_exit(
        &self,
        directory: &Directory,
        state: State,
        id: &ContainerId,
    ) -> Result<State> {
        let rebooted = state.boot_id != crate::runtime::host::boot_id();
        if !rebooted {
            if userns::in_user_namespace() {
                rootless::kill_orphan(&state)?;
            }
            let cgroup = self.cgroup(id)?;
            cgroup.kill()?;
            cgroup.remove()?;
        }
        let (code, reason) = if rebooted {
            (255, status_reason::HOST_RESTARTED)
        } else {
            (137, status_reason::MONITOR_KILLED)
        };
        // Before anybody can read of its end.
        let ran = state.started_at.filter(|_| state.status != Status::Restarting);
        if let Some(begun) = ran {
            self.event(id, happening::Action::Die, &happening::exit_attributes(code, begun));
            if let Ok(spec) = directory.read_spec() {
                write_mounts(&self.journal(), &spec, happening::Action::Unmount);
            }
        }
        let mut state = state.exited(code, Timestamp::now());
        state.error = reason.to_owned();
        // On a read-only root the truth is told without being written.
        let _ = directory.write_state(&state);
        Ok(state)
    }

    fn cgroup(&self, id: &ContainerId) -> Result<Cgroup> {
        let parent = PathBuf::from(self.parent_of(id));
        let hierarchies = Hierarchies::of_host()?.delegated(&parent);
        Ok(Cgroup::at(&hierarchies, &parent.join(id.as_str())))
    }

    /// Below which cgroup that of a container is: another session of an ordinary user has another
    /// one of its own.
    fn parent_of(&self, id: &ContainerId) -> String {
        let recorded = Some(self.containers.directory(id).file(CGROUP_PARENT));
        let recorded = recorded.filter(|_| userns::in_user_namespace());
        let recorded = recorded.and_then(|path| fs::read_to_string(path).ok());
        recorded.unwrap_or_else(|| self.cgroup_parent.clone())
    }

    /// Finds out who may change a container; waits while another front is starting it.
    fn claim(&self, id: &ContainerId) -> Result<Claim> {
        let directory = self.containers.directory(id);
        let deadline = Instant::now() + LOCK_TIMEOUT;
        let mut pause = Duration::from_micros(200);
        loop {
            let lock =
                trace::traced(ProcessRole::Client, || Operation::TakeLock, || directory.try_lock());
            if let Some(lock) = lock.map_err(|error| self.not_found_or(id, error))? {
                let state = directory.read_state().map_err(|error| self.not_found_or(id, error))?;
                let state = if state.status.is_live() {
                    self.record_lost_exit(&directory, state, id)?
                } else {
                    state
                };
                return Ok(Claim::Stopped(lock, Box::new(state)));
            }
            if let Some(connection) = Connection::open(&directory)? {
                return Ok(Claim::Running(connection));
            }
            if Instant::now() >= deadline {
                return Err(Error::new(
                    Kind::Timeout,
                    format!("container `{}` is busy", id.short()),
                )
                .hint("another command is at work on it; try again"));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Asks the monitor, or does what is to be done where there is none.
    fn ask_or<T>(
        &self,
        id: &ContainerId,
        request: &Request,
        cancel: Option<&CancelToken>,
        live: impl Fn(Reply) -> T,
        idle: impl Fn(Lock, State) -> Result<T>,
    ) -> Result<T> {
        loop {
            match self.claim(id)? {
                Claim::Stopped(lock, state) => return idle(lock, *state),
                Claim::Running(mut connection) => {
                    // No reply: it has just ended, so it is looked at anew.
                    if let Some(reply) = connection.ask(request, None, cancel)? {
                        return Ok(live(reply));
                    }
                }
            }
        }
    }

    /// Freezes a container.
    ///
    /// # Errors
    /// [`Kind::Refused`] unless it is running.
    pub fn pause(&self, id: &ContainerId) -> Result<()> {
        self.ask_or(id, &Request::Pause, None, |_| (), |_, state| refuse(&state, Action::Pause))
    }

    /// Thaws a container.
    ///
    /// # Errors
    /// [`Kind::Refused`] unless it is paused.
    pub fn unpause(&self, id: &ContainerId) -> Result<()> {
        self.ask_or(id, &Request::Unpause, None, |_| (), |_, state| refuse(&state, Action::Unpause))
    }

    /// Sends a signal to a container's first process.
    ///
    /// # Errors
    /// [`Kind::Refused`] unless it runs or is paused.
    pub fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        let request = Request::Kill { signal };
        self.ask_or(id, &request, None, |_| (), |_, state| refuse(&state, Action::Kill))
    }

    /// Stops a container; nothing to do for one that does not run. `keep` puts `--rm` aside.
    ///
    /// # Errors
    /// [`Kind::Cancelled`]: the stop goes on.
    pub fn stop(
        &self,
        id: &ContainerId,
        options: &StopOptions,
        keep: bool,
        cancel: &CancelToken,
    ) -> Result<()> {
        let spec = self
            .containers
            .directory(id)
            .read_spec()
            .map_err(|error| self.not_found_or(id, error))?;
        let signal = options.signal.or(spec.config.stop_signal).unwrap_or(Signal::TERM);
        let grace: StopTimeout = options.timeout.or(spec.config.stop_timeout).unwrap_or_default();
        let request = Request::Stop { signal, timeout: grace, keep_container: keep };
        self.ask_or(id, &request, Some(cancel), |_| (), |_, state| refuse(&state, Action::Stop))
    }

    /// Waits for a container to end; its exit code. At once for one that does not run.
    ///
    /// # Errors
    /// [`Kind::Timeout`] or [`Kind::Cancelled`].
    pub fn wait(
        &self,
        id: &ContainerId,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<i32> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            match self.claim(id)? {
                Claim::Stopped(_, state) => return Ok(state.exit_code),
                Claim::Running(mut connection) => {
                    let left =
                        deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
                    let reply =
                        connection.ask(&Request::Wait, left, Some(cancel)).map_err(|error| {
                            if error.kind() == Kind::Timeout {
                                still_running(id, timeout)
                            } else {
                                error
                            }
                        })?;
                    if let Some(Reply::Exited { code }) = reply {
                        return Ok(code);
                    }
                }
            }
        }
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// [`Kind::Exists`] where it is taken, [`Kind::Invalid`] where it is the present one.
    pub fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()> {
        let directory = self.containers.directory(id);
        let now = directory.read_state().map_err(|error| self.not_found_or(id, error))?.name;
        if now == *name {
            let message = format!("renaming container `{name}` to its present name");
            return Err(Error::new(Kind::Invalid, message).hint("choose another name"));
        }
        self.containers.claim_name(name, id)?;
        let request = Request::Rename { name: name.clone() };
        // Somebody else may rename it at the same time: who changes it knows what it was before.
        let old = self.ask_or(
            id,
            &request,
            None,
            |reply| if let Reply::Renamed { old } = reply { old } else { now.clone() },
            |_lock, state| {
                let old = state.name.clone();
                status::check(old.as_str(), state.status, Action::Rename)?;
                directory.write_state(&State { name: name.clone(), ..state })?;
                self.event(id, happening::Action::Rename, &happening::rename_attributes(&old));
                Ok(old)
            },
        );
        self.containers.free_name(old.as_ref().unwrap_or(name), id)?;
        old.map(drop)
    }

    /// Opens what a container wrote.
    ///
    /// # Errors
    /// When the log can't be read.
    pub fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<Reader> {
        let directory = self.containers.directory(id);
        let state = directory.read_state().map_err(|error| self.not_found_or(id, error))?;
        status::check(state.name.as_str(), state.status, Action::Logs)?;
        let mut monitor = None;
        if options.follow && !options.across_restarts && state.status.is_live() {
            // It ends when the monitor goes, which is after the last restart.
            monitor = Connection::open(&directory)?.map(Connection::into_stream);
        }
        Reader::open(&directory.file("log.jsonl"), options, monitor)
    }
}

/// What the table says for a container without monitor.
fn refuse(state: &State, action: Action) -> Result<()> {
    status::check(state.name.as_str(), state.status, action).map(drop)
}

fn still_running(id: &ContainerId, timeout: Option<Duration>) -> Error {
    let seconds = timeout.unwrap_or_default().as_secs_f64();
    Error::new(
        Kind::Timeout,
        format!("container `{}` has not ended within {seconds} s", id.short()),
    )
    .container(id.short(), Some(Status::Running.as_str()))
}

/// A container as it is being made: its spec, the environment of its process, its layers.
#[derive(Debug)]
pub struct NewContainer<'a> {
    /// What it is made from.
    pub spec: &'a ContainerSpec,
    /// Its name.
    pub name: &'a ContainerName,
    /// `KEY=VALUE` for its process.
    pub environment: &'a [String],
    /// Its layers, lowest first, relative to its directory.
    pub lower: &'a [String],
    /// The directory that `/` takes mode and owner from, relative to its directory.
    pub root: Option<&'a str>,
}

fn no_such(id: &ContainerId) -> Error {
    Error::new(Kind::NotFound, format!("no such container: {}", id.short()))
        .container(id.short(), None)
}
