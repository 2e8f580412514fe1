//! A flag that ends what is under way: raised by Ctrl-C, by a time limit or by another thread.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::model::{Error, Kind, Result};
use crate::sys;

/// A shared flag that can be polled together with file descriptors. Copies are the same flag.
#[derive(Clone, Debug)]
pub struct Cancel {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    raised: AtomicBool,
    /// Readable while the flag is raised.
    event: OwnedFd,
}

impl Cancel {
    /// A flag that is not raised.
    ///
    /// # Errors
    /// When no file descriptor is left.
    pub fn new() -> Result<Self> {
        let inner = Inner { raised: AtomicBool::new(false), event: sys::event::eventfd()? };
        Ok(Cancel { inner: Arc::new(inner) })
    }

    /// Ends what waits for it, and what will.
    pub fn raise(&self) {
        self.inner.raised.store(true, Ordering::SeqCst);
        sys::event::signal(&self.inner.event);
    }

    /// Takes the flag down again: the next call starts afresh.
    pub fn clear(&self) {
        self.inner.raised.store(false, Ordering::SeqCst);
        sys::event::drain(&self.inner.event);
    }

    /// Whether it is raised.
    pub fn is_raised(&self) -> bool {
        self.inner.raised.load(Ordering::Relaxed)
    }

    /// Fails with the kind `cancelled` if it is raised.
    ///
    /// # Errors
    /// [`Kind::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.is_raised() { Err(Error::new(Kind::Cancelled, "interrupted")) } else { Ok(()) }
    }

    /// Sleeps for `duration`, or until it is raised.
    ///
    /// # Errors
    /// [`Kind::Cancelled`] when it is raised.
    pub fn sleep(&self, duration: Duration) -> Result<()> {
        sys::event::wait_readable(&[self.as_fd()], Some(duration))?;
        self.check()
    }

    /// From now on Ctrl-C (SIGINT) raises this flag instead of ending the process. The first flag
    /// given: a process has one handler, so the first flag stays.
    ///
    /// # Errors
    /// When the handler can't be installed.
    pub fn raise_on_interrupt(&self) -> Result<()> {
        let flag = self.clone();
        sys::signal::on_interrupt(Box::new(move || flag.raise()))
    }

    /// The same for all signals that ask the process to end: SIGINT, SIGTERM and SIGHUP. A second
    /// SIGTERM or SIGHUP ends it at once.
    ///
    /// # Errors
    /// When a handler can't be installed.
    pub fn raise_on_end(&self) -> Result<()> {
        let flag = self.clone();
        sys::signal::on_end(Box::new(move || flag.raise()))
    }

    /// The exit code after the signal that raised a flag: 128 and its number, 130 for Ctrl-C.
    pub fn exit_code() -> u8 {
        let number = sys::signal::came().and_then(|number| u8::try_from(number).ok());
        number.unwrap_or(2).saturating_add(128)
    }
}

/// Readable while the flag is raised.
impl AsFd for Cancel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.event.as_fd()
    }
}
