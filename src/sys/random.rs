//! Random bytes: getrandom(2).

use crate::model::{Error, Result};

/// Wraps `getrandom(2)`.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let count = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|errno| Error::from_errno("getrandom", errno.raw_os_error()))?;
    // Up to 256 bytes are always returned in full.
    debug_assert_eq!(count, N);
    Ok(bytes)
}
