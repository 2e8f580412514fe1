//! Makes the files that each container has besides those of its image: the mark by which programs
//! see that they are in a container, and `/etc/mtab`. Runs between clone and exec.

use std::os::fd::BorrowedFd;

use rustix::fs::{Mode, OFlags};

use super::rooted_path::create_directories;
use crate::model::container::marks::{IN_CONTAINER, MOUNTS_LINK};

/// Makes the marks below `root`. What the image has in their places stays. The start does not fail
/// for a mark that cannot be made, as on a full disk or where `/etc` is a link.
pub(super) fn make(root: BorrowedFd<'_>) {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let _ = rustix::fs::openat(root, IN_CONTAINER, flags, Mode::from_bits_truncate(0o755));
    if let Ok(directory) = create_directories(root, MOUNTS_LINK.directory) {
        let _ = rustix::fs::symlinkat(MOUNTS_LINK.target, directory, MOUNTS_LINK.name);
    }
}
