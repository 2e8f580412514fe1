//! Removes trees of any depth: unlinkat(2), and renameat(2) against depth.
//!
//! A container can nest directories deeper than a path is long (`PATH_MAX`), than a process has
//! descriptors, and than a stack has room. Removal holds a fixed number of descriptors: what is
//! deeper is first moved to the top of the tree, which is about to be removed too.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, unlinkat};
use rustix::io::Errno;

use crate::model::error::Context;
use crate::model::{Error, Result};
use crate::sys::fs;

/// How deep removal descends before it moves a directory up. Each level holds a descriptor.
const LEVELS: usize = 16;

/// Removes a directory with its content, without following links or crossing mounts. Returns the
/// bytes of the removed files.
///
/// Continues after an entry that cannot be removed, so that only what must stay does.
///
/// # Errors
/// The first obstacle: an immutable file, a mount point, a missing right.
pub fn remove_tree(parent: impl AsFd, name: &[u8]) -> Result<u64> {
    let parent = parent.as_fd();
    let top = open(parent, name)?;
    let mut removal = Removal { top: top.as_fd(), moved: 0, freed: 0, obstacle: None };
    loop {
        let moved = removal.moved;
        removal.empty(top.as_fd(), LEVELS);
        if removal.moved == moved {
            break;
        }
    }
    match removal.obstacle {
        Some(error) => Err(error),
        None => fs::remove_dir(parent, name).map(|()| removal.freed),
    }
}

/// Removes a directory with its content by its path, whose parents are trusted. A missing directory
/// is removed already.
///
/// # Errors
/// As [`remove_tree`].
pub fn remove_tree_at(path: &Path) -> Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let removed = match parent.as_os_str().is_empty() {
        true => remove_tree(rustix::fs::CWD, name.as_bytes()),
        false => fs::open_dir(parent).and_then(|parent| remove_tree(parent, name.as_bytes())),
    };
    match removed {
        Err(error) if error.errno() == Some(libc::ENOENT) => Ok(()),
        removed => removed.map(drop),
    }
}

/// Removes a file of any kind, or a tree, by a path whose parents are trusted.
///
/// # Errors
/// As [`remove_tree`].
pub fn remove_any_at(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => remove_tree_at(path),
        _ => match std::fs::remove_file(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed.context(|| "unlink".to_owned()),
        },
    }
}

struct Removal<'a> {
    top: BorrowedFd<'a>,
    /// The number of the last directory that was moved to the top, which is its name there.
    moved: u64,
    freed: u64,
    obstacle: Option<Error>,
}

impl Removal<'_> {
    /// Empties a directory; `levels` is how much deeper removal may descend.
    fn empty(&mut self, directory: BorrowedFd<'_>, levels: usize) {
        let names = fs::names(directory).unwrap_or_else(|error| {
            self.obstacle.get_or_insert(error);
            Vec::new()
        });
        for name in names {
            if let Err(error) = self.remove(directory, &name, levels) {
                self.obstacle.get_or_insert(error);
            }
        }
    }

    fn remove(&mut self, directory: BorrowedFd<'_>, name: &[u8], levels: usize) -> Result<()> {
        let Some(found) = fs::stat(directory, name)? else { return Ok(()) };
        if fs::type_of(&found) != fs::Type::Directory {
            fs::unlink(directory, name)?;
            self.freed += freed_bytes(&found);
            return Ok(());
        }
        if levels == 0 {
            return self.move_up(directory, name);
        }
        let inner = open(directory, name)?;
        self.empty(inner.as_fd(), levels - 1);
        match unlinkat(directory, name, AtFlags::REMOVEDIR) {
            // The obstacle in it is known.
            Err(Errno::NOTEMPTY | Errno::EXIST) if self.obstacle.is_some() => Ok(()),
            Ok(()) => Ok(()),
            Err(errno) => Err(fs::failed("rmdir", name, errno)),
        }
    }

    /// Moves a directory to the top of the tree, where the next pass empties it.
    fn move_up(&mut self, directory: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
        loop {
            self.moved += 1;
            let new = format!("moved-{}", self.moved);
            match rustix::fs::renameat(directory, name, self.top, new.as_bytes()) {
                // The tree has this name itself. An empty directory is replaced, which is as well.
                Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
                Ok(()) => return Ok(()),
                Err(errno) => return Err(fs::failed("move up", name, errno)),
            }
        }
    }
}

