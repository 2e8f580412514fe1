//! Reads the container's own `/etc/passwd` and `/etc/group`, inside.

use std::ffi::CStr;

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use crate::sys::mount;

/// The largest `/etc/passwd` or `/etc/group` that is read, in bytes.
const MAX_ACCOUNTS: usize = 1 << 20;

/// Reads `/etc/passwd` or `/etc/group` inside the container: a regular file and not too large, or
/// none (CVE-2024-9676: a fifo must not block init).
pub(crate) fn read(path: &CStr) -> Result<Vec<u8>, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let root = mount::open_directory(c"/")?;
    let file = match mount::open_in_root(&root, path, flags) {
        Ok(file) => file,
        // The file does not exist, or is a link that is dangling inside.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV) => return Ok(Vec::new()),
        // If its file cannot be read, a user must not become another one.
        Err(errno) => return Err(errno),
    };
    let status = rustix::fs::fstat(&file)?;
    let size = usize::try_from(status.st_size).unwrap_or(usize::MAX);
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile || size > MAX_ACCOUNTS {
        return Ok(Vec::new());
    }
    let mut content = vec![0; size];
    let mut filled = 0;
    while filled < size {
        match rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut content[filled..]))? {
            0 => break,
            count => filled += count,
        }
    }
    content.truncate(filled);
    Ok(content)
}
