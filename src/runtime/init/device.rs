//! Devices in a user namespace: bind-mounted, not created. Runs between clone and exec.

use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::rooted_path::create_directories;
use crate::runtime::plan::DeviceNode;
use crate::sys::mount::{self, Attributes};

/// Bind-mounts a device of the host at the same path below `root`, if it is the device that its
/// name promises.
pub fn bind_device(root: BorrowedFd<'_>, device: &DeviceNode) -> Result<(), Errno> {
    let (path, (major, minor)) = (device.path.as_c_str(), device.number);
    let host = mount::open_directory(c"/")?;
    let node = mount::open_beneath(host, path, OFlags::PATH)?;
    let status = rustix::fs::fstat(&node)?;
    if FileType::from_raw_mode(status.st_mode) != device.kind
        || status.st_rdev != rustix::fs::makedev(major, minor)
    {
        return Err(Errno::NODEV);
    }
    let source = mount::clone_of(node)?;
    let attributes = Attributes::MOUNT_ATTR_NOSUID | Attributes::MOUNT_ATTR_NOEXEC;
    mount::add_attributes(&source, attributes)?;
    let directory = create_directories(root, &device.directory)?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let place = rustix::fs::openat(
        directory,
        device.name.as_c_str(),
        flags,
        Mode::from_bits_truncate(0o666),
    )?;
    mount::attach(source, place)
}
