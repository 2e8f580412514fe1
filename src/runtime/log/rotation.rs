//! The files of a log, oldest first: `log.jsonl.7`, `log.jsonl.8`, `log.jsonl`.
//!
//! The last file is written. When it is full it is renamed to the next number and a new one is
//! created, so that a reader can always find the file that follows its open one.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::line;
use crate::model::observe::log::Stream;

const CHUNK: usize = 64 * 1024;

/// Returns the numbers of the full files, ascending.
pub(crate) fn numbers(path: &Path) -> Vec<u64> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let entries = fs::read_dir(directory.unwrap_or_else(|| ".".as_ref()));
    let prefix = format!("{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let number = |name: String| name.strip_prefix(&prefix)?.parse::<u64>().ok();
    let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut all: Vec<_> =
        names.filter_map(|name| number(name.to_string_lossy().into_owned())).collect();
    all.sort_unstable();
    all
}

/// Returns the path of a full file.
pub(crate) fn numbered(path: &Path, number: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// Opens the present file for appending and reading; creates it if it is missing.
pub(crate) fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// Renames the present file to its number, creates a new one and removes the oldest, so that `kept`
/// are left. On failure nothing changes.
pub(crate) fn rotate(path: &Path, kept: u32) -> std::io::Result<File> {
    let mut numbers = numbers(path);
    let next = numbers.last().map_or(1, |last| last + 1);
    let full = numbered(path, next);
    fs::rename(path, &full)?;
    let file = open(path).inspect_err(|_| {
        let _ = fs::rename(&full, path);
    })?;
    numbers.push(next);
    let kept = usize::try_from(kept).unwrap_or(usize::MAX).saturating_sub(1);
    for number in &numbers[..numbers.len().saturating_sub(kept)] {
        let _ = fs::remove_file(numbered(path, *number));
    }
    Ok(file)
}

/// Returns whether this open file is the one at `path`.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let place = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(a), Ok(b)) if place(&a) == place(&b))
}

/// An open file of a log.
#[derive(Debug)]
pub(crate) struct LogSegment {
    pub(crate) file: File,
    /// Its number; `None` for the present file.
    number: Option<u64>,
}

impl LogSegment {
    /// Opens the file after the one with this number, or the oldest after 0. `None` if there is no
    /// file yet.
    pub(crate) fn after(path: &Path, number: u64) -> std::io::Result<Option<LogSegment>> {
        let next = || numbers(path).into_iter().find(|n| *n > number);
        loop {
            let next_number = next();
            let next_path = next_number.map_or_else(|| path.to_owned(), |n| numbered(path, n));
            match File::open(next_path) {
                // It may have been rotated just now.
                Ok(_) if next_number.is_none() && next().is_some() => {}
                Ok(file) => return Ok(Some(LogSegment { file, number: next_number })),
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                // Removed or renamed just now: there is another one to open.
                Err(_) if next() != next_number => {}
                Err(_) => return Ok(None),
            }
        }
    }

    /// Returns its number, once it is full. `None` while it is written.
    pub(crate) fn full(&self, path: &Path) -> std::io::Result<Option<u64>> {
        if self.number.is_some() {
            return Ok(self.number);
        }
        if is_at(&self.file, path) {
            return Ok(None);
        }
        // A file that has been removed since was older than all present ones.
        let this = |number: &u64| is_at(&self.file, &numbered(path, *number));
        Ok(Some(numbers(path).into_iter().find(this).unwrap_or(0)))
    }
}

/// Opens the file in which the last `tail` lines begin, at their beginning.
pub(crate) fn tail(
    path: &Path,
    tail: u64,
    stream: Option<Stream>,
) -> std::io::Result<Option<LogSegment>> {
    let mut parts = Vec::new();
    let mut last = Some(0);
    while let Some(number) = last {
        let Some(part) = LogSegment::after(path, number)? else { break };
        last = part.number;
        parts.push(part);
    }
    let mut left = tail;
    while let Some(mut part) = parts.pop() {
        if seek_last_lines(&mut part.file, &mut left, stream)? || parts.is_empty() {
            return Ok(Some(part));
        }
    }
    Ok(None)
}

