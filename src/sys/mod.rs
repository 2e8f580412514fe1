//! How to ask the kernel. The only room with unsafe code: thin, safe, one function per call.
//!
//! A wrapper makes no policy. It sets safe defaults (close-on-exec, no-follow), retries `EINTR`
//! where that is right, and names the call with its arguments when it fails.

pub mod bpf;
pub mod clock;
pub mod fs;
pub mod identity;
pub mod memory;
pub mod mount;
pub mod net;
pub mod poll;
pub mod process;
pub mod seccomp;
pub mod signal;
pub mod terminal;
pub mod try_in_child;
pub mod userns;

use crate::model::{Error, Result};

/// Wraps `getrandom(2)`.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let count = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|errno| Error::from_errno("getrandom", errno.raw_os_error()))?;
    // Up to 256 bytes always come whole.
    debug_assert_eq!(count, N);
    Ok(bytes)
}
