//! Input of a program: bytes that its pipe or terminal does not take immediately are kept, and
//! while any are kept, no more input is read.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

/// The writing end of a program's standard input.
#[derive(Debug)]
pub(crate) struct StdinWriter {
    to: Option<OwnedFd>,
    pending: Vec<u8>,
    /// Whether to close it when all is written.
    closed: bool,
}

impl StdinWriter {
    /// Writes to `to`, which must not block.
    pub(crate) fn new(to: Option<OwnedFd>) -> Self {
        StdinWriter { to, pending: Vec::new(), closed: false }
    }

    /// Adds bytes; they are dropped if the program no longer reads.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.to.is_some() && !self.closed {
            self.pending.extend_from_slice(bytes);
            self.write();
        }
    }

    /// Closes standard input after the kept bytes.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.write();
    }

    /// Writes as much as the program takes now.
    pub(crate) fn write(&mut self) {
        while let Some(to) = self.to.as_ref().filter(|_| !self.pending.is_empty()) {
            match rustix::io::write(to, &self.pending) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    self.to = None;
                    self.pending.clear();
                }
            }
        }
        if self.closed {
            self.to = None;
        }
    }

    /// Returns the descriptor to poll for writing; `None` if no bytes are kept.
    pub(crate) fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        self.to.as_ref().filter(|_| !self.pending.is_empty()).map(AsFd::as_fd)
    }
}
