//! Files that an engine adds to each container, as Docker and Podman do. Those that the container
//! leaves as they are belong to no change of it.

use std::ffi::CStr;

/// The empty file by which programs see that they are in a container; in the root.
pub const IN_CONTAINER: &CStr = c".dockerenv";
/// The link that old programs read the mounts from: its directory, its name, and what it contains.
pub const MOUNTS_LINK: MarkLink =
    MarkLink { directory: c"etc", name: c"mtab", path: b"etc/mtab", target: c"/proc/mounts" };

/// A symbolic link that an engine adds.
#[derive(Clone, Copy, Debug)]
pub struct MarkLink {
    /// Its directory, relative to the root.
    pub directory: &'static CStr,
    /// Its name there.
    pub name: &'static CStr,
    /// Both together.
    pub path: &'static [u8],
    /// What it contains.
    pub target: &'static CStr,
}
