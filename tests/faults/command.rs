//! Runs a command of the engine within a limit of time, and keeps what it printed.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// How a command ended: its exit code, or the negative number of the signal that killed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The code of a command that did not end in time.
pub const HANGS: i32 = -1000;

/// Files that take what a command prints, so that nothing has to read meanwhile.
pub struct Captured {
    out: File,
    err: File,
}

impl Captured {
    pub fn new(command: &mut Command) -> Self {
        let captured =
            Captured { out: tempfile::tempfile().unwrap(), err: tempfile::tempfile().unwrap() };
        command.stdin(std::process::Stdio::null());
        command.stdout(captured.out.try_clone().unwrap());
        command.stderr(captured.err.try_clone().unwrap());
        captured
    }

    pub fn ran(mut self, code: i32) -> Ran {
        let text = |file: &mut File| {
            let mut bytes = Vec::new();
            file.rewind().unwrap();
            file.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Ran { code, out: text(&mut self.out), err: text(&mut self.err) }
    }
}

/// A command that runs.
pub struct Running {
    child: Child,
    captured: Captured,
}

impl Running {
    pub fn begin(mut command: Command) -> Self {
        let captured = Captured::new(&mut command);
        Running { child: command.spawn().unwrap(), captured }
    }

    /// Waits for the end; what goes on for longer than `limit` is killed.
    pub fn end(mut self, limit: Duration) -> Ran {
        let pidfd = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty()).unwrap();
        let seconds = i64::try_from(limit.as_secs()).unwrap();
        let timeout = Timespec { tv_sec: seconds, tv_nsec: limit.subsec_nanos().into() };
        let ready = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout)).unwrap_or(0);
        if ready == 0 {
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        }
        let status = self.child.wait().unwrap();
        let code = status.code().or(status.signal().map(|signal| -signal)).unwrap_or(-1);
        self.captured.ran(if ready == 0 { HANGS } else { code })
    }
}

/// Runs a command to its end; what goes on for longer than `limit` is killed.
pub fn run(command: Command, limit: Duration) -> Ran {
    Running::begin(command).end(limit)
}

/// The first line of what a command said, cut.
pub fn first_line(ran: &Ran) -> String {
    let line = ran.err.lines().next().or(ran.out.lines().next()).unwrap_or_default();
    line.chars().take(160).collect()
}
