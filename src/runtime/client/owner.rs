//! Containers that go with the process that made them, however it ends.
//!
//! A process that is killed can tidy nothing up. So before it makes the first such container it
//! starts a keeper, a small process that holds the other end of a pipe. The containers are marked
//! in their spec, by whoever makes them and before they are there; so none can slip through. When
//! the pipe closes, the keeper removes those that are left.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::pipe::PipeFlags;

use super::runtime::Runtime;
use crate::model::error::Context;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::host;
use crate::runtime::protocol::role::RESOURCE_REAPER;
use crate::sys;

/// What the owner says when it has removed all that was its own.
const NONE_LEFT: &str = "nothing";
/// What it says before it makes one again.
const SOME_AGAIN: &str = "something";

/// This process as the owner of containers: those made with its [`token`](Session::token) are
/// removed when it ends, unless it keeps them.
#[derive(Debug)]
pub struct Session {
    token: String,
    state: Mutex<SessionState>,
}

/// What the keeper knows.
#[derive(Debug)]
struct SessionState {
    /// The keeper reads the other end; without one nobody watches.
    keeper: Option<File>,
    /// How many containers there are, or are going to be.
    count: usize,
}

impl Session {
    /// An owner whose end nobody watches, for an engine that runs nothing.
    pub fn without_reaper() -> Self {
        Session::new("nobody".to_owned(), None)
    }

    fn new(token: String, keeper: Option<File>) -> Self {
        Session { token, state: Mutex::new(SessionState { keeper, count: 0 }) }
    }

    /// What marks its containers (`CreateOptions::owner`).
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A container is going to be made.
    ///
    /// # Errors
    /// When the keeper was killed.
    pub fn created(&self) -> Result<()> {
        let mut told = self.state();
        if told.count == 0 {
            told.send(SOME_AGAIN)?;
        }
        told.count += 1;
        Ok(())
    }

    /// A container was not made after all, or is gone.
    pub fn removed(&self) {
        let mut told = self.state();
        told.count = told.count.saturating_sub(1);
        if told.count == 0 {
            // A keeper that was killed removes nothing.
            let _ = told.send(NONE_LEFT);
        }
    }

    /// A container is to stay when this process ends.
    ///
    /// # Errors
    /// When the keeper was killed.
    pub fn keep(&self, id: &ContainerId) -> Result<()> {
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
        let Some(keeper) = &mut self.keeper else { return Ok(()) };
        keeper
            .write_all(format!("{line}\n").as_bytes())
            .context(|| format!("tell `{RESOURCE_REAPER}`"))
            .map_err(|error| error.hint("it was killed: what is left, `rm -f` removes"))
    }
}

impl Runtime {
    /// Makes this process an owner of containers, and starts its keeper.
    ///
    /// # Errors
    /// When no process can be made.
    pub fn start_session(&self) -> Result<Session> {
        let token = u64::from_le_bytes(host::random()?);
        let token = format!("{}-{token:016x}", std::process::id());
        let (theirs, ours) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
            .map_err(|errno| Error::from_errno("pipe", errno.raw_os_error()))?;
        let child = Command::new("/proc/self/exe")
            .arg0(RESOURCE_REAPER)
            .arg(&self.root)
            .arg(&self.cgroup_parent)
            .arg(&token)
            .env_clear()
            .process_group(0)
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context(|| format!("start `{RESOURCE_REAPER}`"))?;
        self.monitors.push(child);
        Ok(Session::new(token, Some(File::from(ours))))
    }

    /// Removes the containers of an owner that is gone, but for those in `kept`.
    fn remove_of_session(&self, token: &str, kept: &HashSet<String>) -> Result<()> {
        let never = CancelToken::new()?;
        let mut failed = Ok(());
        for (id, container) in self.ps()? {
            let Ok(container) = container else { continue };
            let owned = container.spec.session.as_deref() == Some(token);
            if !owned || kept.contains(id.as_str()) {
                continue;
            }
            // One that can't be removed must not keep the others.
            match self.rm(&id, true, &never) {
                Err(error) if error.kind() != Kind::NotFound => failed = Err(error),
                _ => self.remove_unused_volumes(&container.spec.host.mounts.anonymous())?,
            }
        }
        failed
    }
}

/// The life of a keeper. Its arguments are the root, the parent cgroup and the owner's token; its
/// standard input is the pipe whose other end the owner holds.
pub(in crate::runtime) fn run() -> u8 {
    let mut arguments = std::env::args_os().skip(1);
    let words: [Option<OsString>; 3] = std::array::from_fn(|_| arguments.next());
    let [Some(root), Some(parent), Some(token)] = words else { return 1 };
    let Some(pipe) = sys::process::take_stdio(0) else { return 1 };
    sys::signal::ignore_hangups();
    let _ = rustix::process::setsid();
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

/// Listens until the owner is gone. What is to be kept then; `None` where nothing is left.
fn listen(pipe: OwnedFd) -> Option<HashSet<String>> {
    let (mut kept, mut something) = (HashSet::new(), false);
    for line in BufReader::with_capacity(4096, File::from(pipe)).lines() {
        // A line that was cut off by the owner's death says nothing.
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
