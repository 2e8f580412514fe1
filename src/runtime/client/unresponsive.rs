//! A monitor that does not answer: its process, and how to end the container without it.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use rustix::process::{Pid, PidfdFlags};

use super::request_timeout::ANSWER_TIMEOUT;
use super::runtime::{LONGEST_PAUSE, Runtime};
use super::watch::{Watch, Work};
use crate::model::container::State;
use crate::model::container::options::StopTimeout;
use crate::model::container::status::Status;
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::host;
use crate::runtime::protocol::connection::{Awaited, Connection};
use crate::runtime::protocol::{Request, role_names};
use crate::sys::process_state::ProcessState;
use crate::sys::{self, record_file};

impl Runtime {
    /// Sends a request that may take as long as a program runs, and waits for the reply. Ends when
    /// the process that is to answer has not moved for 10 s.
    ///
    /// # Errors
    /// The monitor's error, [`Kind::Cancelled`], or [`Kind::Timeout`], which names that process.
    pub(super) fn ask_patiently(
        &self,
        connection: &mut Connection,
        id: &ContainerId,
        (request, work): (&Request, Work),
        deadline: Option<Instant>,
        cancel: Option<&CancelToken>,
    ) -> Result<Awaited> {
        connection.send_traced(request);
        let mut watch = Watch::new(connection.peer(), work);
        loop {
            let until = deadline.into_iter().chain([watch.next_look()]).min();
            match connection.await_reply(until, cancel)? {
                Awaited::NotYet if deadline.is_none_or(|deadline| Instant::now() < deadline) => {}
                awaited => return Ok(awaited),
            }
            if let Some(process) = watch.look() {
                return Err(stuck(id, &process));
            }
        }
    }

    /// Returns the process id of a container's monitor.
    pub(super) fn monitor_of(&self, id: &ContainerId) -> Option<i32> {
        let monitors = host::with_name(role_names::MONITOR).into_iter();
        let mut ours =
            monitors.filter(|(_, words)| words.get(1).is_some_and(|it| it == id.as_str()));
        ours.next().map(|(pid, _)| pid)
    }

    /// Returns whether a container's monitor runs, and is not stopped.
    pub(super) fn monitor_works(&self, id: &ContainerId) -> bool {
        let monitor = self.monitor_of(id).and_then(ProcessState::of);
        monitor.is_some_and(|monitor| matches!(monitor.letter, 'R' | 'S') && !monitor.is_held())
    }

    /// Returns the error of a monitor that does not answer.
    pub(super) fn no_answer(&self, id: &ContainerId) -> Error {
        match self.monitor_of(id).and_then(ProcessState::of) {
            Some(monitor) => stuck(id, &monitor),
            // A client in the middle of a verb holds the lock.
            None => {
                let lock = record_file::open_lock(&self.directory(id).file("lock")).ok();
                sys::lock::is_held(lock.as_ref(), &format!("container `{}` has", id.short()))
            }
        }
    }

    /// Ends a container whose monitor does not answer or cannot be reached: a stop lets its first
    /// process end within the timeout. Returns whether the container has ended, or its monitor was
    /// killed.
    pub(super) fn end_without_monitor(
        &self,
        id: &ContainerId,
        request: &Request,
        cancel: Option<&CancelToken>,
    ) -> bool {
        let Request::Stop { signal, timeout, .. } = request else { return self.kill_monitor(id) };
        self.stop_init(id, *signal, *timeout, cancel) || self.kill_monitor(id)
    }

    /// Sends a signal to a container's first process and waits until the process has exited, at
    /// most for `timeout`. Returns whether the container's monitor has recorded the exit.
    fn stop_init(
        &self,
        id: &ContainerId,
        signal: Signal,
        timeout: StopTimeout,
        cancel: Option<&CancelToken>,
    ) -> bool {
        let Ok(state) = self.directory(id).read_state() else { return false };
        let Some(init) = open_init(&state) else { return false };
        if sys::process::send_signal(&init, signal.number()).is_err() {
            return false;
        }
        if state.status == Status::Paused {
            // A frozen process takes no signal.
            let _ = self.cgroup(id).and_then(|cgroup| cgroup.thaw());
        }
        let limit = match timeout {
            StopTimeout::After(time) => time,
            // No wait for what the monitor does not do is without a bound.
            StopTimeout::NoLimit => ANSWER_TIMEOUT,
        };
        let awaited: Vec<_> =
            std::iter::once(init.as_fd()).chain(cancel.map(AsFd::as_fd)).collect();
        let exited = sys::poll::wait_readable(&awaited, Some(limit));
        exited.is_ok_and(|readable| readable[0]) && self.has_recorded_end(id, &state)
    }

    /// Waits until a container's monitor has recorded the exit of this run, and ended. Returns
    /// false if the monitor does not get to it, or starts the next run: it knows of no stop.
    fn has_recorded_end(&self, id: &ContainerId, run: &State) -> bool {
        let directory = self.directory(id);
        let until = Instant::now() + ANSWER_TIMEOUT;
        while Instant::now() < until {
            match directory.try_lock() {
                Ok(None) => {}
                Ok(Some(_)) => return true,
                Err(_) => return !directory.path().exists(),
            }
            let now = directory.read_state();
            let is_next = now.is_ok_and(|now| now.status.is_live() && now.pid != run.pid);
            let monitor = self.monitor_of(id).and_then(ProcessState::of);
            if is_next || monitor.is_some_and(|monitor| monitor.is_held()) {
                return false;
            }
            std::thread::sleep(LONGEST_PAUSE);
        }
        false
    }

    /// Kills a monitor that does not answer: the kernel kills its container with it, and the next
    /// claim removes the rest by the cgroup. Returns whether there was one.
    pub(super) fn kill_monitor(&self, id: &ContainerId) -> bool {
        let Some(pid) = self.monitor_of(id) else { return false };
        // One that is still being started need not die with the monitor yet.
        let children = host::children(pid);
        let opened = Pid::from_raw(pid)
            .and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok());
        // The descriptor may refer to a process that reused the id: looked up again.
        opened.filter(|_| self.monitor_of(id) == Some(pid)).is_some_and(|monitor| {
            let killed = sys::process::send_signal(&monitor, Signal::KILL.number()).is_ok();
            for child in children {
                let _ = sys::process::kill_by_number(child);
            }
            killed
        })
    }
}

/// Opens a container's first process; `None` if it has exited.
fn open_init(state: &State) -> Option<OwnedFd> {
    let init = rustix::process::pidfd_open(Pid::from_raw(state.pid)?, PidfdFlags::empty()).ok()?;
    // The descriptor may refer to a process that reused the id.
    (host::start_time(state.pid) == state.pid_start).then_some(init)
}

/// Returns the error of a wait for a process that does not move.
pub(super) fn stuck(id: &ContainerId, process: &ProcessState) -> Error {
    let message =
        format!("container `{}` has not answered within 10 s: it waits for {process}", id.short());
    let hint = match process.letter {
        'T' | 't' => format!("let it continue: kill -CONT {}", process.pid),
        _ => format!("remove the container: lifebox rm -f {}", id.short()),
    };
    Error::new(Kind::Timeout, message).hint(hint).container(id.short(), None)
}
