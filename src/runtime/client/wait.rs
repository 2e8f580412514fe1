//! `wait`: the exit code of a container, which may be removed as soon as it has one.

use std::time::{Duration, Instant};

use super::runtime::{Claim, Runtime};
use super::watch::Work;
use crate::model::container::status::Status;
use crate::model::observe::event::{self, EventOptions};
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::protocol::connection::Awaited;
use crate::runtime::protocol::{Reply, Request};

impl Runtime {
    /// Waits until a container exits. Returns its exit code, immediately if it does not run.
    ///
    /// # Errors
    /// [`Kind::Timeout`] or [`Kind::Cancelled`].
    pub fn wait(
        &self,
        id: &ContainerId,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<i32> {
        self.wait_on(id, timeout, cancel, false)
    }

    /// As [`Runtime::wait`], of a container that the caller has seen running if `was_running`: the
    /// events tell the exit code of one that was removed since.
    pub(super) fn wait_on(
        &self,
        id: &ContainerId,
        timeout: Option<Duration>,
        cancel: &CancelToken,
        mut was_running: bool,
    ) -> Result<i32> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            match self.claim(id) {
                // It was created with `--rm`: its monitor has removed it, or was killed, and then
                // another command has.
                Err(error) if was_running && error.kind() == Kind::NotFound => {
                    let code = self.exit_code_from_events(id);
                    return Ok(code.unwrap_or(Signal::KILL.exit_code()));
                }
                Err(error) => return Err(error),
                Ok(Claim::Stopped(_, state)) => return Ok(state.exit_code),
                Ok(Claim::Running(mut connection)) => {
                    was_running = true;
                    let request = (&Request::Wait, Work::Run);
                    let cancel = Some(cancel);
                    match self.ask_patiently(&mut connection, id, request, deadline, cancel)? {
                        Awaited::Reply(Reply::Exited { code }) => return Ok(code),
                        Awaited::NotYet => return Err(still_running(id, timeout)),
                        // It has just exited, so the claim is repeated.
                        Awaited::Reply(_) | Awaited::Closed => {}
                    }
                }
            }
        }
    }

    /// Returns the exit code of a container's last run from the events.
    fn exit_code_from_events(&self, id: &ContainerId) -> Option<i32> {
        let mut events = self.containers.journal().read(&EventOptions::ends_of(id)).ok()?;
        let never = CancelToken::new().ok()?;
        let events = std::iter::from_fn(|| events.next_event(None, &never).ok().flatten());
        event::last_exit_code(id, events)
    }
}

fn still_running(id: &ContainerId, timeout: Option<Duration>) -> Error {
    let seconds = timeout.unwrap_or_default().as_secs_f64();
    Error::new(
        Kind::Timeout,
        format!("container `{}` has not exited within {seconds} s", id.short()),
    )
    .container(id.short(), Some(Status::Running.as_str()))
}