/// Opens a directory; takes the rights to it first if they are missing (overlay's `work/work` has
/// none, which only root can enter).
fn open(parent: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd> {
    match fs::open_dir_beneath(parent, name) {
        Err(error) if error.errno() == Some(libc::EACCES) => {
            take_rights(parent, name).map_err(|errno| fs::failed("chmod", name, errno))?;
            fs::open_dir_beneath(parent, name)
        }
        opened => {
            let directory = opened?;
            // Only an ordinary user needs the right to write.
            if !rustix::process::geteuid().is_root()
                && fs::stat_fd(&directory)?.st_mode & 0o700 != 0o700
            {
                // If that fails, the removal of the content says why.
                let _ = fs::set_mode(&directory, 0o700);
            }
            Ok(directory)
        }
    }
}

/// `fchmod(2)` does not take an `O_PATH` descriptor, and `fchmodat(2)` follows links.
fn take_rights(parent: BorrowedFd<'_>, name: &[u8]) -> std::result::Result<(), Errno> {
    use std::os::fd::AsRawFd as _;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    let path = format!("/proc/self/fd/{}", directory.as_raw_fd());
    rustix::fs::chmod(path, Mode::RWXU)
}

/// Returns the bytes that the removal of this entry frees.
pub fn freed_bytes(attributes: &fs::Attributes) -> u64 {
    let whole = attributes.st_nlink <= 1
        && matches!(fs::type_of(attributes), fs::Type::RegularFile | fs::Type::Symlink);
    if whole { u64::try_from(attributes.st_size).unwrap_or(0) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nests `levels` directories below `at`, each with a file, and returns the number of bytes.
    fn nest(at: &Path, levels: usize) -> u64 {
        let mut directory = fs::open_dir(at).unwrap();
        for _ in 0..levels {
            fs::make_dir(&directory, b"moved-1").unwrap();
            directory = fs::open_dir_beneath(&directory, b"moved-1").unwrap();
            let file = fs::create_file(&directory, b"f").unwrap();
            rustix::io::write(&file, b"xy").unwrap();
        }
        2 * levels as u64
    }

    #[test]
    fn a_tree_deeper_than_any_path_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let tree = place.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        let bytes = nest(&tree, 3000);
        // A name that removal would choose, and a link that it must not follow.
        std::fs::write(tree.join("moved-2"), "abc").unwrap();
        std::os::unix::fs::symlink(place.path(), tree.join("link")).unwrap();
        let link = place.path().as_os_str().len() as u64;
        let parent = fs::open_dir(place.path()).unwrap();
        assert_eq!(remove_tree(&parent, b"tree").unwrap(), bytes + 3 + link);
        assert!(!tree.exists());
        assert!(place.path().exists());
        remove_tree_at(&tree).unwrap();
    }

    #[test]
    fn removal_holds_few_descriptors() {
        let place = tempfile::tempdir().unwrap();
        nest(place.path(), 200);
        let parent = fs::open_dir(place.path()).unwrap();
        let mut removal = Removal { top: parent.as_fd(), moved: 0, freed: 0, obstacle: None };
        removal.empty(parent.as_fd(), LEVELS);
        // One pass goes no deeper than its levels, and leaves one directory at the top.
        assert_eq!(removal.moved, 2);
        assert_eq!(fs::names(&parent).unwrap(), [b"moved-2"]);
    }
}
