//! Directories that the engine keeps below its root.
//!
//! Anything may stand in their place: a file, a fifo, a link. Nothing here waits for a fifo or
//! follows a link, and an error names the place.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::fs;
use super::place::{in_its_place, instead_of_directory, obstacle};
use crate::model::error::Context as _;
use crate::model::{Error, Kind, Result};

/// Opens a directory.
///
/// # Errors
/// [`Kind::Corrupt`] if something else stands in its place; when it cannot be opened.
pub fn open(path: &Path) -> Result<OwnedFd> {
    opened(path).context(|| format!("open `{}`", path.display()))
}

fn opened(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| explain(path, errno.into()))
}

/// Returns the names in a directory; `None` if there is none.
///
/// # Errors
/// As [`open`].
pub fn names(path: &Path) -> Result<Option<Vec<OsString>>> {
    let read = || format!("read `{}`", path.display());
    match opened(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        directory => {
            let names = fs::names(directory.context(read)?).context(read)?;
            Ok(Some(names.into_iter().map(OsString::from_vec).collect()))
        }
    }
}

/// Creates a directory with mode 0700, with its missing parents, and syncs what holds a new one. A
/// directory of this name stays.
///
/// # Errors
/// As [`open`].
pub fn make(path: &Path) -> Result<()> {
    // Instead of an mkdir(2) that fails for what exists: this tells what it is.
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return check(path),
        Err(_) => {}
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let make = || rustix::fs::mkdir(path, Mode::from_raw_mode(0o700));
    let mut made = make();
    if let (Err(Errno::NOENT), Some(parent)) = (made, parent) {
        self::make_parent(parent)?;
        made = make();
    }
    match made {
        Ok(()) => fs::sync_dir(parent.unwrap_or(Path::new("."))),
        // Another process was faster.
        Err(Errno::EXIST) => check(path),
        Err(errno) => {
            Err(explain(path, errno.into())).context(|| format!("mkdir `{}`", path.display()))
        }
    }
}

/// The parent may be a link to a directory: that of the root is the user's.
fn make_parent(path: &Path) -> Result<()> {
    if path.is_dir() { Ok(()) } else { make(path) }
}

/// Checks that no other thing stands in the place of a directory.
///
/// # Errors
/// [`Kind::Corrupt`] if one does.
pub fn check(path: &Path) -> Result<()> {
    let what = || format!("stat `{}`", path.display());
    match instead_of_directory(path).map_err(|error| explain(path, error)).context(what)? {
        None => Ok(()),
        Some(name) => {
            Err(in_its_place("a directory", name)).context(|| format!("use `{}`", path.display()))
        }
    }
}

/// Names what stands in the place of this directory, or of one above it, if that is why an
/// operation failed.
pub fn explain(path: &Path, error: io::Error) -> io::Error {
    const NOT_A_DIRECTORY: [i32; 3] = [libc::ENOTDIR, libc::ELOOP, libc::ENOENT];
    if !error.raw_os_error().is_some_and(|errno| NOT_A_DIRECTORY.contains(&errno)) {
        return error;
    }
    match instead_of_directory(path) {
        Ok(Some(name)) => in_its_place("a directory", name),
        _ => obstacle(path).unwrap_or(error),
    }
}

/// Returns whether an error is of what stands in a place of the store, or of its content: not of
/// the host, the disk or the user.
pub fn is_of_store(error: &Error) -> bool {
    const OF_A_PLACE: [i32; 8] = [
        libc::ENOENT,
        libc::ENOTDIR,
        libc::ELOOP,
        libc::EISDIR,
        libc::ENXIO,
        libc::EEXIST,
        libc::ENOTEMPTY,
        libc::EXDEV,
    ];
    match error.errno() {
        Some(errno) => OF_A_PLACE.contains(&errno),
        None => matches!(error.kind(), Kind::Corrupt | Kind::Unsupported | Kind::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::place;

    #[test]
    fn what_is_no_directory_is_named_and_nothing_waits() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        std::os::unix::fs::symlink(at("directory"), at("link")).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", at("dangling")).unwrap();
        let (mode, kind) = (Mode::RUSR, rustix::fs::FileType::Fifo);
        rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), kind, mode, 0).unwrap();
        for (name, expected) in [
            ("file", "a regular file"),
            ("link", "a symbolic link"),
            ("dangling", "a symbolic link"),
            ("fifo", "a fifo"),
        ] {
            assert_eq!(place::instead_of_directory(&at(name)).unwrap(), Some(expected));
            for error in [
                open(&at(name)).unwrap_err(),
                names(&at(name)).unwrap_err(),
                make(&at(name)).unwrap_err(),
            ] {
                assert_eq!(error.kind(), Kind::Corrupt, "{name}: {error}");
                assert!(error.to_string().ends_with(&format!("found {expected}")), "{error}");
                assert!(is_of_store(&error));
            }
            if name == "link" {
                continue;
            }
            let error = make(&at(name).join("inner")).unwrap_err();
            assert_eq!(error.kind(), Kind::Corrupt, "{name}: {error}");
            assert!(error.to_string().contains(&at(name).display().to_string()), "{error}");
        }
        assert_eq!(names(&at("missing")).unwrap(), None);
        assert_eq!(names(&at("directory")).unwrap(), Some(Vec::new()));
        make(&at("new/below")).unwrap();
        make(&at("new/below")).unwrap();
        open(&at("new/below")).unwrap();
    }
}
