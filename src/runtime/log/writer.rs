//! The log of a container, `log.jsonl`, written by its monitor.
//!
//! One record per line, as Docker's json-file driver writes them:
//! `{"log":"hello\n","stream":"stdout","time":"..."}`. Bytes that are not UTF-8 go into `log64`
//! instead, so that every byte is kept. A line longer than 16 KiB continues in the next record of
//! its stream: all parts but the last say `"partial":true`, and readers join them. A file that has
//! reached its limit gets a number, and a new one is created (`rotation.rs`).

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::Serialize;

use super::line::Record;
use super::rotation;
use crate::model::container::supervision::LogConfig;
use crate::model::observe::log::Stream;
use crate::model::{Error, Kind, Result};

/// The longest part of a line in one record, in bytes.
const MAX_LINE: usize = 16 * 1024;

/// The marker where the disk was full, with the number of bytes that are missing.
#[derive(Debug, Serialize)]
struct Gap {
    dropped: u64,
    bytes: u64,
    stream: Stream,
    time: String,
}

/// A log writer. It never blocks on anything but the disk, and keeps no more than one line in
/// memory.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    limits: LogConfig,
    /// Where the last complete record ended.
    end: u64,
    /// The beginning of an unfinished line, for each stream.
    partial: [Vec<u8>; 2],
    buffer: Vec<u8>,
    dropped: (u64, u64),
}

impl Writer {
    /// Opens the log at `path` for appending; creates it if it is missing.
    ///
    /// # Errors
    /// When the disk is full or read-only.
    pub fn open(path: &Path, limits: LogConfig) -> Result<Self> {
        let file = rotation::open(path).map_err(|error| {
            Error::from_io(format!("open `{}`", path.display()), &error).with_kind(Kind::System)
        })?;
        let end = file.metadata().map_or(0, |metadata| metadata.len());
        Ok(Writer {
            file,
            path: path.to_owned(),
            limits,
            end,
            partial: [Vec::new(), Vec::new()],
            buffer: Vec::new(),
            dropped: (0, 0),
        })
    }

