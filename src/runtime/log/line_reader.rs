//! Complete lines of rotated files that are being written: shared by the readers of logs and of
//! events.

use std::fs;
use std::io::{Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::rotation;
use super::segment::LogSegment;
use crate::model::error::Context;
use crate::model::{Error, Result};

const CHUNK: usize = 64 * 1024;

/// The lines from a position on, file after file.
#[derive(Debug)]
pub(crate) struct Lines {
    path: PathBuf,
    segment: Option<LogSegment>,
    /// The end of `part`, if the file was full at the last check: then nothing follows this end.
    full: Option<u64>,
    /// The end of the last file at the start, for a reader that stops there.
    end: Option<FileEnd>,
    /// Bytes that were read and not returned yet, from `at` on.
    buffer: Vec<u8>,
    at: usize,
    /// No line ends between `at` and here. Without it, each read of a long line would search all
    /// that was read of the line before.
    searched: usize,
}

/// The end of the last file at some moment.
#[derive(Debug)]
struct FileEnd {
    /// Its device and inode.
    place: (u64, u64),
    /// Its length.
    bytes: u64,
    /// The number that the file gets when it is full, or a lower one.
    number: u64,
}

impl Lines {
    /// Returns the lines from the position of `part` on; from the first line if there is no file
    /// yet.
    pub(crate) fn new(path: &Path, part: Option<LogSegment>) -> Self {
        Lines {
            path: path.to_owned(),
            segment: part,
            full: None,
            end: None,
            buffer: Vec::new(),
            at: 0,
            searched: 0,
        }
    }

    /// Limits the lines to those that exist now: a fast writer would otherwise keep the reader busy
    /// indefinitely.
    pub(crate) fn snapshot(mut self) -> Self {
        // Read before the file: a file that is started meanwhile has a higher number.
        let number = rotation::numbers(&self.path).last().map_or(1, |last| last + 1);
        let end = |found: fs::Metadata| FileEnd {
            place: (found.dev(), found.ino()),
            bytes: found.len(),
            number,
        };
        self.end = fs::metadata(&self.path).ok().map(end);
        self
    }

    /// Returns how many bytes of the present file may still be read.
    fn left(&mut self) -> std::io::Result<u64> {
        let (Some(part), Some(end)) = (&mut self.segment, &self.end) else { return Ok(u64::MAX) };
        let found = part.file.metadata()?;
        if (found.dev(), found.ino()) == end.place {
            return Ok(end.bytes.saturating_sub(part.file.stream_position()?));
        }
        // Another file is older, or was started later: the last one may have been removed
        // meanwhile.
        let is_older = part.full(&self.path)?.is_some_and(|number| number < end.number);
        Ok(if is_older { u64::MAX } else { 0 })
    }

    /// Parses the next complete line; `None` if there is none yet.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn next<T>(&mut self, parse: impl FnOnce(&[u8]) -> T) -> Result<Option<T>> {
        loop {
            let rest = &self.buffer[self.searched..];
            if let Some(more) = rest.iter().position(|b| *b == b'\n') {
                let line = parse(&self.buffer[self.at..self.searched + more]);
                self.at = self.searched + more + 1;
                self.searched = self.at;
                return Ok(Some(line));
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            let held = self.buffer.len();
            self.searched = held;
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

    /// Returns the file of the last line of this length, and where the line begins in it.
    pub(crate) fn place_of_last(&self, length: usize) -> Option<(fs::File, u64)> {
        let mut file = &self.segment.as_ref()?.file;
        let unread = self.buffer.len() - self.at + length + 1;
        let at = file.stream_position().ok()?.checked_sub(unread as u64)?;
        Some((file.try_clone().ok()?, at))
    }

    /// Goes to the next file at the end of one. Returns whether there is more to read. A file that
    /// has become full is read once more first, for its last lines.
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
        self.searched = 0;
        Ok(true)
    }
}

fn failed(path: &Path) -> String {
    format!("read `{}`", path.display())
}

/// Watches for writes to the file and for a new file. Called before the file is read, so that no
/// change is missed.
///
/// # Errors
/// When this user has too many inotify instances.
pub(crate) fn watch(path: &Path) -> Result<Inotify> {
    let failed = |errno: nix::Error| {
        Error::from_errno(format!("inotify({})", path.display()), errno as i32)
            .hint("follow fewer logs, or raise fs.inotify.max_user_instances with sysctl")
    };
    let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(failed)?;
    // Watches the directory: writes, new files, and its removal.
    let directory = path.parent().unwrap_or(path);
    let events = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVE_SELF;
    changes.add_watch(directory, events).map_err(failed)?;
    Ok(changes)
}
