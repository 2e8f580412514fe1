//! The runtime of one root: its containers, and who may change one of them now.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::request_timeout::{ANSWER_TIMEOUT, ends_container, request_timeout};
use super::watch::Work;
use crate::model::container::State;
use crate::model::container::status::{self, Action};
use crate::model::error::Context;
use crate::model::script::trace::ProcessRole;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::protocol::connection::{Awaited, Connection};
use crate::runtime::protocol::{Reply, Request};
use crate::runtime::record::container_store::ContainerStore;
use crate::runtime::record::directory::{Directory, Lock};
use crate::runtime::record::spec_cache::SpecCache;
use crate::runtime::spawn::engine_process::Children;
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;
use crate::sys::{record_file, userns};

/// The file with the parent cgroup of a container, where that depends on the caller.
pub(super) const CGROUP_PARENT: &str = "cgroup";
/// The file with the value of `--cgroup-parent`.
pub(super) const REQUESTED_CGROUP_PARENT: &str = "cgroup-parent";

/// How long to wait for a container's lock while no monitor answers.
pub(super) const LOCK_TIMEOUT: Duration = ANSWER_TIMEOUT;

/// The longest pause between two looks at a lock.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// The containers below one root, on this kernel.
#[derive(Debug)]
pub struct Runtime {
    pub(super) containers: ContainerStore,
    pub(super) root: PathBuf,
    pub(super) cgroup_parent: String,
    /// Monitors that this process started; they are reaped when they exit.
    pub(super) monitors: Children,
    pub(super) spec_cache: SpecCache,
    /// Whether readers write nothing: no event, and no exit that a lost monitor left out.
    pub(super) read_only: bool,
}

/// The party that may change a container now.
#[derive(Debug)]
pub(super) enum Claim {
    /// This process: there is no monitor, and no other process holds the lock.
    Stopped(Lock, Box<State>),
    /// Its monitor.
    Running(Connection),
}

impl Runtime {
    /// Returns the runtime of the containers below `root`, with their cgroups below
    /// `cgroup_parent`.
    pub fn new(root: &Path, cgroup_parent: &str) -> Self {
        Runtime {
            containers: ContainerStore::at(root),
            root: root.to_owned(),
            cgroup_parent: cgroup_parent.trim_matches('/').to_owned(),
            monitors: Children::default(),
            spec_cache: SpecCache::default(),
            read_only: false,
        }
    }

    /// Returns this runtime for a dry run.
    pub fn read_only(self) -> Self {
        Runtime { read_only: true, ..self }
    }

    /// Finds the container that `query` names: id, name, or the unique beginning of an id.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::Invalid`] if several ids begin with `query`.
    pub fn find(&self, query: &str) -> Result<ContainerId> {
        self.containers.find(query)
    }

    /// Returns the directory of a container's files.
    pub fn directory(&self, id: &ContainerId) -> Directory {
        self.containers.directory(id)
    }

    /// Returns the error of reading a container's files, or "no such container" if it was removed.
    pub fn not_found_or(&self, id: &ContainerId, error: Error) -> Error {
        if error.kind() == Kind::NotFound && !self.containers.directory(id).exists() {
            return no_such(id);
        }
        if error.kind() == Kind::NotFound { error.with_kind(Kind::Corrupt) } else { error }
    }

    /// Returns the name of a container whose record cannot be read.
    pub fn name_of(&self, id: &ContainerId) -> Option<ContainerName> {
        self.containers.name_of(id)
    }

    pub(super) fn cgroup(&self, id: &ContainerId) -> Result<Cgroup> {
        let parent = PathBuf::from(self.parent_of(id)?);
        let hierarchies = Hierarchies::of_host()?.delegated(&parent);
        Ok(Cgroup::at(&hierarchies, &parent.join(id.as_str())))
    }

    /// Returns the cgroup of a container whose files are damaged, as far as it is known.
    pub(super) fn cgroup_of_damaged(&self, id: &ContainerId) -> Result<Cgroup> {
        match self.cgroup(id) {
            Err(error) if error.kind() == Kind::Corrupt => {
                let parent = Path::new(&self.cgroup_parent);
                let hierarchies = Hierarchies::of_host()?.delegated(parent);
                Ok(Cgroup::at(&hierarchies, &parent.join(id.as_str())))
            }
            cgroup => cgroup,
        }
    }

    /// Returns the cgroup below which that of a container is: the one that the user requested, or
    /// for an ordinary user that of the session that started it.
    ///
    /// # Errors
    /// When its file cannot be read: another cgroup would have other limits.
    pub(super) fn parent_of(&self, id: &ContainerId) -> Result<String> {
        let directory = self.containers.directory(id);
        let read = |file: &str| {
            let path = directory.file(file);
            match record_file::read_text(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                text => text.map(Some).context(|| format!("read `{}`", path.display())),
            }
        };
        if let Some(requested) = read(REQUESTED_CGROUP_PARENT)? {
            // An ordinary user has only what is below the session's own cgroup.
            let own = Path::new(&self.cgroup_parent).parent().unwrap_or(Path::new(""));
            return Ok(own.join(requested.trim_matches('/')).to_string_lossy().into_owned());
        }
        let recorded = if userns::in_user_namespace() { read(CGROUP_PARENT)? } else { None };
        Ok(recorded.unwrap_or_else(|| self.cgroup_parent.clone()))
    }

