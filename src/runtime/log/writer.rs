//! The log of a container, `log.jsonl`, written by its monitor.
//!
//! One record per line, as Docker's json-file driver writes them:
//! `{"log":"hello\n","stream":"stdout","time":"..."}`. Bytes that are not UTF-8 go into `log64`
//! instead, so that every byte is kept. A line longer than 16 KiB continues in the next record of
//! its stream: all parts but the last say `"partial":true`, and readers join them. A file that has
//! reached its limit gets a number, and a new one is created (`rotation.rs`). A full disk does not
//! stop the container: what cannot be written is counted in a marker (`gap.rs`), which takes the
//! place of a record that was cut off, or of the last records of the file.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;

use super::line::{self, Record};
use super::{gap, rotation};
use crate::model::container::logging::LogConfig;
use crate::model::observe::log::{LostOutput, Stream};
use crate::model::{Error, Kind, Result};
use crate::sys::record_file;

/// The longest part of a line in one record, in bytes.
const MAX_LINE: usize = 16 * 1024;
/// How far back a record begins at most: each byte of a line may take six in JSON.
const MAX_RECORD: u64 = 8 * MAX_LINE as u64;
/// The room that an empty log keeps for a marker: one block.
const ROOM: u64 = 4096;

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
    /// What could not be written since the last record, and since when.
    lost: Option<(LostOutput, Timestamp)>,
    /// The marker of it: offset and length.
    marker: Option<(u64, u64)>,
    /// Whether an empty file keeps room for a marker.
    keeps_room: bool,
}

impl Writer {
    /// Opens the log at `path` for appending; creates it if it is missing.
    ///
    /// # Errors
    /// When the disk is full or read-only.
    pub fn open(path: &Path, limits: LogConfig) -> Result<Self> {
        let file = rotation::open(path).map_err(|error| {
            let failed = Error::from_io(format!("open `{}`", path.display()), &error);
            if failed.kind() == Kind::Corrupt { failed } else { failed.with_kind(Kind::System) }
        })?;
        let end = file.metadata().map_or(0, |metadata| metadata.len());
        let mut writer = Writer {
            file,
            path: path.to_owned(),
            limits,
            end,
            partial: [Vec::new(), Vec::new()],
            buffer: Vec::new(),
            lost: None,
            marker: None,
            keeps_room: false,
        };
        writer.end_last_record();
        Ok(writer)
    }

    /// Keeps room for the marker of a loss, for when the disk fills before the first line.
    pub fn keep_room(&mut self) {
        self.keeps_room = true;
        if self.end == 0 {
            let keep_size = rustix::fs::FallocateFlags::KEEP_SIZE;
            // Not every file system can; then a loss before the first line has no marker.
            let _ = rustix::fs::fallocate(&self.file, keep_size, 0, ROOM);
        }
    }

