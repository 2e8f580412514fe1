//! What stands in a place below the engine's root, where a file or a directory is expected.

use std::fs::FileType;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use crate::model::{Error, Kind};

/// Returns what stands in the place of a file, such as "a fifo"; `None` for a regular file, and if
/// there is nothing.
///
/// # Errors
/// When that cannot be found out.
pub fn instead_of_file(path: &Path) -> io::Result<Option<&'static str>> {
    found(path, |kind| kind.is_file())
}

/// As [`instead_of_file`], in the place of a directory: a link to one is none, since what is below
/// it is not the engine's to remove.
///
/// # Errors
/// As [`instead_of_file`].
pub fn instead_of_directory(path: &Path) -> io::Result<Option<&'static str>> {
    found(path, |kind| kind.is_dir())
}

/// As [`instead_of_file`], in the place of a fifo or a socket.
///
/// # Errors
/// As [`instead_of_file`].
pub fn instead_of(
    path: &Path,
    is_right: fn(&FileType) -> bool,
) -> io::Result<Option<&'static str>> {
    found(path, is_right)
}

fn found(path: &Path, is_right: fn(&FileType) -> bool) -> io::Result<Option<&'static str>> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => {
            let kind = found?.file_type();
            Ok(if is_right(&kind) { None } else { Some(name_of(kind)) })
        }
    }
}

/// Returns the error for the first directory above `path` in whose place something else stands.
pub(super) fn obstacle(path: &Path) -> Option<io::Error> {
    let above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.into_iter().rev().find_map(|directory| {
        let is_directory = directory.metadata().is_ok_and(|found| found.is_dir());
        let found = directory.symlink_metadata().ok().filter(|_| !is_directory)?;
        let name = name_of(found.file_type());
        let message = format!("expected a directory at `{}`, found {name}", directory.display());
        Some(with_way(message))
    })
}

/// Returns the error for a place of a file or a directory, as `expected` says.
pub(super) fn in_its_place(expected: &str, name: &str) -> io::Error {
    with_way(format!("expected {expected}, found {name}"))
}

fn with_way(message: String) -> io::Error {
    let error = Error::new(Kind::Corrupt, message);
    io::Error::other(error.hint("repair it: lifebox system check --repair"))
}

pub(super) fn name_of(kind: FileType) -> &'static str {
    let names = [
        (kind.is_file(), "a regular file"),
        (kind.is_dir(), "a directory"),
        (kind.is_symlink(), "a symbolic link"),
        (kind.is_fifo(), "a fifo"),
        (kind.is_socket(), "a socket"),
    ];
    names.into_iter().find(|(is_it, _)| *is_it).map_or("a device", |(_, name)| name)
}
