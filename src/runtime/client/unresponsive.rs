//! A monitor that does not answer: its process, and how to end the container without it.

use rustix::process::{Pid, PidfdFlags};

use super::runtime::Runtime;
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind};
use crate::runtime::host;
use crate::runtime::protocol::role_names;
use crate::sys;

impl Runtime {
    /// Returns the process id of a container's monitor.
    pub(super) fn monitor_of(&self, id: &ContainerId) -> Option<i32> {
        let monitors = host::with_name(role_names::MONITOR).into_iter();
        let mut ours =
            monitors.filter(|(_, words)| words.get(1).is_some_and(|it| it == id.as_str()));
        ours.next().map(|(pid, _)| pid)
    }

    /// Returns whether a container's monitor runs, and is not stopped.
    pub(super) fn monitor_works(&self, id: &ContainerId) -> bool {
        self.monitor_of(id).is_some_and(|pid| host::state_of(pid) == "running")
    }

    /// Returns the error of a monitor that does not answer.
    pub(super) fn no_answer(&self, id: &ContainerId) -> Error {
        let Some(pid) = self.monitor_of(id) else {
            let message = format!("another command has been changing `{}` for 10 s", id.short());
            return Error::new(Kind::Timeout, message).hint(
                "look for it, and end it or let it continue: ps -C lifebox -o pid,stat,args",
            );
        };
        let state = host::state_of(pid);
        let message = format!(
            "the monitor of `{}` has not answered within 10 s: process {pid}, {state}",
            id.short()
        );
        let hint = match state {
            "stopped" => format!("let it continue: kill -CONT {pid}"),
            _ => format!("remove the container: lifebox rm -f {}", id.short()),
        };
        Error::new(Kind::Timeout, message).hint(hint).container(id.short(), None)
    }

    /// Kills a monitor that does not answer: the kernel kills its container with it, and the next
    /// claim removes the rest by the cgroup. Returns whether there was one.
    pub(super) fn kill_monitor(&self, id: &ContainerId) -> bool {
        let Some(pid) = self.monitor_of(id) else { return false };
        let opened = Pid::from_raw(pid)
            .and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok());
        // The descriptor may refer to a process that reused the id: looked up again.
        opened.filter(|_| self.monitor_of(id) == Some(pid)).is_some_and(|monitor| {
            sys::process::send_signal(&monitor, Signal::KILL.number()).is_ok()
        })
    }
}
