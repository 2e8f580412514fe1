//! Reads the container's own `/etc/passwd` and `/etc/group`, inside.

use std::ffi::CStr;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

/// The largest `/etc/passwd` or `/etc/group` that is read, in bytes.
const MAX_ACCOUNTS: usize = 1 << 20;

/// Reads a file of accounts inside the container: a regular file and not too large, or none
/// (CVE-2024-9676: a fifo there must not hang us).
pub(super) fn read(path: &CStr) -> Result<Vec<u8>, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(_) => return Ok(Vec::new()),
    };
    let status = rustix::fs::fstat(&file)?;
    let size = usize::try_from(status.st_size).unwrap_or(usize::MAX);
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile || size > MAX_ACCOUNTS {
        return Ok(Vec::new());
    }
    let mut content = vec![0; size];
    let mut filled = 0;
    while filled < size {
        match rustix::io::read(&file, &mut content[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    content.truncate(filled);
    Ok(content)
}
