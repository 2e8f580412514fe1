//! Measures trees of any depth.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::model::Result;
use crate::sys::fs;

/// Device and inode.
type Identity = (u64, u64);

/// Returns the bytes of the files and links below a directory, hard links counted once. Follows no
/// link. What cannot be read counts nothing.
///
/// One directory is open at a time: going up takes `..`, and checks that it is the directory that
/// was left. Where another process has moved it, the measuring ends with what it has.
pub fn tree_size(directory: &Path) -> u64 {
    let mut measured = Measured::default();
    let Ok(mut current) = fs::open_dir(directory) else { return 0 };
    let Ok(top) = measured.level(&current) else { return measured.bytes };
    let mut levels = vec![top];
    while let Some(level) = levels.last_mut() {
        if let Some(name) = level.subdirectories.pop() {
            // One that has vanished, or cannot be read, is left out.
            let Ok(inner) = fs::open_dir_inside(&current, &name) else { continue };
            if let Ok(level) = measured.level(&inner) {
                levels.push(level);
                current = inner;
            }
            continue;
        }
        levels.pop();
        let Some(above) = levels.last() else { break };
        match parent(&current, above.identity) {
            Some(parent) => current = parent,
            None => break,
        }
    }
    measured.bytes
}

/// A directory on the way down.
struct Level {
    identity: Identity,
    /// The names that are not measured yet.
    subdirectories: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Measured {
    bytes: u64,
    /// The files with several names.
    seen: HashSet<Identity>,
}

impl Measured {
    /// Adds the files of a directory.
    fn level(&mut self, directory: &OwnedFd) -> Result<Level> {
        let found = fs::stat_fd(directory)?;
        let mut level =
            Level { identity: (found.st_dev, found.st_ino), subdirectories: Vec::new() };
        for name in fs::names(directory)? {
            let Ok(Some(found)) = fs::stat(directory, &name) else { continue };
            if fs::type_of(&found) == fs::Type::Directory {
                level.subdirectories.push(name);
            } else if found.st_nlink < 2 || self.seen.insert((found.st_dev, found.st_ino)) {
                self.bytes += u64::try_from(found.st_size).unwrap_or(0);
            }
        }
        Ok(level)
    }
}

/// Opens the directory above, if it is the expected one.
fn parent(directory: &OwnedFd, expected: Identity) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let above = rustix::fs::openat(directory, "..", flags, Mode::empty()).ok()?;
    let found = fs::stat_fd(&above).ok()?;
    ((found.st_dev, found.st_ino) == expected).then_some(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_a_tree_deeper_than_any_path_counts_once() {
        let place = tempfile::tempdir().unwrap();
        let mut directory = fs::open_dir(place.path()).unwrap();
        for _ in 0..3000 {
            for name in [b"d", b"e"] {
                fs::make_dir(&directory, name).unwrap();
            }
            let file = fs::create_file(&directory, b"f").unwrap();
            rustix::io::write(&file, b"xy").unwrap();
            fs::make_link(&directory, b"f", &directory, b"e/again").unwrap();
            fs::make_symlink(&directory, b"l", b"abc").unwrap();
            directory = fs::open_dir_beneath(&directory, b"d").unwrap();
        }
        drop(directory);
        assert_eq!(tree_size(place.path()), 3000 * (2 + 3));
        assert_eq!(tree_size(&place.path().join("missing")), 0);
        crate::sys::tree::remove_tree_at(&place.path().join("d")).unwrap();
    }
}
