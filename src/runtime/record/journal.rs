//! The journal of events, `<root>/events.jsonl`: one line per event, written by the process that
//! makes the change, client or monitor.
//!
//! A writer opens the file, locks it, reads the clock and appends its line by one write: so the
//! lines of all processes are complete and in the order of their times. Under the same lock a full
//! file is rotated (`rotation.rs`). An event that cannot be written, because the disk is full or
//! another process keeps the lock, is lost: no verb fails or waits for it.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::sys::inotify::Inotify;

use super::directory::Directory;
use crate::model::container::ContainerSpec;
use crate::model::container::mounts::MountKind;
use crate::model::error::Context;
use crate::model::observe::event::{Event, EventAction, EventOptions};
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::log::line_reader::{Lines, watch};
use crate::runtime::log::rotation;
use crate::runtime::log::segment::{self, LogSegment};
use crate::sys;

/// The size at which the file is rotated, in bytes.
const MAX_FILE_SIZE: u64 = 4 << 20;
/// How many files are kept: some 30000 events.
const MAX_FILES: u32 = 3;
/// How long to wait for another writer, which needs microseconds.
const LOCK_TIMEOUT: Duration = Duration::from_millis(20);

/// The journal of one root.
#[derive(Clone, Debug)]
pub struct Journal {
    pub(super) path: PathBuf,
    max_file_size: u64,
}

impl Journal {
    /// Returns the journal below `root`.
    pub fn at(root: &Path) -> Self {
        Journal { path: root.join("events.jsonl"), max_file_size: MAX_FILE_SIZE }
    }

    /// Records an event; its time is now.
    pub fn write(&self, event: Event) {
        // A full disk must not keep a container from exiting: see the head of this file.
        let _ = self.append(event);
    }

    fn append(&self, mut event: Event) -> std::io::Result<()> {
        let mut file = rotation::open(&self.path)?;
        let deadline = Instant::now() + LOCK_TIMEOUT;
        let mut locked = lock(&file, deadline)?;
        // The file may have been rotated during the wait for the lock.
        while locked && !rotation::is_at(&file, &self.path) {
            file = rotation::open(&self.path)?;
            locked = lock(&file, deadline)?;
        }
        let mut length = file.metadata()?.len();
        if locked && length >= self.max_file_size {
            file = rotation::rotate(&self.path, MAX_FILES)?;
            lock(&file, deadline)?;
            length = file.metadata()?.len();
        }
        event.time = Timestamp::now();
        let mut line = Vec::with_capacity(512);
        if !ends_a_line(&file, length) {
            line.push(b'\n');
        }
        serde_json::to_writer(&mut line, &event)?;
        line.push(b'\n');
        file.write(&line).map(drop)
    }

    /// Opens the past events, and with `follow` the future ones.
    ///
    /// # Errors
    /// When the journal cannot be read or followed.
    pub fn read(&self, options: &EventOptions) -> Result<EventReader> {
        let changes = if options.follow { Some(watch(&self.path)?) } else { None };
        let from_now = options.follow && options.since.is_none() && options.until.is_none();
        let part = match from_now {
            true => segment::tail(&self.path, 0, None),
            false => LogSegment::after(&self.path, 0),
        };
        let part = part.context(|| format!("read `{}`", self.path.display()))?;
        let (lines, options) = (Lines::new(&self.path, part), options.clone());
        Ok(EventReader { lines, options, changes, unreadable: 0 })
    }
}

/// Locks the file. Returns whether that succeeded before the deadline.
pub(super) fn lock(file: &File, deadline: Instant) -> std::io::Result<bool> {
    let mut pause = Duration::from_micros(20);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Ok(false),
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => continue,
            Err(TryLockError::Error(error)) => return Err(error),
        }
        pause = (pause * 2).min(Duration::from_millis(1));
    }
}

/// Returns whether the file ends with a complete line: on a full disk a part of a line may have
/// been written.
fn ends_a_line(file: &File, length: u64) -> bool {
    let mut last = [b'\n'];
    length == 0 || file.read_exact_at(&mut last, length - 1).is_err() || last == *b"\n"
}

/// A reader of a journal's events. It reads the files: a slow reader blocks nothing.
#[derive(Debug)]
pub struct EventReader {
    lines: Lines,
    options: EventOptions,
    /// Reports new events to a reader that follows.
    changes: Option<Inotify>,
    /// How many damaged lines were read and not reported yet.
    unreadable: u64,
}

impl EventReader {
    /// Returns how many damaged lines were read since the last call.
    pub fn take_unreadable(&mut self) -> u64 {
        std::mem::take(&mut self.unreadable)
    }

    /// Returns the next event; `None` at the end. Skips damaged lines, and counts them.
    ///
    /// # Errors
    /// [`Kind::Cancelled`], or [`Kind::Timeout`] when `timeout` passes without an event.
    pub fn next_event(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<Event>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            // Read before the rest of the file: all events until then are in it.
            let until = self.options.until.map(|until| until.duration_since(Timestamp::now()));
            // Asked before each event: the past ones may be many. None is read after it.
            while let Some(event) = cancel.check().and_then(|()| self.lines.next(parse))? {
                match event {
                    Some(Ok(event)) if self.matches(&event) => return Ok(Some(event)),
                    Some(Err(_)) => self.unreadable += 1,
                    _ => {}
                }
            }
            let Some(changes) = &self.changes else { return Ok(None) };
            if until.is_some_and(|until| !until.is_positive()) {
                return Ok(None);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let until = until.and_then(|until| Duration::try_from(until).ok());
            let wait = [left, until].into_iter().flatten().min();
            let ready = sys::poll::wait_readable(&[changes.as_fd(), cancel.as_fd()], wait)?;
            if ready[0] {
                let _ = changes.read_events();
            }
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if late && !ready.contains(&true) {
                return Err(Error::new(Kind::Timeout, "timed out waiting for an event"));
            }
        }
    }

    fn matches(&self, event: &Event) -> bool {
        self.options.since.is_none_or(|since| event.time >= since)
            && self.options.until.is_none_or(|until| event.time < until)
            && self.options.filter.matches(event)
    }
}

/// Parses a line; `None` for one that says nothing.
fn parse(line: &[u8]) -> Option<serde_json::Result<Event>> {
    (!is_blank(line)).then(|| serde_json::from_slice(line))
}

/// Returns whether a line says nothing: also what a repair has blanked.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// Records an event of the container in `directory`, with the attributes of its record.
pub(crate) fn write_container_event(
    journal: &Journal,
    directory: &Directory,
    action: impl Into<String>,
    attributes: &[(&str, String)],
) {
    if let (Ok(spec), Ok(state)) = (directory.read_spec(), directory.read_state()) {
        journal.write(Event::of_container(&spec, &state.name, action, attributes));
    }
}

/// Records that a container starts or stops using its volumes.
pub(crate) fn write_mounts(journal: &Journal, spec: &ContainerSpec, action: EventAction) {
    let volumes =
        spec.host_config.mounts.list.iter().filter(|mount| mount.kind == MountKind::Volume);
    for mount in volumes {
        let mut attributes = vec![("container", spec.id.as_str().to_owned())];
        if action == EventAction::Mount {
            attributes.push(("destination", mount.target.clone()));
            attributes.push(("read/write", (!mount.read_only).to_string()));
            attributes.push(("propagation", String::new()));
        }
        journal.write(Event::of_volume(action, &mount.source, &attributes));
    }
}

#[cfg(test)]
#[path = "tests/journal.rs"]
mod tests;