/// Moves back over `left` lines, or to the beginning. Returns whether the file has enough lines.
fn seek_last_lines(
    file: &mut File,
    left: &mut u64,
    stream: Option<Stream>,
) -> std::io::Result<bool> {
    let mut position = file.seek(SeekFrom::End(0))?;
    if *left == 0 {
        return Ok(true);
    }
    // The beginning of the chunk: the end of a record that begins before it.
    let mut head = Vec::new();
    while position > 0 {
        let length = position.min(CHUNK as u64);
        position -= length;
        file.seek(SeekFrom::Start(position))?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(CHUNK)];
        file.read_exact(&mut bytes)?;
        bytes.append(&mut head);
        let mut end = bytes.len();
        while end > 0 {
            let start = bytes[..end - 1].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
            if start == 0 && position > 0 {
                break;
            }
            let record = line::parse(&bytes[start..end]);
            let ends_line = record.is_some_and(|(line, partial)| {
                !partial && stream.is_none_or(|stream| line.stream == stream)
            });
            if ends_line && *left == 0 {
                file.seek(SeekFrom::Start(position + end as u64))?;
                return Ok(true);
            }
            *left -= u64::from(ends_line);
            end = start;
        }
        bytes.truncate(end);
        head = bytes;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::reader::Reader;
    use crate::model::container::supervision::LogConfig;
    use crate::model::observe::log::{LogOptions, Stream};
    use crate::runtime::cancel::CancelToken;
    use crate::runtime::log::writer::Writer;

    fn lines(reader: &mut Reader) -> Vec<String> {
        let cancel = CancelToken::new().unwrap();
        let mut lines = Vec::new();
        // One who follows hears of the end of what is there by the time.
        while let Ok(Some(line)) = reader.next_line(Some(Duration::ZERO), &cancel) {
            lines.push(String::from_utf8(line.bytes).unwrap().trim_end().to_owned());
        }
        lines
    }

    #[test]
    fn a_reader_loses_and_doubles_nothing_while_files_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let limits = LogConfig { max_size: Some(2000), max_file: 100 };
        let mut writer = Writer::open(&path, limits).unwrap();
        let mut reader = None;
        let mut seen = Vec::new();
        for n in 0..1000 {
            writer.write(Stream::Stdout, format!("line {n}\n").as_bytes());
            let all = LogOptions { follow: true, across_restarts: true, ..LogOptions::default() };
            let reader = reader.get_or_insert_with(|| Reader::open(&path, &all, None).unwrap());
            if n % 97 == 0 {
                seen.extend(lines(reader));
            }
        }
        seen.extend(lines(&mut reader.unwrap()));
        let expected: Vec<_> = (0..1000).map(|n| format!("line {n}")).collect();
        assert_eq!(seen, expected);
        for tail in [0, 1, 30, 500, 5000] {
            let options = LogOptions { tail: Some(tail), ..LogOptions::default() };
            let last = lines(&mut Reader::open(&path, &options, None).unwrap());
            let first = 1000 - usize::try_from(tail).unwrap().min(1000);
            assert_eq!(last, expected[first..], "{tail}");
        }
    }

    #[test]
    fn no_more_is_kept_than_the_limits_say() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let limits = LogConfig { max_size: Some(2000), max_file: 3 };
        let mut writer = Writer::open(&path, limits).unwrap();
        for n in 0..1000 {
            writer.write(Stream::Stdout, format!("line {n}\n").as_bytes());
        }
        let sizes = std::fs::read_dir(directory.path()).unwrap();
        let sizes: Vec<_> = sizes.map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
        assert_eq!(sizes.len(), 3);
        assert!(sizes.iter().all(|size| *size <= 2000), "{sizes:?}");
        let kept = lines(&mut Reader::open(&path, &LogOptions::default(), None).unwrap());
        assert_eq!(kept.last().unwrap(), "line 999");
    }

    #[test]
    fn long_lines_come_whole_up_to_a_mebibyte() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let mut writer = Writer::open(&path, LogConfig::default()).unwrap();
        let (long, too_long) = (vec![b'x'; 100_000], vec![b'y'; 3 << 20]);
        writer.write(Stream::Stdout, &long);
        writer.write(Stream::Stderr, b"between\n");
        writer.write(Stream::Stdout, b"\n");
        writer.write(Stream::Stdout, &too_long);
        writer.write(Stream::Stdout, b"\nlast\n");
        let read = |tail| {
            let options = LogOptions { tail, ..LogOptions::default() };
            lines(&mut Reader::open(&path, &options, None).unwrap())
        };
        let lengths: Vec<_> = read(None).iter().map(String::len).collect();
        assert_eq!(lengths, [7, 100_000, 1 << 20, 1 << 20, 1 << 20, 0, 4]);
        assert_eq!(read(Some(1)), ["last"]);
        assert_eq!(read(Some(4)).last().unwrap(), "last");
    }
}
