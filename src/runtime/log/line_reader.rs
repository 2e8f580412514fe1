//! Whole lines of files that are written meanwhile and get numbers when they are full: what
//! readers of logs and of events have in common.

use std::fs;
use std::io::{Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::rotation::{self, LogSegment};
use crate::model::error::Context;
use crate::model::{Error, Result};

const CHUNK: usize = 64 * 1024;

/// Lines from some place on, file after file.
#[derive(Debug)]
pub(crate) struct Lines {
    path: PathBuf,
    segment: Option<LogSegment>,
    /// Whether `part` was full when its end was last looked at: nothing more comes after this end.
    full: Option<u64>,
    /// Where the last file ended when this began, for who wants no more.
    end: Option<FileEnd>,
    /// What was read and not yet returned, from `at` on.
    buffer: Vec<u8>,
    at: usize,
}

/// The end of the last file at some moment.
#[derive(Debug)]
struct FileEnd {
    /// Its device and inode.
    place: (u64, u64),
    /// How long it was.
    bytes: u64,
    /// The number that it gets when it is full, or a lower one.
    number: u64,
}

impl Lines {
    /// From where `part` stands on; from the first line on where nothing is yet.
    pub(crate) fn new(path: &Path, part: Option<LogSegment>) -> Self {
        Lines {
            path: path.to_owned(),
            segment: part,
            full: None,
            end: None,
            buffer: Vec::new(),
            at: 0,
        }
    }

    /// Only what is there now: one who writes faster than we read would keep us for ever.
    pub(crate) fn snapshot(mut self) -> Self {
        // Before the file is looked at: one that is begun meanwhile has a higher number.
        let number = rotation::numbers(&self.path).last().map_or(1, |last| last + 1);
        let end = |found: fs::Metadata| FileEnd {
            place: (found.dev(), found.ino()),
            bytes: found.len(),
            number,
        };
        self.end = fs::metadata(&self.path).ok().map(end);
        self
    }

    /// How many bytes may still be read of the present file.
    fn left(&mut self) -> std::io::Result<u64> {
        let (Some(part), Some(end)) = (&mut self.segment, &self.end) else { return Ok(u64::MAX) };
        let found = part.file.metadata()?;
        if (found.dev(), found.ino()) == end.place {
            return Ok(end.bytes.saturating_sub(part.file.stream_position()?));
        }
        // Another one is older, or was begun since: the last one may have been removed meanwhile.
        let is_older = part.full(&self.path)?.is_some_and(|number| number < end.number);
        Ok(if is_older { u64::MAX } else { 0 })
    }

    /// What `parse` makes of the next whole line; `None` where no further one is there yet.
    ///
    /// # Errors
    /// When a file can't be read.
    pub(crate) fn next<T>(&mut self, parse: impl FnOnce(&[u8]) -> T) -> Result<Option<T>> {
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(length) = rest.iter().position(|b| *b == b'\n') {
                let line = parse(&rest[..length]);
                self.at += length + 1;
                return Ok(Some(line));
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            let held = self.buffer.len();
            if self.segment.is_none() {
                self.segment = LogSegment::after(&self.path, 0).context(|| failed(&self.path))?;
                if self.segment.is_none() {
                    return Ok(None);
                }
            }
            let left = self.left().context(|| failed(&self.path))?;
            let Some(part) = self.segment.as_mut().filter(|_| left > 0) else { return Ok(None) };
            self.buffer.resize(held + usize::try_from(left).unwrap_or(CHUNK).min(CHUNK), 0);
            let count = part.file.read(&mut self.buffer[held..]);
            self.buffer.truncate(held + *count.as_ref().unwrap_or(&0));
            let more = match count {
                Ok(0) => self.next_segment(),
                count => count.map(|_| true),
            };
            if !more.context(|| failed(&self.path))? {
                return Ok(None);
            }
        }
    }

    /// At the end of a file: whether there is more to read. One that has become full is read once
    /// more before it is left, for the last it got before.
    fn next_segment(&mut self) -> std::io::Result<bool> {
        let Some(part) = &self.segment else { return Ok(false) };
        if self.full.is_none() {
            self.full = part.full(&self.path)?;
            return Ok(self.full.is_some());
        }
        let Some(next) = LogSegment::after(&self.path, self.full.unwrap_or(0))? else {
            return Ok(false);
        };
        (self.segment, self.full) = (Some(next), None);
        self.buffer.clear();
        Ok(true)
    }
}

fn failed(path: &Path) -> String {
    format!("read `{}`", path.display())
}

/// Tells when a file is written or a new one is begun. To be asked for before the file is read, so
/// that nothing falls in between.
///
/// # Errors
/// When this user follows too much already.
pub(crate) fn watch(path: &Path) -> Result<Inotify> {
    let failed = |errno: nix::Error| {
        Error::from_errno(format!("inotify({})", path.display()), errno as i32)
            .hint("too many files are being followed; see /proc/sys/fs/inotify")
    };
    let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(failed)?;
    // The directory: what is written, the beginning of a new file, and that it goes away.
    let directory = path.parent().unwrap_or(path);
    let events = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVE_SELF;
    changes.add_watch(directory, events).map_err(failed)?;
    Ok(changes)
}
