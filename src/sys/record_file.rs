//! Files that the engine keeps below its root: records, locks and logs.
//!
//! Anything may stand in their place: a directory, a link, a fifo. An open follows no link, never
//! waits for the other end of a fifo, and accepts a regular file only.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::place::{in_its_place, instead_of_file, name_of, obstacle};
use crate::model::{Error, Kind};

/// The largest record: a damaged one must not fill the memory.
const MAX_RECORD: u64 = 256 << 20;

const FILE: &str = "a regular file";

const FLAGS: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;

/// Opens a record or a log.
///
/// # Errors
/// [`Kind::Corrupt`] if something else stands in its place; when it cannot be opened.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    open_with_metadata(path, options).map(|(file, _)| file)
}

fn open_with_metadata(path: &Path, options: &mut OpenOptions) -> io::Result<(File, Metadata)> {
    match options.custom_flags(FLAGS).open(path) {
        Ok(file) => {
            let found = file.metadata()?;
            match found.is_file() {
                true => Ok((file, found)),
                false => Err(in_its_place(FILE, name_of(found.file_type()))),
            }
        }
        Err(error) => Err(explain(path, error)),
    }
}

/// Reads a whole record.
///
/// # Errors
/// As [`open`]; [`Kind::Corrupt`] if it is larger than 256 MiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (file, found) = open_with_metadata(path, OpenOptions::new().read(true))?;
    let mut bytes = Vec::new();
    if found.len() <= MAX_RECORD {
        // One more, so that the end is met without another buffer.
        bytes.reserve_exact(usize::try_from(found.len()).unwrap_or(0) + 1);
        file.take(MAX_RECORD + 1).read_to_end(&mut bytes)?;
    }
    if found.len().max(bytes.len() as u64) > MAX_RECORD {
        let message = format!("it is larger than {} MiB", MAX_RECORD >> 20);
        return Err(io::Error::other(Error::new(Kind::Corrupt, message)));
    }
    Ok(bytes)
}

/// Reads a whole record that is text.
///
/// # Errors
/// As [`read`]; [`Kind::Corrupt`] if it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    let not_text = |_| io::Error::other(Error::new(Kind::Corrupt, "it is not UTF-8 text"));
    String::from_utf8(read(path)?).map_err(not_text)
}

/// Opens a file to lock it. A lock has no content, so anything that can be opened will do.
///
/// # Errors
/// [`Kind::Corrupt`] for a link or a socket; when it cannot be opened.
pub fn open_lock(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new().read(true).custom_flags(FLAGS).open(path);
    opened.map_err(|error| explain(path, error))
}

/// As [`open_lock`], and creates the file if it is missing.
///
/// # Errors
/// As [`open_lock`].
pub fn open_or_create_lock(path: &Path) -> io::Result<File> {
    match open_lock(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut options = OpenOptions::new();
            let options = options.create(true).truncate(false).write(true).mode(0o600);
            open(path, options).map_err(|error| match error.kind() {
                ErrorKind::NotFound => obstacle(path).unwrap_or(error),
                _ => error,
            })
        }
        opened => opened,
    }
}

/// Names what the open of a link, a directory or a fifo failed for, and what stands in the place of
/// a directory above.
fn explain(path: &Path, error: io::Error) -> io::Error {
    const NOT_A_FILE: [i32; 4] = [libc::ELOOP, libc::EISDIR, libc::ENXIO, libc::ENODEV];
    match error.raw_os_error() {
        Some(libc::ENOTDIR) => obstacle(path).unwrap_or(error),
        Some(errno) if NOT_A_FILE.contains(&errno) => match instead_of_file(path) {
            Ok(Some(name)) => in_its_place(FILE, name),
            _ => error,
        },
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::Context as _;

    #[test]
    fn what_is_not_a_regular_file_is_named_and_no_open_waits() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        std::fs::create_dir(at("directory")).unwrap();
        std::fs::write(at("file"), "text").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        let (mode, kind) = (rustix::fs::Mode::RUSR, rustix::fs::FileType::Fifo);
        rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), kind, mode, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for (name, expected) in [
            ("directory", "a directory"),
            ("link", "a symbolic link"),
            ("fifo", "a fifo"),
            ("socket", "a socket"),
        ] {
            let mut append = OpenOptions::new();
            let append = append.append(true).create(true);
            let written = open(&at(name), append).map(drop);
            for result in [read(&at(name)).map(drop), written] {
                let error = result.context(|| format!("open `{name}`")).unwrap_err();
                assert_eq!(error.kind(), Kind::Corrupt, "{name}: {error}");
                assert!(error.to_string().ends_with(&format!("found {expected}")), "{error}");
            }
            assert_eq!(instead_of_file(&at(name)).unwrap(), Some(expected));
        }
        assert_eq!(read_text(&at("file")).unwrap(), "text");
        assert_eq!(instead_of_file(&at("missing")).unwrap(), None);
        assert_eq!(read(&at("missing")).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_record_of_any_apparent_size_does_not_fill_the_memory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(1 << 40).unwrap();
        let error = read(file.path()).context(|| "read".to_owned()).unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt);
        assert!(error.to_string().contains("larger than 256 MiB"), "{error}");
    }

    #[test]
    fn a_lock_needs_no_regular_file() {
        let place = tempfile::tempdir().unwrap();
        open_lock(place.path()).unwrap().try_lock().unwrap();
        let path = place.path().join("lock");
        assert_eq!(open_lock(&path).unwrap_err().kind(), ErrorKind::NotFound);
        open_or_create_lock(&path).unwrap().try_lock().unwrap();
        assert!(path.is_file());
    }
}
