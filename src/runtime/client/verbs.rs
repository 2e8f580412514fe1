//! The verbs that the monitor carries out while it lives: pause, unpause, kill, stop, rename;
//! and logs.

use super::followed_log::FollowedLog;
use super::request_timeout::request_timeout;
use super::runtime::{Claim, Runtime, refuse};
use super::watch::{Watch, Work};
use crate::model::container::State;
use crate::model::container::logging::LogDriver;
use crate::model::container::options::StopOptions;
use crate::model::container::status::{self, Action};
use crate::model::observe::event;
use crate::model::observe::log::LogOptions;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::log::reader::Reader;
use crate::runtime::protocol::Request;
use crate::runtime::protocol::connection::Connection;

impl Runtime {
    /// Pauses a container.
    ///
    /// # Errors
    /// [`Kind::Refused`] unless it is running.
    pub fn pause(&self, id: &ContainerId) -> Result<()> {
        self.request_or(id, &Request::Pause, None, |_| (), |_, state| refuse(&state, Action::Pause))
    }

    /// Pauses a container until the result is dropped, or this process exits, however it does.
    ///
    /// # Errors
    /// As [`Runtime::pause`].
    pub fn hold_paused(&self, id: &ContainerId) -> Result<PausedHold> {
        loop {
            match self.claim(id)? {
                Claim::Stopped(_lock, state) => refuse(&state, Action::Pause)?,
                Claim::Running(mut connection) => {
                    // No reply: it has just exited, so the claim is repeated.
                    if self.ask(&mut connection, id, &Request::HoldPaused, None)?.is_some() {
                        return Ok(PausedHold(connection));
                    }
                }
            }
        }
    }

    /// Unpauses a container.
    ///
    /// # Errors
    /// [`Kind::Refused`] unless it is paused.
    pub fn unpause(&self, id: &ContainerId) -> Result<()> {
        self.request_or(
            id,
            &Request::Unpause,
            None,
            |_| (),
            |_, state| refuse(&state, Action::Unpause),
        )
    }

    /// Sends a signal to a container's first process.
    ///
    /// # Errors
    /// [`Kind::Refused`] unless it runs or is paused.
    pub fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        let request = Request::Kill { signal };
        self.request_or(id, &request, None, |_| (), |_, state| refuse(&state, Action::Kill))
    }

    /// Stops a container; nothing to do for one that does not run.
    ///
    /// # Errors
    /// [`Kind::Cancelled`]: the container is stopped nevertheless.
    pub fn stop(
        &self,
        id: &ContainerId,
        options: &StopOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        self.request_stop(id, options, false, cancel)
    }

    /// As [`Runtime::stop`], and does not remove a container that was created with `--rm`.
    pub(super) fn stop_to_restart(
        &self,
        id: &ContainerId,
        options: &StopOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        self.request_stop(id, options, true, cancel)
    }

    fn request_stop(
        &self,
        id: &ContainerId,
        options: &StopOptions,
        keep_container: bool,
        cancel: &CancelToken,
    ) -> Result<()> {
        let spec = self
            .containers
            .directory(id)
            .read_spec()
            .map_err(|error| self.not_found_or(id, error))?;
        let signal = options.signal.unwrap_or_else(|| spec.config.stop_signal());
        let timeout = options.timeout.or(spec.config.stop_timeout).unwrap_or_default();
        let request = Request::Stop { signal, timeout, keep_container };
        self.request_or(id, &request, Some(cancel), |_| (), |_, state| refuse(&state, Action::Stop))
    }

    /// Renames a container.
    ///
    /// # Errors
    /// [`Kind::Exists`] if the name is in use, [`Kind::Invalid`] if it is the present one.
    pub fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()> {
        let directory = self.containers.directory(id);
        // Held to the end: a name that parts from its record under the lock is left over.
        let names = self.containers.lock_names()?;
        let now = directory.read_state().map_err(|error| self.not_found_or(id, error))?.name;
        if now == *name {
            // A killed rename may have left the old name, or none: it is finished.
            if !self.containers.mend_names(&names, id, name, true)?.is_empty() {
                return self.containers.sync();
            }
            let message = format!("renaming container `{name}` to its present name");
            return Err(Error::new(Kind::Invalid, message).hint("choose another name"));
        }
        self.containers.claim_name_locked(&names, name, id)?;
        let request = Request::Rename { name: name.clone() };
        let renamed = self.request_or(
            id,
            &request,
            None,
            |_| (),
            |_lock, state| {
                if state.name == *name {
                    return Ok(());
                }
                let old = state.name.clone();
                status::check(old.as_str(), state.status, Action::Rename)?;
                directory.write_state(&State { name: name.clone(), ..state })?;
                self.event(id, event::EventAction::Rename, &event::rename_attributes(&old));
                Ok(())
            },
        );
        // The record counts: a monitor may have been killed between its record and its answer.
        let recorded = match directory.read_state() {
            Ok(state) => state.name,
            // It was lost, and removed for its `--rm`.
            Err(error) if error.kind() == Kind::NotFound => {
                self.containers.free_name(name, id)?;
                return renamed;
            }
            Err(_) => now,
        };
        self.containers.mend_names(&names, id, &recorded, true)?;
        if recorded != *name {
            return renamed;
        }
        directory.sync(&["state.json"])?;
        self.containers.sync()
    }

    /// Opens the log of a container.
    ///
    /// # Errors
    /// When the log can't be read.
    pub fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<FollowedLog> {
        let directory = self.containers.directory(id);
        let state = directory.read_state().map_err(|error| self.not_found_or(id, error))?;
        status::check(state.name.as_str(), state.status, Action::Logs)?;
        if let Ok(spec) = directory.read_spec()
            && spec.host_config.supervision.log_driver == LogDriver::None
        {
            let message = "configured logging driver does not support reading";
            return Err(Error::new(Kind::Unsupported, message)
                .hint("create the container with --log-driver json-file"));
        }
        let (mut monitor, mut watch) = (None, None);
        if options.follow && !options.across_restarts && state.status.is_live() {
            // The reader ends when the monitor exits, which is after the last restart.
            monitor = Connection::open(&directory)?;
            let peer = monitor.as_ref().and_then(Connection::peer);
            watch = peer.map(|peer| (id.clone(), Watch::new(Some(peer), Work::Run)));
        }
        let monitor = monitor.map(Connection::into_stream);
        let reader = Reader::open(&directory.file("log.jsonl"), options, monitor)
            .map_err(|error| self.not_found_or(id, error))?;
        Ok(FollowedLog { reader, watch })
    }
}

/// A pause that ends with the connection to the monitor.
#[derive(Debug)]
pub struct PausedHold(Connection);

impl Drop for PausedHold {
    fn drop(&mut self) {
        // The container may have been killed or unpaused meanwhile.
        let _ = self.0.request(&Request::Unpause, request_timeout(&Request::Unpause), None);
    }
}
