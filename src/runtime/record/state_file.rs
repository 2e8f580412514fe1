//! `state.json`: replaced as a whole, and on a full disk too.
//!
//! A monitor keeps a reserve beside it, a file with blocks of its own. A record that finds no room
//! is written into these blocks, and the two files change places (renameat2(2)): that needs neither
//! a block nor an inode.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::sys::record_file;

const FILE: &str = "state.json";
const NEW: &str = ".state.json.new";
const RESERVE: &str = ".state.json.reserve";
/// The room for a record: more than one with the results of five health checks needs.
const ROOM: usize = 32 * 1024;
/// A block of a reserve.
static BLANK: [u8; 4096] = [b' '; 4096];

/// Keeps room for a record in `directory`, for as long as the container exists.
pub(super) fn keep_room(directory: &Path) -> io::Result<()> {
    let path = directory.join(RESERVE);
    if fs::metadata(&path).is_ok_and(|found| found.len() >= ROOM as u64) {
        return Ok(());
    }
    let mut file = create(&path)?;
    // Written, not allocated: every file system keeps the blocks of written bytes.
    let written = (0..ROOM / BLANK.len()).try_for_each(|_| file.write_all(&BLANK));
    match written {
        // A limit of file size that this user cannot raise holds for the record too.
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(()),
        written => written.inspect_err(|_| {
            let _ = fs::remove_file(&path);
        }),
    }
}

/// Replaces the record: a reader sees the old file or the new one, never a part (rename(2)).
///
/// The file is not synced, because that takes longer than a start: a file system that writes a
/// replaced file out before the rename (ext4, btrfs) keeps one of the two over a power failure, and
/// on any other a damaged state harms only this container.
pub(super) fn replace(directory: &Path, record: &[u8]) -> io::Result<()> {
    let new = directory.join(NEW);
    let written = create(&new)
        .and_then(|mut file| file.write_all(record))
        .and_then(|()| fs::rename(&new, directory.join(FILE)));
    written.or_else(|error| {
        let _ = fs::remove_file(&new);
        from_reserve(directory, record).map_err(|_| error)
    })
}

/// Writes the record into the blocks of the reserve. What is too long there becomes spaces, which
/// JSON allows at its end.
fn from_reserve(directory: &Path, record: &[u8]) -> io::Result<()> {
    let reserve = directory.join(RESERVE);
    let file = record_file::open(&reserve, OpenOptions::new().write(true))?;
    let room = usize::try_from(file.metadata()?.len()).unwrap_or(ROOM).min(ROOM);
    let mut text = record.to_vec();
    text.resize(room.max(record.len()), b' ');
    file.write_all_at(&text, 0)?;
    renameat_with(CWD, &reserve, CWD, directory.join(FILE), RenameFlags::EXCHANGE)?;
    Ok(())
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    record_file::open(path, options.write(true).create(true).truncate(true).mode(0o600))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with the record `1`, room for another, and no way to a new file.
    fn full() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        replace(directory.path(), b"1").unwrap();
        keep_room(directory.path()).unwrap();
        fs::create_dir(directory.path().join(NEW)).unwrap();
        directory
    }

    fn record(directory: &Path) -> serde_json::Value {
        serde_json::from_slice(&fs::read(directory.join(FILE)).unwrap()).unwrap()
    }

    #[test]
    fn a_record_without_room_for_a_new_file_is_written_into_the_reserve() {
        let directory = full();
        for number in 2..6 {
            let text = format!("{{\"number\":{number}}}");
            replace(directory.path(), text.as_bytes()).unwrap();
            assert_eq!(record(directory.path())["number"], number);
        }
    }

    #[test]
    fn a_short_record_in_the_place_of_a_long_one_ends_in_spaces() {
        let directory = full();
        replace(directory.path(), format!("\"{}\"", "x".repeat(5000)).as_bytes()).unwrap();
        replace(directory.path(), b"2").unwrap();
        replace(directory.path(), b"3").unwrap();
        assert_eq!(record(directory.path()), 3);
    }

    #[test]
    fn without_a_reserve_the_first_error_is_reported_and_the_record_stays() {
        let directory = full();
        fs::remove_file(directory.path().join(RESERVE)).unwrap();
        let error = replace(directory.path(), b"2").unwrap_err();
        assert!(error.to_string().contains("found a directory"), "{error}");
        assert_eq!(record(directory.path()), 1);
    }
}
