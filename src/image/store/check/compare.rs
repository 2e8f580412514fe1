//! Compares two unpacked layers: names, types, owners, modes, times, attributes, content, and hard
//! links.

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::OwnedFd;

use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::tar::error::lossy;
use crate::image::tar::names;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys::fs::{self, Attributes};

const BUFFER: usize = 64 * 1024;

/// Describes how `found` differs from `expected`; `None` if it does not.
pub(super) fn difference(
    expected: &OwnedFd,
    found: &OwnedFd,
    check: CancelCheck<'_>,
) -> Result<Option<String>> {
    let mut comparison = Comparison { links: HashMap::new(), back: HashMap::new(), check };
    // Paths and not open directories: a tree may be deeper than the limit of open files.
    let mut todo = vec![Vec::new()];
    while let Some(path) = todo.pop() {
        let open = |tree| fs::open_dir_beneath(tree, &path);
        let at = match comparison.directory(&open(expected)?, &open(found)?, &path, &mut todo)? {
            Some((name, why)) => (inside(&path, &name), why),
            None => continue,
        };
        return Ok(Some(match at {
            (path, why) if path.is_empty() => format!("its root {why}"),
            (path, why) => format!("`{}` {why}", lossy(&path)),
        }));
    }
    Ok(None)
}

fn inside(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match (directory, name) {
        ([], path) | (path, []) => path.to_vec(),
        _ => names::join(&[directory, name]),
    }
}

/// The name of a differing entry, empty for the directory itself, and the difference.
type Difference = Option<(Vec<u8>, &'static str)>;

struct Comparison<'a> {
    /// The file of the found tree for each file with several names, and the other way round.
    links: HashMap<u64, u64>,
    back: HashMap<u64, u64>,
    check: CancelCheck<'a>,
}

impl Comparison<'_> {
    /// Compares two directories and their entries; subdirectories are added to the list.
    fn directory(
        &mut self,
        expected: &OwnedFd,
        found: &OwnedFd,
        path: &[u8],
        todo: &mut Vec<Vec<u8>>,
    ) -> Result<Difference> {
        let (mut required, mut present) = (fs::names(expected)?, fs::names(found)?);
        required.sort();
        present.sort();
        if let Some(extra) = present.iter().find(|name| required.binary_search(name).is_err()) {
            return Ok(Some((extra.clone(), "does not belong there")));
        }
        let start = todo.len();
        for name in required {
            (self.check)()?;
            match self.entry(expected, found, &name)? {
                Entry::Equal => {}
                Entry::Directory => todo.push(inside(path, &name)),
                Entry::Different(why) => return Ok(Some((name, why))),
            }
        }
        // After the names in it: an extra or missing entry changes its time as well, and is the
        // better message.
        if let Some(why) = attributes(&fs::stat_fd(expected)?, &fs::stat_fd(found)?) {
            return Ok(Some((Vec::new(), why)));
        }
        if xattrs(expected)? != xattrs(found)? {
            return Ok(Some((Vec::new(), "has other attributes")));
        }
        todo[start..].reverse();
        Ok(None)
    }

    fn entry(&mut self, expected: &OwnedFd, found: &OwnedFd, name: &[u8]) -> Result<Entry> {
        let vanished = || Error::new(Kind::NotFound, format!("`{}` has vanished", lossy(name)));
        let required = fs::stat(expected, name)?.ok_or_else(vanished)?;
        let Some(present) = fs::stat(found, name)? else {
            return Ok(Entry::Different("is missing"));
        };
        let kind = fs::type_of(&required);
        if kind != fs::type_of(&present) {
            return Ok(Entry::Different("is of another type"));
        }
        if kind.is_dir() {
            return Ok(Entry::Directory);
        }
        if (required.st_dev, required.st_ino) == (present.st_dev, present.st_ino) {
            return Ok(Entry::Equal);
        }
        if !self.is_same_link(&required, &present) {
            return Ok(Entry::Different("has other hard links"));
        }
        if let Some(why) = attributes(&required, &present) {
            return Ok(Entry::Different(why));
        }
        if kind.is_symlink() && fs::read_link(expected, name)? != fs::read_link(found, name)? {
            return Ok(Entry::Different("points elsewhere"));
        }
        if kind.is_file() {
            let open = |tree| fs::open_file_beneath(tree, name);
            let (one, other) = (open(expected)?, open(found)?);
            if xattrs(&one)? != xattrs(&other)? {
                return Ok(Entry::Different("has other attributes"));
            }
            if required.st_size != present.st_size || !self.same_content(one, other)? {
                return Ok(Entry::Different("has other content"));
            }
        }
        Ok(Entry::Equal)
    }

    /// Returns whether the hard links of both trees correspond.
    fn is_same_link(&mut self, required: &Attributes, present: &Attributes) -> bool {
        if required.st_nlink == 1 && present.st_nlink == 1 {
            return true;
        }
        *self.links.entry(required.st_ino).or_insert(present.st_ino) == present.st_ino
            && *self.back.entry(present.st_ino).or_insert(required.st_ino) == required.st_ino
    }

    fn same_content(&self, one: OwnedFd, other: OwnedFd) -> Result<bool> {
        let (one, other) = (std::fs::File::from(one), std::fs::File::from(other));
        let [mut left, mut right] = [vec![0; BUFFER], vec![0; BUFFER]];
        loop {
            (self.check)()?;
            let read = |mut file: &std::fs::File, buffer: &mut [u8]| {
                let mut filled = 0;
                while filled < buffer.len() {
                    match file.read(&mut buffer[filled..]) {
                        Ok(0) => break,
                        Ok(count) => filled += count,
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(filled)
            };
            let count = read(&one, &mut left).context(|| "read a file".to_owned())?;
            // A read error of the disk is damage as well.
            let Ok(present) = read(&other, &mut right) else { return Ok(false) };
            if left[..count] != right[..present] {
                return Ok(false);
            }
            if count < BUFFER {
                return Ok(true);
            }
        }
    }
}

enum Entry {
    Equal,
    /// A directory, to be compared later.
    Directory,
    Different(&'static str),
}

fn attributes(required: &Attributes, present: &Attributes) -> Option<&'static str> {
    let kind = fs::type_of(required);
    let is_device = kind.is_block_device() || kind.is_char_device();
    match () {
        () if (required.st_uid, required.st_gid) != (present.st_uid, present.st_gid) => {
            Some("has another owner")
        }
        () if required.st_mode != present.st_mode => Some("has another mode"),
        () if is_device && required.st_rdev != present.st_rdev => Some("is another device"),
        // The time of a whiteout is never visible.
        () if fs::is_whiteout(required) => None,
        () if (required.st_mtime, required.st_mtime_nsec)
            != (present.st_mtime, present.st_mtime_nsec) =>
        {
            Some("has another time")
        }
        () => None,
    }
}

fn xattrs(fd: &OwnedFd) -> Result<Vec<(String, Option<Vec<u8>>)>> {
    let mut keys = fs::list_xattrs(fd)?;
    keys.sort();
    keys.into_iter().map(|key| fs::get_xattr(fd, &key).map(|value| (key, value))).collect()
}