    /// Ends a record that a killed monitor or a power failure cut off: the next one would be
    /// unreadable too.
    fn end_last_record(&mut self) {
        let mut last = [b'\n'];
        if self.end == 0 || self.file.read_exact_at(&mut last, self.end - 1).is_err() {
            return;
        }
        if last == *b"\n" {
            return;
        }
        match self.append(b"\n") {
            (_, Ok(())) => {}
            (_, Err(error)) => {
                let cut = self.end;
                self.end = self.record_before(cut, 0).map_or(0, |(start, _)| start);
                self.cut_off();
                self.add_loss(gap::damaged());
                self.write_marker(&[], &error);
            }
        }
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
            if self.marker.take().is_some() {
                self.lost = None;
            }
            if self.keeps_room {
                self.keep_room();
            }
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
        self.flush();
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

    /// Writes the buffer, after the marker of a loss that has none yet.
    fn flush(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        let mut result = Ok(());
        if self.lost.is_some() && self.marker.is_none() {
            result = self.append_marker();
        }
        while result.is_ok() && !rest.is_empty() {
            let piece = self.piece(rest);
            let (written, appended) = self.append(&rest[..piece]);
            if written > 0 {
                (self.lost, self.marker) = (None, None);
            }
            rest = &rest[written..];
            result = appended;
        }
        if let Err(error) = result {
            self.write_marker(rest, &error);
        }
        self.buffer = buffer;
        self.buffer.clear();
    }

    /// Appends records; returns the length of those that are whole in the file. After an error the
    /// file may end with a part of the next one.
    fn append(&mut self, records: &[u8]) -> (usize, io::Result<()>) {
        let mut done = 0;
        let mut result = Ok(());
        while done < records.len() && result.is_ok() {
            match self.file.write(&records[done..]) {
                Ok(0) => result = Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => result = Err(error),
            }
        }
        let whole = records[..done].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        self.end += whole as u64;
        (whole, result)
    }

    /// Counts these records as lost, and writes the marker: at the place of the marker that is
    /// there already, of the part of a record, or of the last records.
    fn write_marker(&mut self, records: &[u8], error: &io::Error) {
        let reason = reason(error);
        if !records.is_empty() {
            self.add_loss(line::lost_in(records, &reason));
        }
        let length = gap::LENGTH as u64;
        let part = self.file.metadata().map_or(0, |found| found.len().saturating_sub(self.end));
        if self.marker.is_none() && part >= length && self.overwrite(self.end, part).is_ok() {
            self.end += part;
            return;
        }
        if part > 0 {
            self.cut_off();
        }
        if let Some((at, length)) = self.marker {
            // If this fails, the numbers are those of before.
            let _ = self.overwrite(at, length);
            return;
        }
        if self.append_marker().is_ok() {
            return;
        }
        self.cut_off();
        if let Some((at, overwritten)) = self.record_before(self.end, length) {
            let before = self.lost.clone();
            self.add_loss(line::lost_in(&overwritten, &reason));
            if self.overwrite(at, self.end - at).is_err() {
                // A file system that copies on write needs room for this too: tried again.
                self.lost = before;
            }
        }
    }

    fn add_loss(&mut self, more: LostOutput) {
        match &mut self.lost {
            Some((lost, _)) => lost.add(&more),
            None => self.lost = Some((more, Timestamp::now())),
        }
    }

    fn append_marker(&mut self) -> io::Result<()> {
        let Some((lost, since)) = &self.lost else { return Ok(()) };
        let text = gap::encode(lost, *since, gap::LENGTH);
        let at = self.end;
        let (whole, result) = self.append(&text);
        if whole > 0 {
            self.marker = Some((at, whole as u64));
        }
        result
    }

    /// Writes the marker over what the file has there already.
    fn overwrite(&mut self, at: u64, length: u64) -> io::Result<()> {
        let Some((lost, since)) = &self.lost else { return Ok(()) };
        let text = gap::encode(lost, *since, usize::try_from(length).unwrap_or(gap::LENGTH));
        // The log's own descriptor writes at the end only.
        let file = record_file::open(&self.path, OpenOptions::new().write(true))?;
        file.write_all_at(&text, at)?;
        self.marker = Some((at, length));
        Ok(())
    }

    /// Removes what follows the last whole record.
    fn cut_off(&self) {
        if self.file.set_len(self.end).is_err() {
            // At least it must not be taken for the beginning of the next record.
            let _ = self.file.metadata().and_then(|found| {
                let length = usize::try_from(found.len().saturating_sub(self.end)).unwrap_or(0);
                let mut blank = vec![b' '; length.min(2 * MAX_LINE)];
                if let Some(last) = blank.last_mut() {
                    *last = b'\n';
                }
                let file = record_file::open(&self.path, OpenOptions::new().write(true))?;
                file.write_all_at(&blank, self.end)
            });
        }
    }

    /// Finds the last records before `end` that have at least this length together. Returns where
    /// they begin, and their bytes.
    fn record_before(&self, end: u64, length: u64) -> Option<(u64, Vec<u8>)> {
        let from = end.saturating_sub(MAX_RECORD + length);
        let mut bytes = vec![0; usize::try_from(end - from).ok()?];
        self.file.read_exact_at(&mut bytes, from).ok()?;
        let last = bytes.len().checked_sub(usize::try_from(length).ok()?.max(1))?;
        let newline = bytes[..last].iter().rposition(|b| *b == b'\n');
        let start = match newline {
            Some(at) => at + 1,
            None if from == 0 => 0,
            None => return None,
        };
        Some((from + start as u64, bytes.split_off(start)))
    }
}

/// Says why a record could not be written.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
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
        let output = |line: &[u8]| match line::parse(line) {
            line::Parsed::Output(line, _) => Some(line),
            _ => None,
        };
        text.split(|b| *b == b'\n').filter_map(output).collect()
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
