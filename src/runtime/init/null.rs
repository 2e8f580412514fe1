//! Opens the container's own `/dev/null`, and no substitute.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use crate::sys::{mount, process};

/// Opens `/dev/null` as standard input. A fifo that a container put there must not block init.
pub(super) fn open_input() -> Result<(), Errno> {
    let root = mount::open_directory(c"/")?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    process::dup_to(open(root.as_fd(), flags)?, 0)
}

/// Opens `/dev/null` of a root, and nothing else of that name (CVE-2025-31133).
pub(super) fn open(root: BorrowedFd<'_>, flags: OFlags) -> Result<OwnedFd, Errno> {
    let null = mount::open_beneath(root, c"dev/null", flags)?;
    let status = rustix::fs::fstat(&null)?;
    let is_device = FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice;
    match is_device && status.st_rdev == rustix::fs::makedev(1, 3) {
        true => Ok(null),
        false => Err(Errno::NODEV),
    }
}
