//! Copies what the image has at the target of an empty volume into the volume: content, owners,
//! modes, times, extended attributes.
//!
//! Runs between clone and exec, in the container's mount namespace: the image's tree is seen
//! through its root alone, and all is done by descriptor without following links. Only an empty
//! volume is filled (CVE-2020-1726 overwrote data of users). Two containers that start with it wait
//! for each other; a copy that was interrupted is removed and started again.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, Stat, Timespec, Timestamps,
    XattrFlags,
};
use rustix::io::{Errno, retry_on_intr};

use crate::model::Error;
use crate::runtime::plan::CopyUp;
use crate::runtime::record::volumes::EMPTY_MARK;
use crate::sys::{self, mount};

/// The mark in a volume's directory of a copy that is not finished.
const COPYING_MARK: &CStr = c"filling";

const CHUNK: usize = 1 << 20;

/// Fills the volume with the directory at its target inside `root`, if it is empty.
pub fn copy_up(what: &CopyUp, root: BorrowedFd<'_>) -> Result<(), Errno> {
    let directory = open_dir(CWD, &what.volume)?;
    retry_on_intr(|| rustix::fs::flock(&directory, FlockOperation::LockExclusive))?;
    let data = open_dir(&directory, c"_data")?;
    let data = match &what.beneath {
        None => data,
        Some(beneath) => {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY;
            match mount::open_within(&data, beneath, flags) {
                // A file is mounted there, or the step that mounts it fails.
                Err(Errno::NOTDIR) => return Ok(()),
                place => place?,
            }
        }
    };
    if !what.own {
        // Not one file of a device is removed here, so what was interrupted stays as it is.
        return match names(data.as_fd())?.is_empty() {
            true => fill(data.as_fd(), root, &what.target),
            false => Ok(()),
        };
    }
    let access = rustix::fs::Access::EXISTS;
    match rustix::fs::accessat(&directory, COPYING_MARK, access, AtFlags::empty()) {
        Ok(()) => empty(data.as_fd())?,
        Err(Errno::NOENT) => {
            if !names(data.as_fd())?.is_empty() {
                return clear_mark(&directory, EMPTY_MARK);
            }
            match rustix::fs::renameat(&directory, EMPTY_MARK, &directory, COPYING_MARK) {
                // It was mounted before.
                Err(Errno::NOENT) => create_mark(&directory, COPYING_MARK)?,
                result => result?,
            }
        }
        Err(errno) => return Err(errno),
    }
    fill(data.as_fd(), root, &what.target)?;
    clear_mark(&directory, COPYING_MARK)
}

/// Copies what `root` has at `target` to the empty directory `data`.
fn fill(data: BorrowedFd<'_>, root: BorrowedFd<'_>, target: &CStr) -> Result<(), Errno> {
    let place = mount::open_in_root(root, target, OFlags::PATH);
    match if_directory(place.and_then(|place| open_dir(&place, c".")))? {
        Some(source) => Copy { links: HashMap::new(), data }.tree(source.as_fd(), data),
        None => Ok(()),
    }
}

/// If the image does not have the target, or not as a directory, the volume stays empty.
fn if_directory(opened: Result<OwnedFd, Errno>) -> Result<Option<OwnedFd>, Errno> {
    match opened {
        Ok(directory) => Ok(Some(directory)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn create_mark(directory: &OwnedFd, mark: &CStr) -> Result<(), Errno> {
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(directory, mark, flags, Mode::from_bits_truncate(0o600)).map(drop)
}

fn clear_mark(directory: &OwnedFd, mark: &CStr) -> Result<(), Errno> {
    match rustix::fs::unlinkat(directory, mark, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        // Not made by us; a mark all the same.
        Err(Errno::ISDIR) => rustix::fs::unlinkat(directory, mark, AtFlags::REMOVEDIR),
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
                sys::tree::remove_tree(dir, name.to_bytes()).map_err(|error| errno_of(&error))?;
            }
            result => result?,
        }
    }
    Ok(())
}

fn errno_of(error: &Error) -> Errno {
    error.errno().map_or(Errno::IO, Errno::from_raw_os_error)
}

/// A copy in progress.
struct Copy<'a> {
    /// The first path of each file with several names, relative to `data`.
    links: HashMap<(u64, u64), CString>,
    data: BorrowedFd<'a>,
}

