//! The client of one registry: its connection, and the threads that use it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::Agent;

use super::address::Url;
use super::agent::agent;
use super::credential::Credentials;
use super::rights::Rights;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::model::observe::progress::{Access, Progress};
use crate::model::{Error, Kind, Result};

/// How often a waiting caller checks for cancellation.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// One registry. Copies are the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Registry(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    /// The domain in references: `docker.io`.
    pub(super) name: String,
    /// The base address, determined at the first request.
    pub(super) base: OnceLock<Url>,
    pub(super) access: Access,
    pub(super) agent: Agent,
    pub(super) rights: Rights,
    stopped: AtomicBool,
    pub(super) progress: Arc<dyn Progress>,
}

impl Registry {
    /// Returns the client of a reference's domain. Nothing is sent yet.
    ///
    /// # Errors
    /// When the trusted certificates of the host cannot be read.
    pub(crate) fn new(
        domain: &str,
        access: Access,
        credentials: Option<Credentials>,
        progress: Arc<dyn Progress>,
    ) -> Result<Registry> {
        Ok(Registry(Arc::new(Inner {
            name: domain.to_owned(),
            base: OnceLock::new(),
            access,
            agent: agent(domain, access)?,
            rights: Rights::new(credentials),
            stopped: AtomicBool::new(false),
            progress,
        })))
    }

    /// Returns the domain in references.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// Does `work` on another thread and waits for it. When `check` fails, it returns immediately
    /// and shuts the connections.
    ///
    /// # Errors
    /// Those of `work` and of `check`.
    pub(crate) fn run_cancellable<T: Send + 'static>(
        &self,
        check: CancelCheck<'_>,
        work: impl FnOnce(&Registry) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = sync_channel(1);
        let registry = self.clone();
        self.spawn(move || {
            // The caller may have been interrupted and no longer wait.
            let _ = sender.send(work(&registry));
        })?;
        loop {
            match receiver.recv_timeout(POLL_INTERVAL) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => check().inspect_err(|_| self.stop())?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::new(Kind::Bug, "a thread of a pull panicked"));
                }
            }
        }
    }

    /// Spawns a detached thread: it exits soon after [`Registry::stop`].
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = std::thread::Builder::new().name("registry".to_owned()).spawn(work);
        let spawned = thread.map_err(|error| Error::from_io("start a thread", &error));
        spawned.map(drop)
    }

    /// Cancels all requests permanently.
    pub(crate) fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.agent.clone().shutdown();
    }

    /// Fails after [`Registry::stop`].
    pub(crate) fn check(&self) -> Result<()> {
        match self.0.stopped.load(Ordering::SeqCst) {
            true => Err(Error::new(Kind::Cancelled, "interrupted")),
            false => Ok(()),
        }
    }

    /// Sleeps. Fails soon after [`Registry::stop`].
    pub(super) fn pause(&self, mut time: Duration) -> Result<()> {
        while !time.is_zero() {
            let part = time.min(POLL_INTERVAL);
            std::thread::sleep(part);
            time -= part;
            self.check()?;
        }
        self.check()
    }

    /// Returns whether this is another host than the registry's.
    pub(super) fn is_foreign_host(&self, url: &Url) -> bool {
        self.0.base.get().is_some_and(|base| !url.host().eq_ignore_ascii_case(base.host()))
    }
}
