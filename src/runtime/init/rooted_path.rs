//! Paths inside a new root, by descriptor: found or created, never outside of it.
//!
//! Runs between clone and exec, like `init`.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::sys::{mount, process};

/// The most links that are followed (path_resolution(7)).
const MAX_LINKS: u32 = 40;

/// The file systems of the kernel that nothing is mounted on (linux/magic.h): proc, sysfs, cgroup,
/// cgroup2.
const KERNELS: [u32; 4] = [0x9fa0, 0x6265_6572, 0x0027_e0eb, 0x6367_7270];

/// The type of a path to create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// A directory.
    Directory,
    /// Anything else.
    File,
}

/// Opens the directory `path` beneath `root`, and creates missing parts. No component may be a
/// link: a mount there must hide nothing else (CVE-2019-19921).
pub fn create_directories(root: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    match if path.is_empty() {
        mount::open_beneath(root, c".", flags)
    } else {
        mount::open_beneath(root, path, flags)
    } {
        Err(Errno::NOENT) => {}
        result => return result,
    }
    let mut directory = mount::open_beneath(root, c".", flags)?;
    let mut name = [0u8; 256];
    for component in path.to_bytes().split(|b| *b == b'/').filter(|c| !c.is_empty()) {
        let length = component.len();
        name.get_mut(..length).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(component);
        *name.get_mut(length).ok_or(Errno::NAMETOOLONG)? = 0;
        let component = CStr::from_bytes_until_nul(&name).map_err(|_| Errno::INVAL)?;
        match rustix::fs::mkdirat(&directory, component, Mode::from_bits_truncate(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        directory = mount::open_beneath(&directory, component, flags)?;
    }
    Ok(directory)
}

/// Opens the target `path` inside `root` of a user's mount. Links are followed inside the root,
/// also dangling ones; missing parts are created. `EBUSY` for the root itself, `EXDEV` for the
/// kernel's file systems, wherever links of the image lead (ARCHITECTURE.md, D2 and D4).
pub fn open_or_create(
    root: BorrowedFd<'_>,
    path: &CStr,
    create: PlaceKind,
) -> Result<OwnedFd, Errno> {
    not_of_the_kernel(walk(root, path, Some(create))?.ok_or(Errno::BUSY)?)
}

/// Returns the mode of the directory `path` inside `root`, if it is there.
pub fn mode_of(root: BorrowedFd<'_>, path: &CStr) -> Result<Option<Mode>, Errno> {
    match walk(root, path, None) {
        Ok(Some(found)) => Ok(Some(Mode::from_raw_mode(rustix::fs::fstat(&found)?.st_mode))),
        Ok(None) | Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Walks `path` inside `root`; `None` for the root itself. Without `create` nothing is created.
/// Links are read and walked here, so magic links in `/proc`, which lead anywhere, are plain texts.
fn walk(
    root: BorrowedFd<'_>,
    path: &CStr,
    create: Option<PlaceKind>,
) -> Result<Option<OwnedFd>, Errno> {
    let mut way = WalkedDirs { root, below: Vec::new() };
    let mut ahead: Vec<CString> = Vec::new();
    push(&mut ahead, path.to_bytes())?;
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        if name.as_c_str() == c".." {
            way.below.pop();
            continue;
        }
        let parent = way.current();
        let found = match open(parent, &name) {
            Err(Errno::NOENT) => {
                let last = ahead.is_empty();
                let create = create.ok_or(Errno::NOENT)?;
                create_one(parent, &name, if last { create } else { PlaceKind::Directory })?;
                open(parent, &name)?
            }
            result => result?,
        };
        match FileType::from_raw_mode(rustix::fs::fstat(&found)?.st_mode) {
            FileType::Symlink => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::LOOP);
                }
                let target = rustix::fs::readlinkat(&found, c"", Vec::new())?;
                if target.to_bytes().starts_with(b"/") {
                    way.below.clear();
                }
                push(&mut ahead, target.to_bytes())?;
            }
            FileType::Directory => way.below.push(found),
            _ if ahead.is_empty() => return Ok(Some(found)),
            _ => return Err(Errno::NOTDIR),
        }
    }
    Ok(way.below.pop())
}

