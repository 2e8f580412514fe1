//! A new volume takes what the image has where it is mounted: content, owners, modes, times,
//! extended attributes.
//!
//! Runs between clone and exec, in the container's own mount namespace: the image's tree is seen
//! through its root alone, and all is done by descriptor without following links. Only a volume
//! that was just made and is empty is filled (CVE-2020-1726 overwrote data of users). Two
//! containers that begin with it wait for each other, and what a killed one has half filled is
//! emptied and filled anew.

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
/// In a volume's directory: it is being filled.
const COPYING_MARK: &CStr = c"filling";

const CHUNK: usize = 1 << 20;

/// Fills the volume whose directory is at `volume` from `target` inside `root`, where it is new.
pub fn copy_up(volume: &CStr, root: BorrowedFd<'_>, target: &CStr) -> Result<(), Errno> {
    let own = open_dir(CWD, volume)?;
    rustix::fs::flock(&own, FlockOperation::LockExclusive)?;
    let data = open_dir(&own, c"_data")?;
    if rustix::fs::accessat(&own, COPYING_MARK, rustix::fs::Access::EXISTS, AtFlags::empty())
        .is_ok()
    {
        empty(data.as_fd())?;
    } else {
        if !names(data.as_fd())?.is_empty() {
            return clear_mark(&own, EMPTY_MARK);
        }
        match rustix::fs::renameat(&own, EMPTY_MARK, &own, COPYING_MARK) {
            Err(Errno::NOENT) => return Ok(()),
            result => result?,
        }
    }
    // A place that the image does not have is empty, as the volume is.
    if let Ok(place) = mount::open_in_root(root, target, OFlags::PATH)
        && let Ok(source) = open_dir(&place, c".")
    {
        let mut copy = Copy { links: HashMap::new(), data: data.as_fd() };
        copy.directory(source.as_fd(), data.as_fd(), &mut Vec::new())?;
    }
    clear_mark(&own, COPYING_MARK)
}

fn clear_mark(own: &OwnedFd, mark: &CStr) -> Result<(), Errno> {
    match rustix::fs::unlinkat(own, mark, AtFlags::empty()) {
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

/// A copy at work.
struct Copy<'a> {
    /// Where the first name of each file of several names is, relative to `data`.
    links: HashMap<(u64, u64), CString>,
    data: BorrowedFd<'a>,
}

impl Copy<'_> {
    /// Copies what is in `from` to the empty directory `to`, and what `from` itself is like.
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
            let here = CString::new(path.as_slice()).map_err(|_| Errno::INVAL)?;
            match self.links.get(&(like.st_dev, like.st_ino)) {
                Some(first) => {
                    return rustix::fs::linkat(self.data, first, to, name, AtFlags::empty());
                }
                None => drop(self.links.insert((like.st_dev, like.st_ino), here)),
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
                // A device never works in a volume; without the right to make it, it is left out.
                match rustix::fs::mknodat(to, name, kind, private, like.st_rdev) {
                    Err(Errno::PERM) => return Ok(()),
                    result => result?,
                }
                copy_attributes_at(to, name, &like)?;
                rustix::fs::chmodat(to, name, mode_of(&like), AtFlags::empty())
            }
            // A socket means nothing without the process that listens on it.
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
            // Between two file systems, or on one that cannot.
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

/// The owner first, for a new owner takes set-id bits and file capabilities away.
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

/// What images may carry: file capabilities, attributes of users, access lists. Those of
/// overlayfs mean nothing outside of it.
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
            // The file system of the volumes knows no such attributes.
            Err(Errno::OPNOTSUPP) => {}
            result => result?,
        }
    }
    Ok(())
}
