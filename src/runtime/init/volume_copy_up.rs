//! Copies what the image has at a new volume's target into the volume: content, owners, modes,
//! times, extended attributes.
//!
//! Runs between clone and exec, in the container's mount namespace: the image's tree is seen
//! through its root alone, and all is done by descriptor without following links. Only a new and
//! empty volume is filled (CVE-2020-1726 overwrote data of users). Two containers that start with
//! it wait for each other; a copy that was interrupted is removed and started again.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, Stat, Timespec, Timestamps,
    XattrFlags,
};
use rustix::io::Errno;

use crate::runtime::record::volumes::EMPTY_MARK;
use crate::sys::mount;
/// The mark in a volume's directory of a copy that is not finished.
const COPYING_MARK: &CStr = c"filling";

const CHUNK: usize = 1 << 20;

/// Fills the volume with the directory `volume` from `target` inside `root`, if it is new.
pub fn copy_up(volume: &CStr, root: BorrowedFd<'_>, target: &CStr) -> Result<(), Errno> {
    let directory = open_dir(CWD, volume)?;
    rustix::fs::flock(&directory, FlockOperation::LockExclusive)?;
    let data = open_dir(&directory, c"_data")?;
    if rustix::fs::accessat(&directory, COPYING_MARK, rustix::fs::Access::EXISTS, AtFlags::empty())
        .is_ok()
    {
        empty(data.as_fd())?;
    } else {
        if !names(data.as_fd())?.is_empty() {
            return clear_mark(&directory, EMPTY_MARK);
        }
        match rustix::fs::renameat(&directory, EMPTY_MARK, &directory, COPYING_MARK) {
            Err(Errno::NOENT) => return Ok(()),
            result => result?,
        }
    }
    // If the image does not have the target, the volume stays empty.
    if let Ok(place) = mount::open_in_root(root, target, OFlags::PATH)
        && let Ok(source) = open_dir(&place, c".")
    {
        let mut copy = Copy { links: HashMap::new(), data: data.as_fd() };
        copy.directory(source.as_fd(), data.as_fd(), &mut Vec::new())?;
    }
    clear_mark(&directory, COPYING_MARK)
}

fn clear_mark(directory: &OwnedFd, mark: &CStr) -> Result<(), Errno> {
    match rustix::fs::unlinkat(directory, mark, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

fn open_dir(dir: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

fn names(dir: BorrowedFd<'_>) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let name = entry?.file_name().to_owned();
        if name.as_c_str() != c"." && name.as_c_str() != c".." {
            names.push(name);
        }
    }
    Ok(names)
}

fn empty(dir: BorrowedFd<'_>) -> Result<(), Errno> {
    for name in names(dir)? {
        match rustix::fs::unlinkat(dir, &name, AtFlags::empty()) {
            Err(Errno::ISDIR) => {
                empty(open_dir(dir, &name)?.as_fd())?;
                rustix::fs::unlinkat(dir, &name, AtFlags::REMOVEDIR)?;
            }
            result => result?,
        }
    }
    Ok(())
}

/// A copy in progress.
struct Copy<'a> {
    /// The first path of each file with several names, relative to `data`.
    links: HashMap<(u64, u64), CString>,
    data: BorrowedFd<'a>,
}

impl Copy<'_> {
    /// Copies the content of `from` to the empty directory `to`, and the attributes of `from`.
    /// `path` leads from the volume's top to `to`.
    fn directory(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        path: &mut Vec<u8>,
    ) -> Result<(), Errno> {
        for name in names(from)? {
            let length = path.len();
            if length > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(name.to_bytes());
            self.entry(from, to, &name, path)?;
            path.truncate(length);
        }
        let like = rustix::fs::fstat(from)?;
        copy_attributes(from, to, &like)
    }

    fn entry(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &CStr,
        path: &mut Vec<u8>,
    ) -> Result<(), Errno> {
        let like = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(like.st_mode);
        if kind != FileType::Directory && like.st_nlink > 1 {
            let path_here = CString::new(path.as_slice()).map_err(|_| Errno::INVAL)?;
            match self.links.get(&(like.st_dev, like.st_ino)) {
                Some(first) => {
                    return rustix::fs::linkat(self.data, first, to, name, AtFlags::empty());
                }
                None => drop(self.links.insert((like.st_dev, like.st_ino), path_here)),
            }
        }
        let private = Mode::from_bits_truncate(0o700);
        match kind {
            FileType::Directory => {
                rustix::fs::mkdirat(to, name, private)?;
                let (from, to) = (open_dir(from, name)?, open_dir(to, name)?);
                self.directory(from.as_fd(), to.as_fd(), path)
            }
            FileType::RegularFile => file(from, to, name, &like),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(from, name, Vec::new())?;
                rustix::fs::symlinkat(&target, to, name)?;
                copy_attributes_at(to, name, &like)
            }
            FileType::Fifo | FileType::CharacterDevice | FileType::BlockDevice => {
                // A device never works in a volume; without the right to create it, it is skipped.
                match rustix::fs::mknodat(to, name, kind, private, like.st_rdev) {
                    Err(Errno::PERM) => return Ok(()),
                    result => result?,
                }
                copy_attributes_at(to, name, &like)?;
                rustix::fs::chmodat(to, name, mode_of(&like), AtFlags::empty())
            }
            // A socket is useless without the process that listens on it.
            _ => Ok(()),
        }
    }
}

