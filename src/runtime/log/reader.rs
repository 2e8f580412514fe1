//! Reads a container's log: the last lines, a span of time, or continuously.

use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::sys::inotify::Inotify;

use super::line::{self, Parsed};
use super::line_reader::{Lines, watch};
use super::segment::{self, LogSegment};
use crate::model::error::Context;
use crate::model::observe::log::{LogLine, LogOptions, LostOutput, Stream};
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::sys;

/// The longest line in one piece, in bytes; a longer one is returned in several.
const MAX_LINE: usize = 1 << 20;

/// The lines of one container's log. The reader reads the files, not the monitor: a slow reader
/// blocks nothing.
#[derive(Debug)]
pub struct Reader {
    lines: Lines,
    options: LogOptions,
    /// The beginning of a long line, for each stream.
    partial: [Option<LogLine>; 2],
    /// Lines whose end is missing, to be returned next.
    cut: VecDeque<LogLine>,
    follow: Option<Follow>,
    /// Whether a line after the requested span was read.
    finished: bool,
    /// What is missing before the next line.
    gap: Gap,
}

/// The markers of lost output that were read since the last line.
#[derive(Debug, Default)]
struct Gap {
    lost: Option<(LostOutput, Option<Timestamp>)>,
    /// The last marker. Its numbers grow until a record follows it, so they are read again then.
    open: Option<Marker>,
}

#[derive(Debug)]
struct Marker {
    file: File,
    at: u64,
    text: Vec<u8>,
    since: Option<Timestamp>,
}

impl Gap {
    /// Adds a marker.
    fn add(&mut self, lost: LostOutput, since: Option<Timestamp>, marker: Option<Marker>) {
        self.close();
        match marker {
            Some(marker) => self.open = Some(marker),
            None => self.sum(lost, since),
        }
    }

    fn sum(&mut self, lost: LostOutput, since: Option<Timestamp>) {
        match &mut self.lost {
            Some((sum, _)) => sum.add(&lost),
            None => self.lost = Some((lost, since)),
        }
    }

    fn close(&mut self) {
        let Some(mut marker) = self.open.take() else { return };
        // If it cannot be read again, the numbers of the first time count.
        let _ = marker.file.read_exact_at(&mut marker.text, marker.at);
        if let Parsed::Lost(lost, _) = line::parse(&marker.text) {
            self.sum(lost, marker.since);
        }
    }

    /// Returns what is missing before a line, and since when.
    fn take(&mut self) -> Option<(LostOutput, Option<Timestamp>)> {
        self.close();
        self.lost.take()
    }

    fn is_empty(&self) -> bool {
        self.lost.is_none() && self.open.is_none()
    }
}

/// How a reader learns of new lines.
#[derive(Debug)]
struct Follow {
    changes: Inotify,
    /// Taken when it is reached, for one last read.
    end: Option<FollowEnd>,
}

/// The end of a followed log. The last line was written before.
#[derive(Debug)]
enum FollowEnd {
    /// The exit of the monitor: a connection to it, which becomes readable.
    OfRun(UnixStream),
    /// The removal of the container, with its directory.
    OfContainer(PathBuf),
}

impl FollowEnd {
    /// Returns whether it is reached, if no event reports it.
    fn is_reached(&self) -> bool {
        matches!(self, FollowEnd::OfContainer(directory) if !directory.exists())
    }
}

impl Follow {
    /// Waits for new lines, for the end, or for a cancellation. Returns false after the timeout.
    fn wait(&mut self, timeout: Option<Duration>, cancel: &CancelToken) -> Result<bool> {
        if self.end.as_ref().is_some_and(FollowEnd::is_reached) {
            self.end = None;
            return Ok(true);
        }
        let mut fds = vec![self.changes.as_fd(), cancel.as_fd()];
        if let Some(FollowEnd::OfRun(monitor)) = &self.end {
            fds.push(monitor.as_fd());
        }
        let ready = sys::poll::wait_readable(&fds, timeout)?;
        if ready[0] {
            let _ = self.changes.read_events();
        }
        if ready.get(2) == Some(&true) {
            self.end = None;
        }
        Ok(ready.contains(&true))
    }
}

