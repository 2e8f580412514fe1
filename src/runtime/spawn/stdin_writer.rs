//! Input on its way to a program: what its pipe or terminal does not take at once is kept, and as
//! long as something is kept nobody is asked for more.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

/// The writing end of a program's standard input.
#[derive(Debug)]
pub(crate) struct StdinWriter {
    to: Option<OwnedFd>,
    pending: Vec<u8>,
    /// Close it when all is written.
    closed: bool,
}

impl StdinWriter {
    /// Writes to `to`, which must not block.
    pub(crate) fn new(to: Option<OwnedFd>) -> Self {
        StdinWriter { to, pending: Vec::new(), closed: false }
    }

    /// Takes bytes; they are lost where the program reads no more.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.to.is_some() && !self.closed {
            self.pending.extend_from_slice(bytes);
            self.write();
        }
    }

    /// Nothing more comes.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.write();
    }

    /// Writes as much as is taken now.
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

    /// What is to be polled for writing: something is kept.
    pub(crate) fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        self.to.as_ref().filter(|_| !self.pending.is_empty()).map(AsFd::as_fd)
    }
}
