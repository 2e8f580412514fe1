//! Files that are written for a user: atomically, and through links.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::cancel_check::CancelCheck;
use super::stream::OutputStream;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// The most links that are followed, as in Linux (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// The target of bytes for a user.
type Out<'a> = &'a mut (dyn Write + Send);

/// Writes a file that appears under its name when it is complete. A link stays, and its target is
/// written; a target that is not a regular file, such as a pipe or a device, is written directly,
/// and each wait for its reader calls `check`.
///
/// # Errors
/// [`Kind::Invalid`] for a directory, [`Kind::NotFound`] if its directory is missing; when it
/// cannot be written: then the old content stays.
pub fn write_atomic(
    path: &Path,
    check: CancelCheck<'_>,
    write: impl FnOnce(Out<'_>) -> Result<()>,
) -> Result<()> {
    replace(path, true, check, write)
}

/// As [`write_atomic`], but always with mode 0600, and synced to disk.
///
/// # Errors
/// As [`write_atomic`].
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let what = || format!("cannot write `{}`", path.display());
    replace(path, false, &|| Ok(()), |out| out.write_all(bytes).context(what))
}

fn replace(
    path: &Path,
    is_for_all: bool,
    check: CancelCheck<'_>,
    write: impl FnOnce(Out<'_>) -> Result<()>,
) -> Result<()> {
    let what = || format!("cannot write `{}`", path.display());
    let found = match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        found => Some(found.context(what)?),
    };
    if found.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        return Err(Error::new(Kind::Invalid, what())
            .cause("it is a directory")
            .hint(format!("name a file in it: `{}`", path.join("NAME").display())));
    }
    let target = target(path).context(what)?;
    let (Some(target), true) = (target, found.as_ref().is_none_or(std::fs::Metadata::is_file))
    else {
        return write(&mut OutputStream::open(path, check)?);
    };
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let temporary = target.with_file_name(format!(".{name}.{}", std::process::id()));
    let created = File::options().write(true).create_new(true).mode(0o600).open(&temporary);
    let mut file = created.map_err(|error| match (error.kind(), target.parent()) {
        (ErrorKind::NotFound, Some(parent)) => Error::new(Kind::NotFound, what())
            .cause(format!("there is no directory `{}`", parent.display()))
            .hint(format!("create it first: mkdir -p {}", parent.display())),
        _ => Error::from_io(what(), &error),
    })?;
    let written = write(&mut file).and_then(|()| {
        if !is_for_all {
            file.sync_all().context(what)?;
        } else if let Some(before) = &found {
            let mode = before.permissions().mode() & 0o777;
            file.set_permissions(std::fs::Permissions::from_mode(mode)).context(what)?;
        }
        std::fs::rename(&temporary, &target).context(what)?;
        match target.parent().filter(|parent| !is_for_all && !parent.as_os_str().is_empty()) {
            Some(parent) => fs::sync_dir(parent).context(what),
            None => Ok(()),
        }
    });
    if written.is_err() {
        // If even this fails, the file stays.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// Resolves the links at the end of `path`; `None` if the target has no name, as with
/// `/dev/stdout`, which leads to an open file.
fn target(path: &Path) -> std::io::Result<Option<PathBuf>> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match path.symlink_metadata() {
            Ok(found) if found.is_symlink() => {}
            Ok(_) => return Ok(Some(path)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(path)),
            Err(error) => return Err(error),
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.unwrap_or(Path::new(".")).canonicalize()?;
        if directory.starts_with("/proc") {
            return Ok(None);
        }
        path = directory.join(path.read_link()?);
    }
    Err(rustix::io::Errno::LOOP.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn put(path: &Path, text: &str) -> Result<()> {
        write_atomic(path, &|| Ok(()), |out| {
            out.write_all(text.as_bytes()).context(|| "write".to_owned())
        })
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::create_dir(at("other")).unwrap();
        std::fs::write(at("other/file"), "old").unwrap();
        std::fs::set_permissions(at("other/file"), std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink("other/file", at("one")).unwrap();
        symlink(at("one"), at("two")).unwrap();
        symlink("other/new", at("dangling")).unwrap();
        put(&at("two"), "new").unwrap();
        assert_eq!(std::fs::read_to_string(at("other/file")).unwrap(), "new");
        assert_eq!(at("other/file").metadata().unwrap().permissions().mode() & 0o777, 0o640);
        put(&at("dangling"), "made").unwrap();
        assert_eq!(std::fs::read_to_string(at("other/new")).unwrap(), "made");
        for name in ["one", "two", "dangling"] {
            assert!(at(name).is_symlink(), "{name}");
        }
        assert_eq!(names(directory.path()), ["dangling", "one", "other", "two"]);
        assert_eq!(names(&at("other")), ["file", "new"]);
        symlink("round", at("round")).unwrap();
        assert!(put(&at("round"), "x").is_err());
    }

    #[test]
    fn a_pipe_is_written_as_it_is_however_it_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("stdout");
        let (mut reader, writer) = std::io::pipe().unwrap();
        symlink(format!("/proc/self/fd/{}", writer.as_raw_fd()), &link).unwrap();
        put(&link, "through").unwrap();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
        // An open file: its readers continue to see it.
        let mut file = tempfile::tempfile().unwrap();
        let open = directory.path().join("open");
        symlink(format!("/proc/self/fd/{}", file.as_raw_fd()), &open).unwrap();
        put(&open, "more").unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "more");
        assert!(link.is_symlink() && open.is_symlink());
        assert_eq!(names(directory.path()), ["open", "stdout"]);
    }

    #[test]
    fn what_can_t_be_a_file_is_said_with_a_way_out() {
        let directory = tempfile::tempdir().unwrap();
        let error = put(directory.path(), "x").unwrap_err();
        assert!(error.kind() == Kind::Invalid && error.to_string().contains("a directory"));
        let missing = directory.path().join("a/b/c");
        let error = put(&missing, "x").unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(error.hint_text().unwrap().contains("mkdir -p"), "{error:?}");
        let failed = directory.path().join("failed");
        let no = |_: Out<'_>| Err(Error::new(Kind::System, "no"));
        assert!(write_atomic(&failed, &|| Ok(()), no).is_err());
        assert_eq!(names(directory.path()), Vec::<String>::new());
    }
}
