//! The errno of the last call through libc.

use rustix::io::Errno;

/// Returns the error of the last libc call of this thread.
pub(super) fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