/// Returns a copy of the mount at `/dev/shm` in another container's mount namespace. Only this one
/// path is opened there, without links, and it must be a tmpfs.
pub fn shared_memory(mount_namespace: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    const TMPFS: u32 = 0x0102_1994;
    in_namespace(mount_namespace, |root| {
        let place = mount::open_beneath(root, c"dev/shm", OFlags::PATH | OFlags::DIRECTORY)?;
        #[expect(clippy::cast_possible_truncation, reason = "magic numbers have 32 bits")]
        let magic = rustix::fs::fstatfs(&place)?.f_type as u32;
        if magic == TMPFS { mount::clone_of(place) } else { Err(Errno::XDEV) }
    })
}

/// Copies a mount of another mount namespace, whose root `copy` gets. A mount can be copied only
/// from within its namespace, so that is entered and left again.
pub fn in_namespace(
    mount_namespace: BorrowedFd<'_>,
    copy: impl FnOnce(&OwnedFd) -> Result<OwnedFd, Errno>,
) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let own_namespace = rustix::fs::open(c"/proc/self/ns/mnt", flags, Mode::empty())?;
    let cwd = mount::open_directory(c".")?;
    process::enter_namespace(mount_namespace)?;
    let copied = mount::open_directory(c"/").and_then(|root| copy(&root));
    process::enter_namespace(&own_namespace)?;
    rustix::process::fchdir(cwd)?;
    copied
}

/// The directories from the root to the present one.
struct WalkedDirs<'a> {
    root: BorrowedFd<'a>,
    below: Vec<OwnedFd>,
}

impl WalkedDirs<'_> {
    fn current(&self) -> BorrowedFd<'_> {
        self.below.last().map_or(self.root, AsFd::as_fd)
    }
}

/// Puts the components of `path` before all others that are still to be walked.
fn push(ahead: &mut Vec<CString>, path: &[u8]) -> Result<(), Errno> {
    for name in path.split(|b| *b == b'/').rev().filter(|name| !name.is_empty() && *name != b".") {
        ahead.push(CString::new(name).map_err(|_| Errno::INVAL)?);
    }
    Ok(())
}

fn open(dir: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

/// Creates a directory or file. Another container may create it concurrently in a shared volume:
/// the open that follows checks its type.
fn create_one(dir: BorrowedFd<'_>, name: &CStr, create: PlaceKind) -> Result<(), Errno> {
    let created = match create {
        PlaceKind::Directory => rustix::fs::mkdirat(dir, name, Mode::from_bits_truncate(0o755)),
        PlaceKind::File => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mode = Mode::from_bits_truncate(0o644);
            rustix::fs::openat(dir, name, flags | OFlags::WRONLY, mode).map(drop)
        }
    };
    match created {
        Err(Errno::EXIST) => Ok(()),
        result => result,
    }
}

/// Enters the working directory. Creates it first if it is missing and `create` is set. The
/// present root must be the container's; a path that leads out of it is refused (ARCHITECTURE.md,
/// D2, D7 and D9).
pub fn enter(path: &CStr, create: Option<PlaceKind>) -> Result<(), Errno> {
    let root = mount::open_directory(c"/")?;
    match walk(root.as_fd(), path, create)? {
        Some(directory) => rustix::process::fchdir(directory)?,
        None => rustix::process::fchdir(root)?,
    }
    // A directory outside of the root has no path from it: getcwd(2) says "(unreachable)".
    let cwd = rustix::process::getcwd(Vec::new())?;
    if cwd.to_bytes().starts_with(b"/") { Ok(()) } else { Err(Errno::XDEV) }
}

fn not_of_the_kernel(place: OwnedFd) -> Result<OwnedFd, Errno> {
    // The type of f_type differs between platforms; the magic numbers have 32 bits.
    #[expect(clippy::cast_possible_truncation, reason = "magic numbers have 32 bits")]
    let magic = rustix::fs::fstatfs(&place)?.f_type as u32;
    if KERNELS.contains(&magic) { Err(Errno::XDEV) } else { Ok(place) }
}
