//! The requests to a running container: pause, unpause, stop, kill, resize, rename.

use std::time::Instant;

use super::state::Monitor;
use crate::model::container::options::StopTimeout;
use crate::model::container::phase::StopRecord;
use crate::model::container::status;
use crate::model::container::status::{Action, Status};
use crate::model::observe::event;
use crate::model::script::trace::ProcessRole;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::model::{Error, Result};
use crate::runtime::host;
use crate::runtime::protocol::{Reply, Request, Size};
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;
use crate::sys;

impl Monitor {
    pub(super) fn answer(&mut self, at: usize, request: Request) {
        let result = match request {
            Request::Pause => self.pause(),
            Request::HoldPaused => self.pause().inspect(|()| self.clients[at].holds_paused = true),
            Request::Unpause => self.unpause(),
            Request::Kill { signal } => {
                // Docker's `kill` with SIGKILL returns when the container has exited.
                self.clients[at].awaits_exit |=
                    signal == Signal::KILL && !self.clients[at].attached;
                self.record_stop(signal, None);
                self.signal(signal)
            }
            Request::Stop { signal, timeout, keep_container } => {
                self.clients[at].awaits_exit = true;
                self.keep_container |= keep_container;
                self.stop(signal, timeout)
            }
            Request::Wait => {
                self.clients[at].awaits_exit = true;
                return;
            }
            Request::Attach { stdin } => {
                self.clients[at].attached = true;
                self.clients[at].feeds_stdin = stdin;
                self.event(event::EventAction::Attach, &[]);
                Ok(())
            }
            Request::CloseStdin => {
                self.close_stdin();
                return;
            }
            Request::Rename { name } => self.rename(name),
            Request::Update { changes } => self.update(&changes),
            Request::Resize(size) => {
                self.resize(size);
                return;
            }
            Request::Start(_) | Request::Exec(_) | Request::Traced(_) => Ok(()),
            Request::Go => return,
        };
        match result {
            Err(error) => self.clients[at].reply(&Reply::Failed(error)),
            Ok(()) if self.clients[at].awaits_exit => {}
            Ok(()) => self.clients[at].reply(&Reply::Done),
        }
    }

    /// Pauses the container, or leaves it running if that cannot be recorded.
    pub(super) fn pause(&mut self) -> Result<()> {
        status::check(self.state.name.as_str(), self.state.status, Action::Pause)?;
        trace::traced(ProcessRole::Monitor, || Operation::Freeze, || self.cgroup.freeze())?;
        let before = (self.state.clone(), self.meter);
        self.stop_checks();
        self.measure(Status::Running);
        self.state.status = Status::Paused;
        if let Err(error) = self.write_state() {
            (self.state, self.meter) = before;
            self.schedule_check();
            self.cgroup.thaw()?;
            return Err(error);
        }
        self.event(event::EventAction::Pause, &[]);
        Ok(())
    }

    /// Unpauses the container, or leaves it paused if that cannot be recorded.
    pub(super) fn unpause(&mut self) -> Result<()> {
        status::check(self.state.name.as_str(), self.state.status, Action::Unpause)?;
        let before = (self.state.clone(), self.meter);
        self.thaw()?;
        if let Err(error) = self.write_state() {
            self.stop_checks();
            (self.state, self.meter) = before;
            self.cgroup.freeze()?;
            return Err(error);
        }
        self.event(event::EventAction::Unpause, &[]);
        Ok(())
    }

    /// Unpauses a container that must run, recorded or not: a signal ends it, or the client for
    /// which it was paused is gone.
    fn thaw_anyway(&mut self) -> Result<()> {
        self.thaw()?;
        self.record_or_retry();
        self.event(event::EventAction::Unpause, &[]);
        Ok(())
    }

    /// Unpauses a container that was paused for a client, which has disconnected.
    pub(super) fn end_hold(&mut self) {
        if self.state.status == Status::Paused {
            // A cgroup that cannot be thawed stays paused, as its record says.
            let _ = self.thaw_anyway();
        }
    }