impl Copy<'_> {
    /// Copies the content of `from` to the empty directory `to`, and its attributes.
    ///
    /// Works through a list of paths: a tree may be deeper than the limit of open files.
    fn tree(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno> {
        let mut todo = vec![Part::Content(Vec::new())];
        while let Some(part) = todo.pop() {
            let (Part::Content(path) | Part::Attributes(path)) = &part;
            let (source, copy) = (open_inside(from, path)?, open_inside(to, path)?);
            match part {
                Part::Content(path) => {
                    let subdirectories = self.content(&source, &copy, &path)?;
                    todo.push(Part::Attributes(path));
                    todo.extend(subdirectories.into_iter().map(Part::Content));
                }
                Part::Attributes(_) => {
                    let like = rustix::fs::fstat(&source)?;
                    copy_attributes(source.as_fd(), copy.as_fd(), &like)?;
                }
            }
        }
        Ok(())
    }

    /// Copies the entries of one directory, and returns the paths of its subdirectories.
    fn content(
        &mut self,
        from: &OwnedFd,
        to: &OwnedFd,
        path: &[u8],
    ) -> Result<Vec<Vec<u8>>, Errno> {
        let mut subdirectories = Vec::new();
        for name in names(from.as_fd())? {
            let between: &[u8] = if path.is_empty() { b"" } else { b"/" };
            let inside = [path, between, name.to_bytes()].concat();
            if self.entry(from.as_fd(), to.as_fd(), &name, &inside)? == FileType::Directory {
                subdirectories.push(inside);
            }
        }
        Ok(subdirectories)
    }

    /// Copies one entry, of a directory only the name, and returns its type.
    fn entry(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &CStr,
        path: &[u8],
    ) -> Result<FileType, Errno> {
        let like = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(like.st_mode);
        if kind != FileType::Directory && like.st_nlink > 1 {
            let path_here = CString::new(path).map_err(|_| Errno::INVAL)?;
            match self.links.get(&(like.st_dev, like.st_ino)) {
                Some(first) => {
                    rustix::fs::linkat(self.data, first, to, name, AtFlags::empty())?;
                    return Ok(kind);
                }
                None => drop(self.links.insert((like.st_dev, like.st_ino), path_here)),
            }
        }
        copy_node(from, to, name, &like)?;
        Ok(kind)
    }
}

/// What is left to do for the directory of this path. Attributes come last: a new entry changes the
/// directory's time.
enum Part {
    Content(Vec<u8>),
    Attributes(Vec<u8>),
}

/// Opens a directory below `dir`, also over a mount point.
fn open_inside(dir: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    sys::fs::open_dir_inside(dir, path).map_err(|error| errno_of(&error))
}

/// Creates an entry as `like`; of a directory only the name.
fn copy_node(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
    like: &Stat,
) -> Result<(), Errno> {
    let private = Mode::from_bits_truncate(0o700);
    match FileType::from_raw_mode(like.st_mode) {
        FileType::Directory => rustix::fs::mkdirat(to, name, private),
        FileType::RegularFile => file(from, to, name, like),
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(from, name, Vec::new())?;
            rustix::fs::symlinkat(&target, to, name)?;
            copy_attributes_at(to, name, like)
        }
        kind @ (FileType::Fifo | FileType::CharacterDevice | FileType::BlockDevice) => {
            // A device never works in a volume; without the right to create it, it is skipped.
            match rustix::fs::mknodat(to, name, kind, private, like.st_rdev) {
                Err(Errno::PERM) => return Ok(()),
                result => result?,
            }
            copy_attributes_at(to, name, like)?;
            rustix::fs::chmodat(to, name, mode_of(like), AtFlags::empty())
        }
        // A socket is useless without the process that listens on it.
        _ => Ok(()),
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
