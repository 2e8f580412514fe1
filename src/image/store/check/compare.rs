//! Whether two unpacked layers are the same: names, types, owners, modes, times, attributes,
//! content, and which names are one file.

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

/// What is different in `found` from what it must be, in words; `None` where nothing is.
pub(super) fn difference(
    expected: &OwnedFd,
    found: &OwnedFd,
    check: CancelCheck<'_>,
) -> Result<Option<String>> {
    let mut comparison = Comparison { links: HashMap::new(), back: HashMap::new(), check };
    // Paths and not open directories: a tree may be deeper than there are descriptors.
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

/// The name of an entry, none for the directory itself, and what is different about it.
type Difference = Option<(Vec<u8>, &'static str)>;

struct Comparison<'a> {
    /// Which file of the found tree each file of several names is, and the other way round.
    links: HashMap<u64, u64>,
    back: HashMap<u64, u64>,
    check: CancelCheck<'a>,
}

impl Comparison<'_> {
    /// Compares two directories and what is in them; further ones are left to do.
    fn directory(
        &mut self,
        expected: &OwnedFd,
        found: &OwnedFd,
        path: &[u8],
        todo: &mut Vec<Vec<u8>>,
    ) -> Result<Difference> {
        let (mut wanted, mut given) = (fs::names(expected)?, fs::names(found)?);
        wanted.sort();
        given.sort();
        if let Some(extra) = given.iter().find(|name| wanted.binary_search(name).is_err()) {
            return Ok(Some((extra.clone(), "does not belong there")));
        }
        let start = todo.len();
        for name in wanted {
            (self.check)()?;
            match self.entry(expected, found, &name)? {
                Entry::Same => {}
                Entry::Directory => todo.push(inside(path, &name)),
                Entry::Different(why) => return Ok(Some((name, why))),
            }
        }
        // After the names in it: one more or less changes its time as well, and tells less.
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
        let gone = || Error::new(Kind::NotFound, format!("`{}` is gone", lossy(name)));
        let wanted = fs::stat(expected, name)?.ok_or_else(gone)?;
        let Some(given) = fs::stat(found, name)? else {
            return Ok(Entry::Different("is missing"));
        };
        let kind = fs::type_of(&wanted);
        if kind != fs::type_of(&given) {
            return Ok(Entry::Different("is of another type"));
        }
        if kind.is_dir() {
            return Ok(Entry::Directory);
        }
        if (wanted.st_dev, wanted.st_ino) == (given.st_dev, given.st_ino) {
            return Ok(Entry::Same);
        }
        if !self.same_file(&wanted, &given) {
            return Ok(Entry::Different("is linked otherwise"));
        }
        if let Some(why) = attributes(&wanted, &given) {
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
            if wanted.st_size != given.st_size || !self.same_content(one, other)? {
                return Ok(Entry::Different("has other content"));
            }
        }
        Ok(Entry::Same)
    }

    /// Names of one file there are names of one file here.
    fn same_file(&mut self, wanted: &Attributes, given: &Attributes) -> bool {
        if wanted.st_nlink == 1 && given.st_nlink == 1 {
            return true;
        }
        *self.links.entry(wanted.st_ino).or_insert(given.st_ino) == given.st_ino
            && *self.back.entry(given.st_ino).or_insert(wanted.st_ino) == wanted.st_ino
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
            // The disk may be unable to give back what it was given: that is damage as well.
            let Ok(given) = read(&other, &mut right) else { return Ok(false) };
            if left[..count] != right[..given] {
                return Ok(false);
            }
            if count < BUFFER {
                return Ok(true);
            }
        }
    }
}

enum Entry {
    Same,
    /// To be compared in its turn.
    Directory,
    Different(&'static str),
}

fn attributes(wanted: &Attributes, given: &Attributes) -> Option<&'static str> {
    let kind = fs::type_of(wanted);
    let is_device = kind.is_block_device() || kind.is_char_device();
    match () {
        () if (wanted.st_uid, wanted.st_gid) != (given.st_uid, given.st_gid) => {
            Some("has another owner")
        }
        () if wanted.st_mode != given.st_mode => Some("has another mode"),
        () if is_device && wanted.st_rdev != given.st_rdev => Some("is another device"),
        // A whiteout has no time: nobody sees it.
        () if fs::is_whiteout(wanted) => None,
        () if (wanted.st_mtime, wanted.st_mtime_nsec) != (given.st_mtime, given.st_mtime_nsec) => {
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