    /// Finds out which party may change a container. Waits while another client starts it.
    pub(super) fn claim(&self, id: &ContainerId) -> Result<Claim> {
        let directory = self.containers.directory(id);
        let deadline = Instant::now() + LOCK_TIMEOUT;
        let mut pause = Duration::from_micros(200);
        loop {
            let lock =
                trace::traced(ProcessRole::Client, || Operation::TakeLock, || directory.try_lock());
            if let Some(lock) = lock.map_err(|error| self.not_found_or(id, error))? {
                let state = self.settled_state(&directory, id)?;
                return Ok(Claim::Stopped(lock, Box::new(state)));
            }
            if let Some(connection) = Connection::open(&directory)? {
                return Ok(Claim::Running(connection));
            }
            if Instant::now() >= deadline {
                return Err(self.no_answer(id));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Sends a request to the monitor, or calls `idle` if there is none.
    pub(super) fn request_or<T>(
        &self,
        id: &ContainerId,
        request: &Request,
        cancel: Option<&CancelToken>,
        live: impl Fn(Reply) -> T,
        idle: impl Fn(Lock, State) -> Result<T>,
    ) -> Result<T> {
        let stops = matches!(request, Request::Stop { .. });
        let existed = stops && self.directory(id).path().exists();
        loop {
            match self.claim_to(request, id, cancel) {
                // Created with `--rm`, and removed because it has ended without its monitor.
                Err(error) if existed && error.kind() == Kind::NotFound => {
                    return Ok(live(Reply::Done));
                }
                Err(error) => return Err(error),
                Ok(Claim::Stopped(lock, state)) => return idle(lock, *state),
                Ok(Claim::Running(mut connection)) => {
                    // No reply: it has just exited, so the claim is repeated.
                    if let Some(reply) = self.ask(&mut connection, id, request, cancel)? {
                        return Ok(live(reply));
                    }
                }
            }
        }
    }

    /// As [`claim`](Self::claim), and ends a monitor that cannot be reached if `request` ends the
    /// container.
    pub(super) fn claim_to(
        &self,
        request: &Request,
        id: &ContainerId,
        cancel: Option<&CancelToken>,
    ) -> Result<Claim> {
        match self.claim(id) {
            Err(error) if error.kind() == Kind::Timeout && ends_container(request) => {
                if self.end_without_monitor(id, request, cancel) {
                    self.claim(id)
                } else {
                    Err(error)
                }
            }
            claimed => claimed,
        }
    }

    /// Sends a request to a monitor and waits for the reply, which has a bound. A monitor that does
    /// not answer is killed if `request` ends the container.
    pub(super) fn ask(
        &self,
        connection: &mut Connection,
        id: &ContainerId,
        request: &Request,
        cancel: Option<&CancelToken>,
    ) -> Result<Option<Reply>> {
        let limit = request_timeout(request);
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let asked = (request, Work::Run);
        let awaited = match self.ask_patiently(connection, id, asked, deadline, cancel) {
            Err(error) if ends_container(request) && is_busy(&error) => {
                return self.await_end(id, deadline, cancel);
            }
            Err(error) if ends_container(request) && error.kind() == Kind::Timeout => {
                Awaited::NotYet
            }
            awaited => awaited?,
        };
        match awaited {
            Awaited::Reply(reply) => return Ok(Some(reply)),
            Awaited::Closed => return Ok(None),
            Awaited::NotYet if !ends_container(request) => return Err(self.no_answer(id)),
            Awaited::NotYet => {}
        }
        // A monitor at work may still wait for output, or for the kernel: once more.
        if self.monitor_works(id) {
            let until = Instant::now() + ANSWER_TIMEOUT;
            match connection.await_reply(Some(until), cancel)? {
                Awaited::Reply(reply) => return Ok(Some(reply)),
                Awaited::Closed => return Ok(None),
                Awaited::NotYet => {}
            }
        }
        match self.end_without_monitor(id, request, cancel) {
            true => Ok(None),
            false => Err(self.no_answer(id)),
        }
    }

    /// Waits until a container has ended whose monitor has no descriptor for a connection.
    fn await_end(
        &self,
        id: &ContainerId,
        deadline: Option<Instant>,
        cancel: Option<&CancelToken>,
    ) -> Result<Option<Reply>> {
        let directory = self.containers.directory(id);
        while matches!(directory.try_lock(), Ok(None)) {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.kill_monitor(id);
                break;
            }
            cancel.map_or(Ok(()), CancelToken::check)?;
            std::thread::sleep(LONGEST_PAUSE);
        }
        Ok(None)
    }
}

/// Returns whether a monitor answered that it has no descriptor for another connection.
fn is_busy(error: &Error) -> bool {
    matches!(error.errno(), Some(libc::EMFILE | libc::ENFILE))
}

/// Refuses what the table of states does not allow for a container without a monitor.
pub(super) fn refuse(state: &State, action: Action) -> Result<()> {
    status::check(state.name.as_str(), state.status, action).map(drop)
}

pub(super) fn no_such(id: &ContainerId) -> Error {
    Error::new(Kind::NotFound, format!("no such container: {}", id.short()))
        .container(id.short(), None)
}
