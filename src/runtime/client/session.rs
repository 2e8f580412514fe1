//! Sessions: containers that are removed when the process that created them exits, however it does.
//!
//! A process that is killed cannot clean up. So before creating the first such container it starts
//! a resource reaper, a small process that holds the other end of a pipe. A container's spec names
//! its session from the start, so none is missed. When the pipe closes, the reaper removes the
//! session's remaining containers.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::request_timeout::ANSWER_TIMEOUT;
use super::runtime::Runtime;
use crate::model::container::options::RemoveOptions;
use crate::model::error::Context;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::host;
use crate::runtime::protocol::role_names::RESOURCE_REAPER;
use crate::runtime::record::container_store::ContainerStore;
use crate::sys::{self, record_file};

/// The file in a container's directory that keeps the container when its script ends.
pub(super) const KEPT: &str = "kept";
/// Sent when all containers of the session are removed.
const NONE_LEFT: &str = "nothing";
/// Sent before a container is created while there is none.
const SOME_AGAIN: &str = "something";

/// The session of this process: containers created with its [`token`](ContainerSession::token) are
/// removed when the process exits, unless it keeps them.
#[derive(Debug)]
pub struct ContainerSession {
    token: String,
    /// The containers among which are those of this session; `None` for an engine that runs
    /// nothing.
    containers: Option<ContainerStore>,
    state: Mutex<SessionState>,
}

/// What the resource reaper was sent.
#[derive(Debug)]
struct SessionState {
    /// The pipe to the resource reaper; `None` without one.
    reaper: Option<File>,
    /// How many containers exist or are being created.
    count: usize,
}

impl ContainerSession {
    /// Returns a session without a resource reaper, for an engine that runs nothing.
    pub fn without_reaper() -> Self {
        let state = SessionState { reaper: None, count: 0 };
        ContainerSession { token: "none".to_owned(), containers: None, state: Mutex::new(state) }
    }

    /// Returns the mark of the session's containers (`CreateOptions::session`).
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Counts a container that is about to be created.
    ///
    /// # Errors
    /// When the resource reaper was killed.
    pub fn created(&self) -> Result<()> {
        let mut state = self.state();
        if state.count == 0 {
            state.send(SOME_AGAIN)?;
        }
        state.count += 1;
        Ok(())
    }

    /// Counts a container that was removed, or could not be created.
    pub fn removed(&self) {
        let mut state = self.state();
        state.count = state.count.saturating_sub(1);
        if state.count == 0 {
            // A reaper that was killed removes nothing.
            let _ = state.send(NONE_LEFT);
        }
    }

