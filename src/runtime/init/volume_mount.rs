//! Mounts the device of a volume on the volume's directory. Only this mount namespace has it, so it
//! goes with the container; a tmpfs is taken over from another container of the volume that runs.
//!
//! Runs between clone and exec, like `init`.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::rooted_path;
use crate::runtime::plan::VolumeMount;
use crate::sys::mount;

/// A tmpfs that all containers of a volume share while one of them runs. The caller has locked
/// the volume.
#[derive(Debug)]
pub struct SharedVolume {
    /// The record, which begins with device and inode of the tmpfs.
    pub record: OwnedFd,
    /// Device and inode of the tmpfs that is there.
    pub identity: (u64, u64),
    /// The containers that have it: mount namespace, and target.
    pub holders: Vec<(OwnedFd, CString)>,
}

impl SharedVolume {
    /// Returns all its descriptors.
    pub fn descriptors(&self) -> impl Iterator<Item = &OwnedFd> {
        std::iter::once(&self.record).chain(self.holders.iter().map(|(namespace, _)| namespace))
    }
}

/// Mounts the device of a volume, as a file system that was opened for it or is shared with other
/// containers.
pub(super) fn mount(
    volume: &VolumeMount,
    opened: &[OwnedFd],
    shared: &[SharedVolume],
) -> Result<(), Errno> {
    let place = mount::open_directory(&volume.target)?;
    let shared = volume.shared.and_then(|index| shared.get(index));
    match (volume.bind, volume.opened.and_then(|index| opened.get(index)), shared) {
        (Some(view), ..) => mount::attach(mount::open_view(&volume.source, None, view)?, place),
        (None, Some(opened), _) => mount::attach(opened, place),
        (None, None, Some(shared)) => mount::attach(memory(volume, shared)?, place),
        (None, None, None) => mount::attach(create(volume)?, place),
    }
}

/// Opens the file system of a volume, as a detached mount.
pub fn create(volume: &VolumeMount) -> Result<OwnedFd, Errno> {
    mount::filesystem(&volume.fstype, &volume.source, &volume.settings, volume.attributes)
}

/// Returns a copy of the tmpfs of another container, or a new one, which is recorded. `ESTALE` if
/// the containers have hidden theirs.
fn memory(volume: &VolumeMount, shared: &SharedVolume) -> Result<OwnedFd, Errno> {
    for (namespace, target) in &shared.holders {
        if let Ok(copy) = copy_of(namespace.as_fd(), target, shared.identity) {
            // The other container may have it read-only.
            mount::replace_attributes(&copy, volume.attributes)?;
            return Ok(copy);
        }
    }
    if !shared.holders.is_empty() {
        return Err(Errno::STALE);
    }
    let new = create(volume)?;
    let (device, inode) = identity(new.as_fd())?;
    let bytes = [device.to_le_bytes(), inode.to_le_bytes()].concat();
    match rustix::io::pwrite(&shared.record, &bytes, 0)? {
        written if written == bytes.len() => Ok(new),
        _ => Err(Errno::NOSPC),
    }
}

/// Copies the mount at `target` of a container. What it has there may be another mount by now, and
/// its links may lead elsewhere: only the tmpfs of this identity is taken.
fn copy_of(
    namespace: BorrowedFd<'_>,
    target: &CStr,
    expected: (u64, u64),
) -> Result<OwnedFd, Errno> {
    rooted_path::in_namespace(namespace, |root| {
        let place = mount::open_in_root(root, target, OFlags::PATH | OFlags::DIRECTORY)?;
        match identity(place.as_fd())? == expected {
            true => mount::clone_of(place),
            false => Err(Errno::STALE),
        }
    })
}

fn identity(file: BorrowedFd<'_>) -> Result<(u64, u64), Errno> {
    let status = rustix::fs::fstat(file)?;
    Ok((status.st_dev, status.st_ino))
}
