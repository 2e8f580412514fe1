//! The end of a container whose monitor was killed.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::io::Errno;

use crate::model::container::State;
use crate::model::value::signal::Signal;
use crate::model::{Error, Result};
use crate::runtime::host;
use crate::sys::poll;
use crate::sys::process;

/// How long a killed process may take to exit.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// Kills a container by its first process, because it may have no cgroup; the kernel kills the rest
/// of the PID namespace. The process can have outlived its monitor only if it ran a program of
/// another user (set-user-ID).
pub(in crate::runtime) fn kill_orphan(state: &State) -> Result<()> {
    let Some(pid) = rustix::process::Pid::from_raw(state.pid) else { return Ok(()) };
    let Ok(process) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else {
        return Ok(());
    };
    if host::start_time(state.pid) != state.pid_start {
        return Ok(());
    }
    match process::send_signal(&process, Signal::KILL.number()) {
        Ok(()) => poll::wait_readable(&[process.as_fd()], Some(KILL_TIMEOUT)).map(drop),
        Err(Errno::SRCH) => Ok(()),
        Err(errno) => {
            let what = format!("kill process {} of `{}`", state.pid, state.name);
            Err(Error::from_errno(what, errno.raw_os_error())
                .hint(format!("kill it as root: sudo kill -KILL {}", state.pid)))
        }
    }
}
