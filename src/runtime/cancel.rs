//! Cancellation: a flag set by Ctrl-C, by a time limit or by another thread.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::model::{Error, Kind, Result};
use crate::sys;

/// A shared flag that can be polled together with file descriptors. Copies are the same flag.
#[derive(Clone, Debug)]
pub struct CancelToken {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    cancelled: AtomicBool,
    /// Readable while the token is cancelled.
    event: OwnedFd,
    parents: Option<Parents>,
}

/// The ancestors of a child token.
#[derive(Debug)]
struct Parents {
    /// The direct parent.
    parent: CancelToken,
    /// Readable while the token or one of its ancestors is cancelled.
    any: OwnedFd,
}

impl CancelToken {
    /// Returns a token that is not cancelled.
    ///
    /// # Errors
    /// When no file descriptor is left.
    pub fn new() -> Result<Self> {
        let event = sys::poll::eventfd()?;
        let inner = Inner { cancelled: AtomicBool::new(false), event, parents: None };
        Ok(CancelToken { inner: Arc::new(inner) })
    }

    /// Returns a child token: cancelled with this one, or alone.
    ///
    /// # Errors
    /// When no file descriptor is left.
    pub fn child(&self) -> Result<Self> {
        let event = sys::poll::eventfd()?;
        // All events in one set, because the kernel limits how deep epoll sets may be nested
        // (epoll(7)).
        let mut events = vec![event.as_fd()];
        let mut next = Some(self);
        while let Some(flag) = next {
            events.push(flag.inner.event.as_fd());
            next = flag.inner.parents.as_ref().map(|above| &above.parent);
        }
        let any = sys::poll::any_of(&events)?;
        let above = Some(Parents { parent: self.clone(), any });
        let inner = Inner { cancelled: AtomicBool::new(false), event, parents: above };
        Ok(CancelToken { inner: Arc::new(inner) })
    }

    /// Cancels the token.
    pub fn cancel(&self) {
        self.inner.cancelled.store(true, Ordering::SeqCst);
        sys::poll::signal(&self.inner.event);
    }

    /// Resets the token: the next call starts afresh.
    pub fn reset(&self) {
        self.inner.cancelled.store(false, Ordering::SeqCst);
        sys::poll::drain(&self.inner.event);
    }

    /// Returns whether the token is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::Relaxed)
            || self.inner.parents.as_ref().is_some_and(|above| above.parent.is_cancelled())
    }

    /// Fails with the kind `cancelled` if the token is cancelled.
    ///
    /// # Errors
    /// [`Kind::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::new(Kind::Cancelled, "interrupted")) } else { Ok(()) }
    }

    /// Sleeps for `duration`, or until the token is cancelled.
    ///
    /// # Errors
    /// [`Kind::Cancelled`] when the token is cancelled.
    pub fn sleep(&self, duration: Duration) -> Result<()> {
        sys::poll::wait_readable(&[self.as_fd()], Some(duration))?;
        self.check()
    }

    /// Lets Ctrl-C (SIGINT) cancel this token instead of ending the process. A process has one
    /// handler, so the token of the first call stays.
    ///
    /// # Errors
    /// When the handler can't be installed.
    pub fn cancel_on_interrupt(&self) -> Result<()> {
        let flag = self.clone();
        sys::signal::on_interrupt(Box::new(move || flag.cancel()))
    }

    /// As [`CancelToken::cancel_on_interrupt`], for SIGINT, SIGTERM and SIGHUP. A signal that comes
    /// while the token is still cancelled ends the process immediately.
    ///
    /// # Errors
    /// When a handler can't be installed.
    pub fn cancel_on_signal(&self) -> Result<()> {
        let flag = self.clone();
        sys::signal::on_termination(Box::new(move || {
            if flag.is_cancelled() {
                sys::process::exit_now(i32::from(CancelToken::exit_code()));
            }
            flag.cancel();
        }))
    }

    /// Returns the exit code after the signal that cancelled a token: 128 and its number, 130 for
    /// Ctrl-C.
    pub fn exit_code() -> u8 {
        let number = sys::signal::last_signal().and_then(|number| u8::try_from(number).ok());
        number.unwrap_or(2).saturating_add(128)
    }
}

/// Readable while the token is cancelled.
impl AsFd for CancelToken {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.inner.parents {
            Some(above) => above.any.as_fd(),
            None => self.inner.event.as_fd(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(flag: &CancelToken) -> bool {
        flag.sleep(Duration::ZERO).is_err_and(|error| error.kind() == Kind::Cancelled)
    }

    #[test]
    fn a_flag_of_a_part_answers_to_all_above_it() {
        let whole = CancelToken::new().unwrap();
        let mut deepest = whole.child().unwrap();
        let sibling = whole.child().unwrap();
        for _ in 0..8 {
            deepest = deepest.child().unwrap();
        }
        assert!(!ends(&deepest));
        sibling.cancel();
        assert!(ends(&sibling) && !ends(&deepest) && !ends(&whole));
        whole.cancel();
        let waiting = deepest.sleep(Duration::from_secs(60));
        assert_eq!(waiting.unwrap_err().kind(), Kind::Cancelled);
        whole.reset();
        assert!(ends(&sibling) && !ends(&deepest));
    }
}