    /// Keeps a container when this process exits.
    ///
    /// # Errors
    /// When the resource reaper was killed.
    pub fn keep(&self, id: &ContainerId) -> Result<()> {
        if let Some(containers) = &self.containers {
            let mark = containers.directory(id).file(KEPT);
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(false).mode(0o600);
            let made = record_file::open(&mark, options);
            made.context(|| format!("create `{}`", mark.display()))?;
        }
        self.state().send(id.as_str())?;
        self.removed();
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionState {
    fn send(&mut self, line: &str) -> Result<()> {
        let Some(reaper) = &mut self.reaper else { return Ok(()) };
        // One that is stopped reads nothing, and the pipe gets full.
        if !sys::poll::wait_writable(&[reaper.as_fd()], Some(ANSWER_TIMEOUT))?.contains(&true) {
            let message = format!("the process `{RESOURCE_REAPER}` has read nothing for 10 s");
            return Err(Error::new(Kind::Timeout, message)
                .hint("let it continue: pkill -CONT -f lifebox-reaper"));
        }
        reaper
            .write_all(format!("{line}\n").as_bytes())
            .context(|| format!("write to the process `{RESOURCE_REAPER}`"))
            .map_err(|error| error.hint("remove its containers: lifebox rm -f CONTAINER"))
    }
}

impl Runtime {
    /// Starts a session of this process, with its resource reaper.
    ///
    /// # Errors
    /// When the reaper cannot be started.
    pub fn start_session(&self) -> Result<ContainerSession> {
        let token = new_token()?;
        let (read_end, write_end) = sys::process::pipe()?;
        let child = Command::new("/proc/self/exe")
            .arg0(RESOURCE_REAPER)
            .arg(&self.root)
            .arg(&self.cgroup_parent)
            .arg(&token)
            .env_clear()
            .process_group(0)
            .stdin(Stdio::from(read_end))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context(|| format!("start `{RESOURCE_REAPER}`"))?;
        self.monitors.push(child);
        let state = SessionState { reaper: Some(File::from(write_end)), count: 0 };
        let containers = Some(self.containers.clone());
        Ok(ContainerSession { token, containers, state: Mutex::new(state) })
    }

    /// Finds the containers of sessions whose process and reaper were both killed. With `repair`,
    /// removes them.
    ///
    /// # Errors
    /// When the root can't be read.
    pub(super) fn ownerless(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let reapers = host::with_name(RESOURCE_REAPER);
        let is_reaped =
            |token: &str| reapers.iter().any(|(_, words)| words.iter().any(|word| word == token));
        let mut found = Vec::new();
        for (id, container) in self.ps()? {
            let Ok(container) = container else { continue };
            let Some(token) = container.spec.session.as_deref() else { continue };
            let kept = self.containers.directory(&id).file(KEPT).symlink_metadata().is_ok();
            // The reaper last: it removes what the end of the process leaves.
            if kept || !has_ended(token) || is_reaped(token) {
                continue;
            }
            let all = RemoveOptions { force: true, volumes: true };
            let remove = || CancelToken::new().and_then(|never| self.rm(&id, &all, &never));
            let what = format!("a container of a killed script: {}", container.state.name);
            found.push((what, Resolution::of_removal(options.repair.then(remove))));
        }
        Ok(found)
    }

    /// Removes the containers of a session that ended, except those in `kept`.
    fn remove_of_session(&self, token: &str, kept: &HashSet<String>) -> Result<()> {
        let never = CancelToken::new()?;
        let all = RemoveOptions { force: true, volumes: true };
        let mut failed = Ok(());
        for (id, container) in self.ps()? {
            let Ok(container) = container else { continue };
            let is_member = container.spec.session.as_deref() == Some(token);
            if !is_member || kept.contains(id.as_str()) {
                continue;
            }
            match self.rm(&id, &all, &never) {
                Ok(()) => {}
                Err(error) if error.kind() == Kind::NotFound => {
                    self.remove_unused_volumes(&container.spec.host_config.mounts.anonymous())?;
                }
                // The other containers are removed nevertheless.
                Err(error) => failed = Err(error),
            }
        }
        failed
    }
}

/// Returns the mark of a new session: it names this process, by id, start and PID namespace.
fn new_token() -> Result<String> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let unique = u64::from_le_bytes(host::random()?);
    Ok(format!("{own}-{}-{}-{unique:016x}", host::start_time(own), pid_namespace()))
}

/// Returns whether the process that a session's mark names has exited. One of another PID
/// namespace, or of an older version, may live.
fn has_ended(token: &str) -> bool {
    let words: Vec<&str> = token.split('-').collect();
    let [pid, start, namespace, _] = words.as_slice() else { return false };
    let (Ok(pid), Ok(start)) = (pid.parse(), start.parse::<u64>()) else { return false };
    namespace.parse::<u64>() == Ok(pid_namespace()) && host::start_time(pid) != start
}

fn pid_namespace() -> u64 {
    std::fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino())
}

/// Runs the resource reaper. Its arguments are the root, the parent cgroup and the session's token;
/// its standard input is the pipe whose other end the session's process holds.
pub(in crate::runtime) fn run() -> u8 {
    let mut arguments = std::env::args_os().skip(1);
    let words: [Option<OsString>; 3] = std::array::from_fn(|_| arguments.next());
    let [Some(root), Some(parent), Some(token)] = words else { return 1 };
    let Some(pipe) = sys::process::take_stdio(0) else { return 1 };
    sys::signal::ignore_hangups();
    sys::signal::leave_session();
    if sys::process::close_inherited(&[pipe.as_fd()]).is_err()
        || sys::process::detach_stdio().is_err()
    {
        return 1;
    }
    let kept = match listen(pipe) {
        Some(kept) => kept,
        None => return 0,
    };
    let runtime = Runtime::new(Path::new(&root), &parent.to_string_lossy());
    match runtime.remove_of_session(&token.to_string_lossy(), &kept) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// Reads until the session's process has exited. Returns the containers to keep; `None` if no
/// container is left.
fn listen(pipe: OwnedFd) -> Option<HashSet<String>> {
    let (mut kept, mut something) = (HashSet::new(), false);
    for line in BufReader::with_capacity(4096, File::from(pipe)).lines() {
        // A line that the death of that process cut off matches no container.
        match line.ok()?.as_str() {
            NONE_LEFT => something = false,
            SOME_AGAIN => something = true,
            id => {
                kept.insert(id.to_owned());
            }
        }
    }
    something.then_some(kept)
}