fn file(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr, like: &Stat) -> Result<(), Errno> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let source = rustix::fs::openat(from, name, flags | OFlags::RDONLY, Mode::empty())?;
    let new = flags | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let copy = rustix::fs::openat(to, name, new, Mode::from_bits_truncate(0o600))?;
    loop {
        match rustix::fs::copy_file_range(&source, None, &copy, None, CHUNK) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            // Between two file systems, or on one without reflinks.
            Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => {
                read_and_write(&source, &copy)?;
                break;
            }
            Err(errno) => return Err(errno),
        }
    }
    copy_attributes(source.as_fd(), copy.as_fd(), like)
}

fn read_and_write(source: &OwnedFd, copy: &OwnedFd) -> Result<(), Errno> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match rustix::io::read(source, &mut buffer) {
            Ok(0) => return Ok(()),
            Err(Errno::INTR) => continue,
            result => result?,
        };
        let mut left = &buffer[..count];
        while !left.is_empty() {
            match rustix::io::write(copy, left) {
                Ok(written) => left = &left[written..],
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

fn mode_of(like: &Stat) -> Mode {
    Mode::from_raw_mode(like.st_mode & 0o7777)
}

fn times_of(like: &Stat) -> Timestamps {
    let time = |seconds, nanoseconds: u64| Timespec {
        tv_sec: seconds,
        tv_nsec: i64::try_from(nanoseconds).unwrap_or_default(),
    };
    Timestamps {
        last_access: time(like.st_atime, like.st_atime_nsec),
        last_modification: time(like.st_mtime, like.st_mtime_nsec),
    }
}

fn owner_of(like: &Stat) -> (Option<rustix::fs::Uid>, Option<rustix::fs::Gid>) {
    let (uid, gid) =
        (rustix::fs::Uid::from_raw(like.st_uid), rustix::fs::Gid::from_raw(like.st_gid));
    (Some(uid), Some(gid))
}

/// Copies attributes. The owner first, because a change of owner clears set-id bits and file
/// capabilities.
fn copy_attributes(from: BorrowedFd<'_>, to: BorrowedFd<'_>, like: &Stat) -> Result<(), Errno> {
    let (uid, gid) = owner_of(like);
    rustix::fs::fchown(to, uid, gid)?;
    rustix::fs::fchmod(to, mode_of(like))?;
    attributes(from, to)?;
    rustix::fs::futimens(to, &times_of(like))
}

fn copy_attributes_at(to: BorrowedFd<'_>, name: &CStr, like: &Stat) -> Result<(), Errno> {
    let (uid, gid) = owner_of(like);
    rustix::fs::chownat(to, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
    rustix::fs::utimensat(to, name, &times_of(like), AtFlags::SYMLINK_NOFOLLOW)
}

/// Copies the extended attributes that images may have: file capabilities, attributes of users,
/// access lists. Those of overlayfs have no meaning outside of it.
fn attributes(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut keys = Vec::with_capacity(64 * 1024);
    match rustix::fs::flistxattr(from, rustix::buffer::spare_capacity(&mut keys)) {
        Err(Errno::OPNOTSUPP) => return Ok(()),
        result => result?,
    };
    for key in keys.split(|b| *b == 0).filter(|key| !key.is_empty()) {
        let user = key.starts_with(b"user.") && !key.starts_with(b"user.overlay.");
        let access = key.starts_with(b"system.posix_acl_");
        if !(user || access || key == b"security.capability") {
            continue;
        }
        let mut value = Vec::with_capacity(64 * 1024);
        rustix::fs::fgetxattr(from, key, rustix::buffer::spare_capacity(&mut value))?;
        match rustix::fs::fsetxattr(to, key, &value, XattrFlags::empty()) {
            // The file system of the volumes does not support them.
            Err(Errno::OPNOTSUPP) => {}
            result => result?,
        }
    }
    Ok(())
}