    fn thaw(&mut self) -> Result<()> {
        trace::traced(ProcessRole::Monitor, || Operation::Thaw, || self.cgroup.thaw())?;
        self.measure(Status::Paused);
        self.state.status = Status::Running;
        self.clients.iter_mut().for_each(|client| client.holds_paused = false);
        self.schedule_check();
        Ok(())
    }

    pub(super) fn stop(&mut self, signal: Signal, grace: StopTimeout) -> Result<()> {
        self.restart_state.stopping = true;
        self.record_stop(signal, Some(grace));
        self.stop_requested_at = Some((sys::clock::monotonic(), grace));
        self.signal(signal)?;
        self.restart_state.stopped = true;
        if self.state.status == Status::Paused {
            self.thaw_anyway()?;
        }
        let deadline = match grace {
            StopTimeout::After(time) => Instant::now().checked_add(time),
            StopTimeout::NoLimit => None,
        };
        // Of two concurrent stops the shorter timeout counts.
        self.kill_at = [self.kill_at, deadline].into_iter().flatten().min();
        Ok(())
    }

    /// Kills the container when the stop timeout expires.
    pub(super) fn grace_expired(&mut self) {
        if let Some(stopped) = &mut self.state.stopped {
            stopped.killed = true;
        }
        let _ = self.signal(Signal::KILL);
    }

    /// Records how the container is stopped, for `why`. A later signal that ends it replaces an
    /// earlier one.
    pub(super) fn record_stop(&mut self, signal: Signal, grace: Option<StopTimeout>) {
        let Some(run) = &self.run else { return };
        // The init process of `--init` passes signals on: the program's disposition counts.
        let of_init =
            self.spec.host_config.namespaces.init.then(|| host::first_child(run.child.pid));
        let pid = of_init.flatten().unwrap_or(run.child.pid);
        self.state.stopped =
            Some(StopRecord::new(signal, grace, host::signal_disposition(pid, signal)));
    }

    /// Traces the wait for the exit.
    pub(super) fn trace_wait(&mut self) {
        if let Some((started, grace)) = self.stop_requested_at.take() {
            trace::record(ProcessRole::Monitor, || Operation::WaitForExit(grace), started);
        }
    }

    pub(super) fn resize(&self, size: Size) {
        if let Some(terminal) = self.run.as_ref().and_then(|run| run.terminal.as_ref()) {
            let _ = sys::terminal::set_size(terminal, size.rows, size.columns);
            let (height, width) = (size.rows.to_string(), size.columns.to_string());
            self.event(event::EventAction::Resize, &[("height", height), ("width", width)]);
        }
    }

    /// Renames the container.
    pub(super) fn rename(&mut self, name: ContainerName) -> Result<()> {
        let old = std::mem::replace(&mut self.state.name, name);
        if let Err(error) = self.write_state() {
            self.state.name = old;
            return Err(error);
        }
        self.event(event::EventAction::Rename, &event::rename_attributes(&old));
        Ok(())
    }

    /// Sends a signal. A signal that ends the container also unpauses it, or the signal would never
    /// be delivered; any other waits until the container is unpaused.
    pub(super) fn signal(&mut self, signal: Signal) -> Result<()> {
        let ends = signal == Signal::KILL || signal == self.spec.config.stop_signal();
        // Between two runs any signal means that no other run starts, as in Docker.
        self.restart_state.stopping |= ends || self.run.is_none();
        let Some(run) = &self.run else { return Ok(()) };
        let send = || sys::process::send_signal(&run.child.pidfd, signal.number());
        match trace::traced(ProcessRole::Monitor, || Operation::SendSignal(signal), send) {
            Ok(()) => {
                self.event(event::EventAction::Kill, &[("signal", signal.number().to_string())])
            }
            // The process has just exited.
            Err(rustix::io::Errno::SRCH) => {}
            Err(errno) => {
                return Err(Error::from_errno(format!("send {signal}"), errno.raw_os_error()));
            }
        }
        if ends && self.state.status == Status::Paused { self.thaw_anyway() } else { Ok(()) }
    }
}
