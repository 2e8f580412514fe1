//! Files by descriptor: openat2(2) and the `*at` family.
//!
//! A path here is relative to a directory that is held open, and names are bytes, because file
//! names are. Nothing follows a symbolic link, all descriptors are close-on-exec.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, Dev, FileType, FlockOperation, Gid, Mode, OFlags, RenameFlags, ResolveFlags, SeekFrom,
    Stat, Timespec, Timestamps, Uid, XattrFlags,
};
use rustix::io::Errno;

use crate::model::value::visible;
use crate::model::{Error, Result};

/// The type of a directory entry, from `st_mode`.
pub type Type = FileType;

/// The attributes that stat(2) returns.
pub type Attributes = Stat;

/// Formats a name or a path for a message.
fn show(name: &[u8]) -> String {
    visible::short(&String::from_utf8_lossy(name))
}

pub(in crate::sys) fn failed(call: &str, name: &[u8], errno: Errno) -> Error {
    Error::from_errno(format!("{call} `{}`", show(name)), errno.raw_os_error())
}

/// Where a path below a directory may lead.
const BENEATH: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_XDEV);

/// Wraps `openat(2)` of a directory by its path, which may contain links: for a trusted directory,
/// never for an untrusted name.
pub fn open_dir(path: &std::path::Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| {
        Error::from_errno(format!("open `{}`", path.display()), errno.raw_os_error())
    })
}

/// Wraps `openat2(2)` of a directory below `dir`: no link, no `..` above `dir`, no mount point. The
/// errno names the obstacle: `ELOOP` a link, `ENOTDIR` a file, `EXDEV` a mount.
pub fn open_dir_beneath(dir: impl AsFd, path: &[u8]) -> Result<OwnedFd> {
    let path = if path.is_empty() { b"." } else { path };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open_resolved(dir.as_fd(), path, flags, BENEATH)
}

/// Returns whether an open failed because no directory is where one was: there is nothing, a file
/// or a link.
pub fn is_replaced(error: &Error) -> bool {
    matches!(error.errno(), Some(libc::ENOENT | libc::ENOTDIR | libc::ELOOP))
}

/// Wraps `openat2(2)` of a regular file below `dir` for reading, with the same limits. Does not
/// block on a fifo.
pub fn open_file_beneath(dir: impl AsFd, path: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    open_resolved(dir.as_fd(), path, flags, BENEATH)
}

/// Wraps `openat2(2)`. `EAGAIN` (a rename raced the walk) is tried again, at most 128 times.
fn open_resolved(
    dir: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    resolve: ResolveFlags,
) -> Result<OwnedFd> {
    let mut opened = Err(Errno::AGAIN);
    for _ in 0..128 {
        opened = rustix::fs::openat2(dir, path, flags, Mode::empty(), resolve);
        if !matches!(opened, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    opened.map_err(|errno| failed("openat2", path, errno))
}

/// Where a path of a user's directory may lead: also over mount points.
const INSIDE: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);

/// As [`open_dir_beneath`], and crosses mount points: for a directory of a user.
pub fn open_dir_inside(dir: impl AsFd, path: &[u8]) -> Result<OwnedFd> {
    let path = if path.is_empty() { b"." } else { path };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open_resolved(dir.as_fd(), path, flags, INSIDE)
}

/// As [`open_file_beneath`], and crosses mount points: for a directory of a user.
pub fn open_file_inside(dir: impl AsFd, path: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    open_resolved(dir.as_fd(), path, flags, INSIDE)
}

/// Wraps `openat(2)` with `O_CREAT|O_EXCL|O_NOFOLLOW`: a new file, mode 0600.
pub fn create_file(dir: impl AsFd, name: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o600))
        .map_err(|errno| failed("create", name, errno))
}

/// Wraps `mkdirat(2)`: a new directory, mode 0700.
pub fn make_dir(dir: impl AsFd, name: &[u8]) -> Result<()> {
    rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(0o700))
        .map_err(|errno| failed("mkdir", name, errno))
}

/// Wraps `symlinkat(2)`: `target` is stored unchanged.
pub fn make_symlink(dir: impl AsFd, name: &[u8], target: &[u8]) -> Result<()> {
    rustix::fs::symlinkat(target, dir, name).map_err(|errno| failed("symlink", name, errno))
}

