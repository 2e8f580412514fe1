//! Writes the container's record, and writes it again until it is true.
//!
//! A change that a client requests and that cannot be recorded is undone by its verb. What has
//! happened, such as an exit, cannot be undone: the monitor tries again until it is recorded.

use std::time::{Duration, Instant};

use super::state::Monitor;
use crate::model::script::trace::ProcessRole;
use crate::model::{Error, Result};
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;
use crate::sys;

/// How long to wait before a record is written again, or a restart tried again.
pub(super) const RETRY: Duration = Duration::from_millis(500);

/// Returns whether a failure ends by itself, or by what the user does about it: no room, no memory,
/// no descriptor.
pub(super) fn may_pass(error: &Error) -> bool {
    const PASSING: [i32; 9] = [
        libc::ENOSPC,
        libc::EDQUOT,
        libc::EFBIG,
        libc::EIO,
        libc::EROFS,
        libc::ENOMEM,
        libc::EAGAIN,
        libc::EMFILE,
        libc::ENFILE,
    ];
    error.errno().is_some_and(|errno| PASSING.contains(&errno))
}

impl Monitor {
    /// Replaces `state.json`. Covers all changes until now.
    pub(super) fn write_state(&mut self) -> Result<()> {
        let write = || self.directory.write_state(&self.state);
        let written = || match write() {
            Err(error) if matches!(error.errno(), Some(libc::EMFILE | libc::ENFILE)) => {
                sys::process::with_spare_descriptor(write)
            }
            written => written,
        };
        trace::traced(ProcessRole::Monitor, || Operation::WriteState, written)?;
        self.record_again_at = None;
        Ok(())
    }

    /// Records what has happened, now or as soon as that is possible.
    pub(super) fn record_or_retry(&mut self) {
        let written = self.write_state();
        let missing = written.is_err_and(|error| may_pass(&error));
        self.record_again_at = missing.then(|| Instant::now() + RETRY);
    }

    /// Writes the record again, if one is missing and it is time.
    pub(super) fn retry_record(&mut self) {
        if self.record_again_at.is_some_and(|at| Instant::now() >= at) {
            self.record_or_retry();
        }
    }

    /// Records the end of the container. Until then the monitor lives and holds the lock, so that
    /// no other process records a guess; its clients need not wait.
    pub(super) fn record_end(&mut self, code: i32) {
        self.record_or_retry();
        while self.record_again_at.is_some() {
            self.reply_exited(code);
            let ready = self.poll();
            self.handle(ready);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_may_pass_and_a_missing_program_does_not() {
        assert!(may_pass(&Error::from_errno("write", libc::ENOSPC).context("cannot start")));
        assert!(!may_pass(&Error::from_errno("execve", libc::ENOENT)));
    }
}
