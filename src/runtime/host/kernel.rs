//! What the kernel of this host is and can do.

use crate::model::Result;
use crate::sys;

/// Returns the host name.
pub fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Returns the id of the present boot.
pub fn boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

/// Returns whether overlay takes layers one by one (Linux 6.8).
pub(crate) fn has_lowerdir_append() -> bool {
    kernel_version() >= (6, 8)
}

/// Returns whether an overlay may leave out all syncs (Linux 5.10).
pub(crate) fn has_volatile_overlay() -> bool {
    kernel_version() >= (5, 10)
}

/// Returns how many layers a root may be stacked of. overlayfs takes 500; older kernels take them
/// as one text that must fit into a page (mount(2)), with some 85 bytes for each.
pub fn max_layers() -> usize {
    if has_lowerdir_append() { 400 } else { 45 }
}

/// Returns the kernel's version, major and minor; (0, 0) if its release has none.
pub(crate) fn kernel_version() -> (u32, u32) {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy();
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Returns random bytes of the kernel.
///
/// # Errors
/// Only before the kernel has any, early at boot.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    sys::random()
}
