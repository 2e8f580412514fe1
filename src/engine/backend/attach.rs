//! The caller's side of an attached container.

use std::fmt;
use std::io::Write;
use std::os::fd::BorrowedFd;

use crate::model::container::exec::DetachKeys;

/// The caller's side of an attached container.
pub struct Attach<'a> {
    /// Start it first, so that no output is lost. Fails if it runs already and this is set only by
    /// `run`; `start -a` of a running container attaches to it.
    pub start: bool,
    /// Forwarded to the container's standard input, if it keeps one open.
    pub stdin: Option<BorrowedFd<'a>>,
    /// Gets the container's standard output.
    pub stdout: &'a mut dyn Write,
    /// Gets the container's standard error.
    pub stderr: &'a mut dyn Write,
    /// Signals of this process are forwarded to the container (all but SIGCHLD, SIGPIPE, SIGURG).
    pub forward_signals: bool,
    /// The keys that detach from a container with a terminal; it runs on.
    pub detach_keys: DetachKeys,
    /// The caller's terminal, if there is one: a container's terminal gets its size.
    pub terminal: Option<BorrowedFd<'a>>,
}

impl<'a> Attach<'a> {
    /// Returns the options that start a container and take its output.
    pub fn to_output(stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        Attach {
            start: true,
            stdin: None,
            stdout,
            stderr,
            forward_signals: false,
            detach_keys: DetachKeys::default(),
            terminal: None,
        }
    }
}

impl fmt::Debug for Attach<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attach").field("start", &self.start).finish_non_exhaustive()
    }
}
