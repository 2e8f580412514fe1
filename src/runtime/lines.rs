//! Whole lines of files that are written meanwhile and get numbers when they are full: what
//! readers of logs and of events have in common.

use std::io::Read;
use std::path::{Path, PathBuf};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::rotation::Part;
use crate::model::error::Context;
use crate::model::{Error, Result};

const CHUNK: usize = 64 * 1024;

/// Lines from some place on, file after file.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    part: Option<Part>,
    /// Whether `part` was full when its end was last looked at: nothing more comes after this end.
    full: Option<u64>,
    /// What was read and not yet returned, from `at` on.
    buffer: Vec<u8>,
    at: usize,
}

impl Lines {
    /// From where `part` stands on; from the first line on where nothing is yet.
    pub(super) fn new(path: &Path, part: Option<Part>) -> Self {
        Lines { path: path.to_owned(), part, full: None, buffer: Vec::new(), at: 0 }
    }

    /// What `parse` makes of the next whole line; `None` where no further one is there yet.
    ///
    /// # Errors
    /// When a file can't be read.
    pub(super) fn next<T>(&mut self, parse: impl FnOnce(&[u8]) -> T) -> Result<Option<T>> {
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
            let Some(part) = &mut self.part else {
                self.part = Part::after(&self.path, 0).context(|| failed(&self.path))?;
                match self.part {
                    Some(_) => continue,
                    None => return Ok(None),
                }
            };
            self.buffer.resize(held + CHUNK, 0);
            let count = part.file.read(&mut self.buffer[held..]);
            self.buffer.truncate(held + *count.as_ref().unwrap_or(&0));
            let more = match count {
                Ok(0) => self.next_part(),
                count => count.map(|_| true),
            };
            if !more.context(|| failed(&self.path))? {
                return Ok(None);
            }
        }
    }

    /// At the end of a file: whether there is more to read. One that has become full is read once
    /// more before it is left, for the last it got before.
    fn next_part(&mut self) -> std::io::Result<bool> {
        let Some(part) = &self.part else { return Ok(false) };
        if self.full.is_none() {
            self.full = part.full(&self.path)?;
            return Ok(self.full.is_some());
        }
        let Some(next) = Part::after(&self.path, self.full.unwrap_or(0))? else {
            return Ok(false);
        };
        (self.part, self.full) = (Some(next), None);
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
pub(super) fn watch(path: &Path) -> Result<Inotify> {
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