    /// Returns how many bytes of these records go to the present file, after a rotation if not one
    /// more fits.
    fn piece(&mut self, records: &[u8]) -> usize {
        let Some(max) = self.limits.max_size else { return records.len() };
        let fits = |end: u64| {
            let room = usize::try_from(max.saturating_sub(end)).unwrap_or(usize::MAX);
            let within = &records[..records.len().min(room)];
            within.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1)
        };
        let first = || records.iter().position(|b| *b == b'\n').map_or(records.len(), |at| at + 1);
        let now = fits(self.end);
        if now > 0 {
            return now;
        }
        if self.end > 0 {
            self.rotate();
        }
        // A record may be longer than a file, or the rotation may have failed.
        fits(self.end).max(first())
    }

    /// Rotates the log. On failure the present file continues.
    fn rotate(&mut self) {
        if let Ok(file) = rotation::rotate(&self.path, self.limits.max_file) {
            (self.file, self.end) = (file, 0);
        }
    }

    /// Writes output of a stream; empty `bytes` are its end.
    pub fn write(&mut self, stream: Stream, mut bytes: &[u8]) {
        let time = Timestamp::now().to_string();
        let partial = usize::from(stream == Stream::Stderr);
        let at_end = bytes.is_empty();
        while !bytes.is_empty() {
            let held = self.partial[partial].len();
            let newline = bytes.iter().position(|b| *b == b'\n').map(|at| at + 1);
            let room = MAX_LINE - held;
            let (take, whole) = match newline {
                Some(length) if length <= room => (length, true),
                _ => (bytes.len().min(room), bytes.len() >= room),
            };
            let (now, rest) = bytes.split_at(take);
            bytes = rest;
            if whole && held == 0 {
                self.record(stream, now, &time, !now.ends_with(b"\n"));
            } else {
                self.partial[partial].extend_from_slice(now);
                if whole {
                    self.flush_partial(stream, &time, !now.ends_with(b"\n"));
                }
            }
        }
        if at_end && !self.partial[partial].is_empty() {
            self.flush_partial(stream, &time, false);
        }
        self.flush(stream);
    }

    fn flush_partial(&mut self, stream: Stream, time: &str, partial: bool) {
        let held = usize::from(stream == Stream::Stderr);
        let mut line = std::mem::take(&mut self.partial[held]);
        self.record(stream, &line, time, partial);
        line.clear();
        self.partial[held] = line;
    }

    fn record(&mut self, stream: Stream, line: &[u8], time: &str, partial: bool) {
        let (log, log64) = match std::str::from_utf8(line) {
            Ok(text) => (Some(Cow::Borrowed(text)), None),
            Err(_) => (None, Some(BASE64.encode(line))),
        };
        let record = Record { log, log64, stream, time: Cow::Borrowed(time), partial };
        // A write to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.buffer, &record);
        self.buffer.push(b'\n');
    }

    /// Writes the buffer. A full disk must not stop the container: bytes that cannot be written are
    /// counted, and the count is written when there is room again.
    fn flush(&mut self, stream: Stream) {
        if self.buffer.is_empty() {
            return;
        }
        if self.dropped.0 > 0 {
            let (dropped, bytes) = self.dropped;
            let gap = Gap { dropped, bytes, stream, time: Timestamp::now().to_string() };
            let mut marked = serde_json::to_vec(&gap).unwrap_or_default();
            marked.push(b'\n');
            marked.append(&mut self.buffer);
            self.buffer = marked;
        }
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        while !rest.is_empty() {
            let piece = self.piece(rest);
            if self.file.write_all(&rest[..piece]).is_err() {
                // A partial record must not stay, or the next one would be unreadable too.
                let _ = self.file.set_len(self.end);
                break;
            }
            self.end += piece as u64;
            self.dropped = (0, 0);
            rest = &rest[piece..];
        }
        let records = rest.iter().filter(|b| **b == b'\n').count() as u64;
        self.dropped = (self.dropped.0 + records, self.dropped.1 + rest.len() as u64);
        self.buffer = buffer;
        self.buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::line;
    use super::*;
    use crate::model::observe::log::LogLine;

    fn written(writes: &[(Stream, &[u8])]) -> Vec<LogLine> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut writer = Writer::open(&path, LogConfig::default()).unwrap();
        for (stream, bytes) in writes {
            writer.write(*stream, bytes);
        }
        let text = std::fs::read(&path).unwrap();
        text.split(|b| *b == b'\n').filter_map(line::parse).map(|(line, _)| line).collect()
    }

    #[test]
    fn lines_come_back_byte_for_byte() {
        let lines = written(&[
            (Stream::Stdout, b"one\ntw"),
            (Stream::Stderr, b"\xff\0\r\n"),
            (Stream::Stdout, b"o\nlast"),
            (Stream::Stdout, b""),
        ]);
        let shown: Vec<_> = lines.iter().map(|line| (line.stream, line.bytes.as_slice())).collect();
        let expected: [(Stream, &[u8]); 4] = [
            (Stream::Stdout, b"one\n"),
            (Stream::Stderr, b"\xff\0\r\n"),
            (Stream::Stdout, b"two\n"),
            (Stream::Stdout, b"last"),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_long_line_is_split_and_nothing_is_lost() {
        let long = vec![b'x'; 3 * MAX_LINE + 5];
        let lines = written(&[(Stream::Stdout, &long), (Stream::Stdout, b"\n")]);
        assert!(lines.iter().all(|line| line.bytes.len() <= MAX_LINE));
        let joined: Vec<u8> = lines.iter().flat_map(|line| line.bytes.clone()).collect();
        assert_eq!(joined, [long.as_slice(), b"\n"].concat());
    }
}
