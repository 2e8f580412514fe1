//! Reads a container's log: the last lines, a span of time, or continuously.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::inotify::Inotify;

use super::line;
use super::line_reader::{Lines, watch};
use super::segment::{self, LogSegment};
use crate::model::error::Context;
use crate::model::observe::log::{LogLine, LogOptions, Stream};
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
    follow: Option<Follow>,
    /// Whether a line after the requested span was read.
    finished: bool,
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
            follow,
            finished: false,
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
            while let Some(record) = self.lines.next(line::parse)? {
                let line = record.and_then(|(line, partial)| self.join(line, partial));
                match line.filter(|line| self.matches(line)) {
                    // The lines after it are later still.
                    Some(line) if self.options.until.is_some_and(|until| line.time >= until) => {
                        self.finished = true;
                        return Ok(self.rest());
                    }
                    Some(line) => return Ok(Some(line)),
                    None => {}
                }
            }
            cancel.check()?;
            let Some(follow) = self.follow.as_mut().filter(|follow| follow.end.is_some()) else {
                return Ok(self.rest());
            };
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if !follow.wait(left, cancel)? {
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

    /// Returns an unfinished line at the end of the log.
    fn rest(&mut self) -> Option<LogLine> {
        loop {
            let line = self.partial.iter_mut().find_map(Option::take)?;
            if self.matches(&line) {
                return Some(line);
            }
        }
    }
}
