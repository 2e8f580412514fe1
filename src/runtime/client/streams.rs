//! The caller's streams, which an attached container or an exec is connected to.

use std::fs::File;
use std::io::Write;
use std::os::fd::BorrowedFd;

use crate::model::container::exec::DetachKeys;
use crate::runtime::protocol::Size;
use crate::sys;

/// The caller's streams.
pub struct Streams<'a> {
    /// Forwarded to the container, if it keeps its standard input open.
    pub stdin: Option<BorrowedFd<'a>>,
    /// Gets the container's standard output.
    pub stdout: &'a mut dyn Write,
    /// Gets the container's standard error.
    pub stderr: &'a mut dyn Write,
    /// Whether signals of this process are forwarded; never with a terminal.
    pub forward_signals: bool,
    /// The keys that detach from a container with a terminal.
    pub detach_keys: DetachKeys,
    /// The caller's terminal, whose size is the container's.
    pub terminal: Option<BorrowedFd<'a>>,
}

impl Streams<'_> {
    /// Returns the size of the caller's terminal.
    pub(crate) fn size(&self) -> Option<Size> {
        let (rows, columns) = sys::terminal::size(self.terminal?)?;
        Some(Size { rows, columns })
    }
}

impl std::fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// Input on its way from the caller to the container.
pub(crate) struct StdinForwarder<'a> {
    pub(super) from: BorrowedFd<'a>,
    /// The container's standard input; `None` if input goes over the connection.
    pub(super) to: Option<File>,
    pub(super) pending: Vec<u8>,
}

impl<'a> StdinForwarder<'a> {
    /// Returns a forwarder over the connection.
    pub(crate) fn by_frames(from: BorrowedFd<'a>) -> Self {
        StdinForwarder { from, to: None, pending: Vec::new() }
    }
}