/// Wraps `linkat(2)` without following: `name` in `dir` becomes a hard link to `old`.
pub fn make_link(old_dir: impl AsFd, old: &[u8], dir: impl AsFd, name: &[u8]) -> Result<()> {
    rustix::fs::linkat(old_dir, old, dir, name, AtFlags::empty())
        .map_err(|errno| failed("link", name, errno))
}

/// Wraps `mknodat(2)`: a device or a fifo, mode 0600.
pub fn make_node(dir: impl AsFd, name: &[u8], kind: Type, major: u32, minor: u32) -> Result<()> {
    let device: Dev = rustix::fs::makedev(major, minor);
    rustix::fs::mknodat(dir, name, kind, Mode::from_raw_mode(0o600), device)
        .map_err(|errno| failed("mknod", name, errno))
}

/// Opens a fifo, without waiting for a writer. Fails with `ENXIO` if another process has put
/// something else in its place.
pub fn open_fifo(dir: impl AsFd, name: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fifo = rustix::fs::openat(dir, name, flags, Mode::empty());
    let fifo = fifo.map_err(|errno| failed("open", name, errno))?;
    let status = rustix::fs::fstat(&fifo).map_err(|errno| failed("stat", name, errno))?;
    if type_of(&status) == Type::Fifo { Ok(fifo) } else { Err(failed("open", name, Errno::NXIO)) }
}

/// Wraps `fstatat(2)` without following; `None` if there is no such entry.
pub fn stat(dir: impl AsFd, name: &[u8]) -> Result<Option<Attributes>> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(failed("stat", name, errno)),
    }
}

/// Wraps `fstat(2)`.
pub fn stat_fd(fd: impl AsFd) -> Result<Attributes> {
    rustix::fs::fstat(fd).map_err(|errno| Error::from_errno("fstat", errno.raw_os_error()))
}

/// Wraps `readlinkat(2)`.
pub fn read_link(dir: impl AsFd, name: &[u8]) -> Result<Vec<u8>> {
    rustix::fs::readlinkat(dir, name, Vec::new())
        .map(std::ffi::CString::into_bytes)
        .map_err(|errno| failed("readlink", name, errno))
}

/// Wraps `unlinkat(2)` of anything but a directory.
pub fn unlink(dir: impl AsFd, name: &[u8]) -> Result<()> {
    rustix::fs::unlinkat(dir, name, AtFlags::empty()).map_err(|errno| failed("unlink", name, errno))
}

/// Wraps `unlinkat(2)` of an empty directory.
pub fn remove_dir(dir: impl AsFd, name: &[u8]) -> Result<()> {
    rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR)
        .map_err(|errno| failed("rmdir", name, errno))
}

/// Returns the names in a directory, without `.` and `..`, in the order of the kernel.
pub fn names(dir: impl AsFd) -> Result<Vec<Vec<u8>>> {
    let failed = |errno: Errno| Error::from_errno("getdents", errno.raw_os_error());
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    Ok(names)
}

/// Sets the owner of an open file: `fchown(2)`. It clears set-id bits and file capabilities.
pub fn set_owner(fd: impl AsFd, uid: u32, gid: u32) -> Result<()> {
    rustix::fs::fchown(fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
        .map_err(|errno| Error::from_errno(format!("chown {uid}:{gid}"), errno.raw_os_error()))
}

/// Sets the owner of an entry itself, also of a link: `fchownat(2)`.
pub fn set_owner_at(dir: impl AsFd, name: &[u8], uid: u32, gid: u32) -> Result<()> {
    let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    rustix::fs::chownat(dir, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| failed("chown", name, errno))
}

/// Sets the twelve mode bits of an open file: `fchmod(2)`.
pub fn set_mode(fd: impl AsFd, mode: u32) -> Result<()> {
    rustix::fs::fchmod(fd, Mode::from_raw_mode(mode & 0o7777))
        .map_err(|errno| Error::from_errno(format!("chmod {mode:o}"), errno.raw_os_error()))
}

/// Sets the mode of an entry: `fchmodat(2)`, which follows a link. Only for a name that the caller
/// has just created, in a directory that no other user can write.
pub fn set_mode_at(dir: impl AsFd, name: &[u8], mode: u32) -> Result<()> {
    rustix::fs::chmodat(dir, name, Mode::from_raw_mode(mode & 0o7777), AtFlags::empty())
        .map_err(|errno| failed("chmod", name, errno))
}

fn times(seconds: i64, nanoseconds: u32) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}

