//! One file of a log, open for reading, and the search for the last lines.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::line::{self, Parsed};
use super::rotation::{is_at, numbered, numbers};
use crate::model::observe::log::Stream;
use crate::sys::record_file;

const CHUNK: usize = 64 * 1024;

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
            match record_file::open(&next_path, OpenOptions::new().read(true)) {
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
    // The parts of a record that begins before the last chunk read, the last part first: joined
    // once, and each searched once, because a record may be as long as the file.
    let mut later: Vec<Vec<u8>> = Vec::new();
    while position > 0 {
        let length = position.min(CHUNK as u64);
        position -= length;
        file.seek(SeekFrom::Start(position))?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(CHUNK)];
        file.read_exact(&mut bytes)?;
        let mut end = bytes.len();
        while end > 0 {
            // The last byte ends the record itself, unless that is in a later part.
            let before = if later.is_empty() { end - 1 } else { end };
            let newline = bytes[..before].iter().rposition(|b| *b == b'\n');
            if newline.is_none() && position > 0 {
                break;
            }
            let start = newline.map_or(0, |at| at + 1);
            let mut record = bytes[start..end].to_vec();
            later.drain(..).rev().for_each(|part| record.extend(part));
            let end_of_record = position + (start + record.len()) as u64;
            let ends_line = match line::parse(&record) {
                Parsed::Output(line, partial) => {
                    !partial && stream.is_none_or(|stream| line.stream == stream)
                }
                Parsed::Lost(..) | Parsed::Blank => false,
            };
            if ends_line && *left == 0 {
                file.seek(SeekFrom::Start(end_of_record))?;
                return Ok(true);
            }
            *left -= u64::from(ends_line);
            end = start;
        }
        if end > 0 {
            bytes.truncate(end);
            later.push(bytes);
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::reader::Reader;
    use crate::model::observe::log::LogOptions;
    use crate::runtime::cancel::CancelToken;

    #[test]
    fn a_record_of_many_mebibytes_is_searched_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let record = |log: &str| {
            let rest = r#""stream":"stdout","time":"2026-01-02T03:04:05Z""#;
            format!("{{\"log\":\"{log}\\n\",{rest}}}\n")
        };
        let long = "x".repeat(8 << 20);
        // Intact, damaged, and without an end.
        let log =
            [record("first"), record(&long), "{\"".to_owned() + &long + "\n", record("last"), long];
        std::fs::write(&path, log.concat()).unwrap();
        let cancel = CancelToken::new().unwrap();
        let begun = Instant::now();
        for (tail, expected) in [(None, 3), (Some(1), 1), (Some(2), 2), (Some(9), 3)] {
            let options = LogOptions { tail, ..LogOptions::default() };
            let mut reader = Reader::open(&path, &options, None).unwrap();
            let lines: Vec<_> =
                std::iter::from_fn(|| reader.next_line(None, &cancel).unwrap()).collect();
            assert_eq!(lines.len(), expected, "{tail:?}");
            assert_eq!(lines.last().unwrap().bytes, b"last\n");
        }
        // Chunk after chunk anew, each reader took minutes.
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    }

    #[test]
    fn a_reader_is_cancelled_before_the_next_line_and_loses_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let record = r#"{"log":"a\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}"#;
        std::fs::write(&path, format!("{record}\n").repeat(3)).unwrap();
        let cancel = CancelToken::new().unwrap();
        let mut reader = Reader::open(&path, &LogOptions::default(), None).unwrap();
        reader.next_line(None, &cancel).unwrap().unwrap();
        cancel.cancel();
        assert!(reader.next_line(None, &cancel).is_err());
        cancel.reset();
        let left = std::iter::from_fn(|| reader.next_line(None, &cancel).unwrap());
        assert_eq!(left.count(), 2);
    }
}