impl Reader {
    /// Opens the log at `path`. `monitor` is a connection to the monitor of a running container;
    /// without it there is nothing to follow, except across restarts.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn open(path: &Path, options: &LogOptions, monitor: Option<UnixStream>) -> Result<Self> {
        // Watched before it is read, so that no change is missed.
        let directory = path.parent().filter(|_| options.across_restarts);
        let end = match directory {
            Some(directory) => Some(FollowEnd::OfContainer(directory.to_owned())),
            None => monitor.map(FollowEnd::OfRun),
        };
        let follow = match end.filter(|_| options.follow) {
            Some(end) => Some(Follow { changes: watch(path)?, end: Some(end) }),
            None => None,
        };
        let part = match options.tail {
            Some(tail) => segment::tail(path, tail, options.stream),
            None => LogSegment::after(path, 0),
        };
        let part = part.context(|| format!("read `{}`", path.display()))?;
        let lines = Lines::new(path, part);
        Ok(Reader {
            lines: if follow.is_some() { lines } else { lines.snapshot() },
            options: options.clone(),
            partial: [None, None],
            cut: VecDeque::new(),
            follow,
            finished: false,
            gap: Gap::default(),
        })
    }

    /// Returns the next line; `None` at the end.
    ///
    /// # Errors
    /// [`Kind::Cancelled`], or [`Kind::Timeout`] when `timeout` passes without a line.
    pub fn next_line(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<LogLine>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            if self.finished {
                return Ok(self.rest());
            }
            if let Some(cut) = self.next_cut() {
                return Ok(Some(cut));
            }
            // Looked up before the rest of the log is read: all lines until then are in it.
            let until = self.options.until.map(|until| until.duration_since(Timestamp::now()));
            // Asked before each record: a log may be long. None is read after it.
            while let Some((parsed, text)) = cancel.check().and_then(|()| self.lines.next(parse))? {
                let line = match parsed {
                    Parsed::Output(line, partial) => self.join(line, partial),
                    Parsed::Lost(lost, since) => {
                        self.note(lost, since, text);
                        None
                    }
                    Parsed::Blank => None,
                };
                if let Some(cut) = self.next_cut() {
                    return Ok(Some(cut));
                }
                match line.filter(|line| self.matches(line)) {
                    // The lines after it are later still.
                    Some(line) if self.options.until.is_some_and(|until| line.time >= until) => {
                        self.finished = true;
                        return Ok(self.rest());
                    }
                    Some(line) => return Ok(Some(self.with_gap(line))),
                    None => {}
                }
            }
            let Some(follow) = self.follow.as_mut().filter(|follow| follow.end.is_some()) else {
                return Ok(self.rest());
            };
            if until.is_some_and(|until| !until.is_positive()) {
                self.finished = true;
                continue;
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let until = until.and_then(|until| Duration::try_from(until).ok());
            let wait = [left, until].into_iter().flatten().min();
            let is_late = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if !follow.wait(wait, cancel)? && is_late() {
                return Err(Error::new(Kind::Timeout, "timed out waiting for a line"));
            }
        }
    }

    fn matches(&self, line: &LogLine) -> bool {
        self.options.since.is_none_or(|since| line.time >= since)
            && self.options.stream.is_none_or(|stream| line.stream == stream)
    }

    /// Returns the complete line that a record ends, if it ends one.
    fn join(&mut self, line: LogLine, partial: bool) -> Option<LogLine> {
        let started = &mut self.partial[usize::from(line.stream == Stream::Stderr)];
        let line_so_far = match started.take() {
            Some(mut first) => {
                first.bytes.extend_from_slice(&line.bytes);
                first
            }
            None => line,
        };
        if partial && line_so_far.bytes.len() < MAX_LINE {
            *started = Some(line_so_far);
            return None;
        }
        Some(line_so_far)
    }

    /// Notes that output is missing.
    fn note(&mut self, lost: LostOutput, since: Option<Timestamp>, text: Vec<u8>) {
        let place = self.lines.place_of_last(text.len());
        let marker = place.map(|(file, at)| Marker { file, at, text, since });
        // What follows the gap is not the rest of a line before it.
        for stream in 0..self.partial.len() {
            if let Some(line) = self.partial[stream].take() {
                let line = self.with_gap(line);
                self.cut.push_back(line);
            }
        }
        self.gap.add(lost, since, marker);
    }

    /// Returns a line whose end is missing.
    fn next_cut(&mut self) -> Option<LogLine> {
        while let Some(line) = self.cut.pop_front() {
            if self.matches(&line) {
                return Some(line);
            }
        }
        None
    }

    /// Adds to a line what is missing before it.
    fn with_gap(&mut self, mut line: LogLine) -> LogLine {
        if line.lost.is_none() && !self.gap.is_empty() {
            line.lost = self.gap.take().filter(|(_, since)| self.is_asked(*since)).map(|gap| gap.0);
        }
        line
    }

    /// Whether a gap is in the requested span.
    fn is_asked(&self, since: Option<Timestamp>) -> bool {
        let Some(time) = since else { return true };
        self.options.since.is_none_or(|since| time >= since)
            && self.options.until.is_none_or(|until| time < until)
    }

    /// Returns an unfinished line at the end of the log, or what is missing there.
    fn rest(&mut self) -> Option<LogLine> {
        while let Some(line) = self.partial.iter_mut().find_map(Option::take) {
            if self.matches(&line) {
                return Some(self.with_gap(line));
            }
        }
        let (lost, since) = self.gap.take().filter(|(_, since)| self.is_asked(*since))?;
        let (stream, time) = (Stream::Stderr, since.unwrap_or(Timestamp::UNIX_EPOCH));
        Some(LogLine { time, stream, bytes: Vec::new(), lost: Some(lost) })
    }
}

/// Parses a line, and keeps the text of a marker.
fn parse(text: &[u8]) -> (Parsed, Vec<u8>) {
    let parsed = line::parse(text);
    let kept = if matches!(parsed, Parsed::Lost(..)) { text.to_vec() } else { Vec::new() };
    (parsed, kept)
}