/// Sets both times of an open file: `futimens(3)`.
pub fn set_times(fd: impl AsFd, seconds: i64, nanoseconds: u32) -> Result<()> {
    rustix::fs::futimens(fd, &times(seconds, nanoseconds))
        .map_err(|errno| Error::from_errno("utimensat", errno.raw_os_error()))
}

/// Sets both times of an entry itself, also of a link: `utimensat(2)`.
pub fn set_times_at(dir: impl AsFd, name: &[u8], seconds: i64, nanoseconds: u32) -> Result<()> {
    rustix::fs::utimensat(dir, name, &times(seconds, nanoseconds), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| failed("utimensat", name, errno))
}

/// Wraps `fsetxattr(2)`.
pub fn set_xattr(fd: impl AsFd, key: &str, value: &[u8]) -> Result<()> {
    rustix::fs::fsetxattr(fd, key, value, XattrFlags::empty())
        .map_err(|errno| Error::from_errno(format!("setxattr `{key}`"), errno.raw_os_error()))
}

/// Wraps `fgetxattr(2)`; `None` if there is no such attribute, or the file system does not support
/// it.
pub fn get_xattr(fd: impl AsFd, key: &str) -> Result<Option<Vec<u8>>> {
    let mut value = Vec::with_capacity(64 * 1024);
    match rustix::fs::fgetxattr(fd, key, rustix::buffer::spare_capacity(&mut value)) {
        Ok(_) => Ok(Some(value)),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(errno) => Err(Error::from_errno(format!("getxattr `{key}`"), errno.raw_os_error())),
    }
}

/// Wraps `fremovexattr(2)`.
pub fn remove_xattr(fd: impl AsFd, key: &str) -> Result<()> {
    rustix::fs::fremovexattr(fd, key)
        .map_err(|errno| Error::from_errno(format!("removexattr `{key}`"), errno.raw_os_error()))
}

/// Wraps `flistxattr(2)`: returns the keys that are UTF-8.
pub fn list_xattrs(fd: impl AsFd) -> Result<Vec<String>> {
    let mut keys = Vec::with_capacity(64 * 1024);
    match rustix::fs::flistxattr(fd, rustix::buffer::spare_capacity(&mut keys)) {
        Ok(_) => {}
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(errno) => return Err(Error::from_errno("listxattr", errno.raw_os_error())),
    }
    let keys = keys.split(|byte| *byte == 0).filter(|key| !key.is_empty());
    Ok(keys.filter_map(|key| String::from_utf8(key.to_vec()).ok()).collect())
}

/// Wraps `renameat2(2)` with `RENAME_NOREPLACE`. Returns false if `new` exists.
pub fn rename_new(old_dir: impl AsFd, old: &[u8], new_dir: impl AsFd, new: &[u8]) -> Result<bool> {
    match rustix::fs::renameat_with(old_dir, old, new_dir, new, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(false),
        Err(errno) => Err(failed("rename to", new, errno)),
    }
}

/// Wraps `renameat(2)`: `new` is replaced atomically.
pub fn rename(old_dir: impl AsFd, old: &[u8], new_dir: impl AsFd, new: &[u8]) -> Result<()> {
    rustix::fs::renameat(old_dir, old, new_dir, new)
        .map_err(|errno| failed("rename to", new, errno))
}

/// Wraps `renameat2(2)` with `RENAME_EXCHANGE`: both names always exist.
pub fn exchange(old_dir: impl AsFd, old: &[u8], new_dir: impl AsFd, new: &[u8]) -> Result<()> {
    rustix::fs::renameat_with(old_dir, old, new_dir, new, RenameFlags::EXCHANGE)
        .map_err(|errno| failed("exchange with", new, errno))
}

/// Tries an exclusive `flock(2)`; returns false if another process holds it.
pub fn try_lock(fd: impl AsFd) -> Result<bool> {
    let try_it = || rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive);
    match rustix::io::retry_on_intr(try_it) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(Error::from_errno("flock", errno.raw_os_error())),
    }
}

/// Wraps `lseek(2)` to an offset from the start.
pub fn seek(fd: impl AsFd, offset: u64) -> Result<()> {
    rustix::fs::seek(fd, SeekFrom::Start(offset))
        .map(drop)
        .map_err(|errno| Error::from_errno("lseek", errno.raw_os_error()))
}

/// Wraps `ftruncate(2)`; new bytes read as zeros and take no space.
pub fn set_length(fd: impl AsFd, length: u64) -> Result<()> {
    rustix::fs::ftruncate(fd, length)
        .map_err(|errno| Error::from_errno("ftruncate", errno.raw_os_error()))
}

/// Returns where a file has data, as (offset, length) in order: `SEEK_DATA` and `SEEK_HOLE` of
/// lseek(2). On a file system without holes that is one extent.
pub fn extents(fd: impl AsFd) -> Result<Vec<(u64, u64)>> {
    let mut found = Vec::new();
    let mut end = 0;
    let failed = |errno: Errno| Error::from_errno("lseek", errno.raw_os_error());
    loop {
        let start = match rustix::fs::seek(&fd, SeekFrom::Data(end)) {
            Ok(start) => start,
            Err(Errno::NXIO) => return Ok(found),
            Err(errno) => return Err(failed(errno)),
        };
        end = rustix::fs::seek(&fd, SeekFrom::Hole(start)).map_err(failed)?;
        found.push((start, end - start));
    }
}

/// Wraps `ioctl_ficlone(2)`: the empty file `to` shares the content of `from`, which takes no space
/// until one of them changes. Returns false if the file system does not support it.
pub fn share_content(from: impl AsFd, to: impl AsFd) -> bool {
    rustix::fs::ioctl_ficlone(to, from).is_ok()
}

/// Wraps `memfd_create(2)`: returns an open file without a path, with this content, at its
/// beginning.
pub fn memory_file(content: &[u8]) -> Result<OwnedFd> {
    let failed = |errno: Errno| Error::from_errno("memfd_create", errno.raw_os_error());
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let file = rustix::fs::memfd_create("lifebox", flags).map_err(failed)?;
    let mut left = content;
    while !left.is_empty() {
        left = &left[rustix::io::write(&file, left).map_err(failed)?..];
    }
    seek(&file, 0)?;
    Ok(file)
}

/// Wraps `fsync(2)`.
pub fn sync(fd: impl AsFd) -> Result<()> {
    rustix::fs::fsync(fd).map_err(|errno| Error::from_errno("fsync", errno.raw_os_error()))
}

/// Syncs a directory: what was renamed, linked or removed in it survives a power failure.
pub fn sync_dir(path: &std::path::Path) -> Result<()> {
    let directory = open_dir(path)?;
    rustix::fs::fsync(directory).map_err(|errno| {
        Error::from_errno(format!("sync `{}`", path.display()), errno.raw_os_error())
    })
}

/// Wraps `syncfs(2)`: all writes to the file system of `fd` are on disk.
pub fn sync_filesystem(fd: impl AsFd) -> Result<()> {
    rustix::fs::syncfs(fd).map_err(|errno| Error::from_errno("syncfs", errno.raw_os_error()))
}

/// Returns the free space of the file system of `fd`, in bytes: `fstatvfs(3)`.
pub fn free_space(fd: impl AsFd) -> Result<u64> {
    let space = rustix::fs::fstatvfs(fd)
        .map_err(|errno| Error::from_errno("fstatvfs", errno.raw_os_error()))?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Returns how many more files can be created on the file system of `fd`: `fstatvfs(3)`. `None` if
/// it has no fixed number.
pub fn free_inodes(fd: impl AsFd) -> Result<Option<u64>> {
    let space = rustix::fs::fstatvfs(fd)
        .map_err(|errno| Error::from_errno("fstatvfs", errno.raw_os_error()))?;
    Ok((space.f_files > 0).then_some(space.f_favail))
}

/// Returns the type of an entry, from `st_mode`.
pub fn type_of(attributes: &Attributes) -> Type {
    FileType::from_raw_mode(attributes.st_mode)
}

/// Returns whether an entry is a whiteout of overlayfs: a character device 0:0.
pub fn is_whiteout(attributes: &Attributes) -> bool {
    type_of(attributes) == FileType::CharacterDevice && attributes.st_rdev == 0
}
