//! Reading a container's log: the last lines, a span of time, or on and on as it is written.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::inotify::Inotify;

use super::cancel::Cancel;
use super::lines::{Lines, watch};
use super::log;
use super::rotation::{self, Part};
use crate::model::error::Context;
use crate::model::log::{LogLine, LogOptions, Stream};
use crate::model::{Error, Kind, Result};
use crate::sys;

/// The longest line in one piece, in bytes; a longer one comes in several.
const MAX_LINE: usize = 1 << 20;

/// The lines of one container's log. It reads the files, never the monitor: a slow reader stops
/// nobody.
#[derive(Debug)]
pub struct Reader {
    lines: Lines,
    options: LogOptions,
    /// The beginning of a long line, for each stream.
    begun: [Option<LogLine>; 2],
    follow: Option<Follow>,
}

/// How a reader hears of more.
#[derive(Debug)]
struct Follow {
    changes: Inotify,
    /// A connection to the monitor; readable (at its end) when the container has ended, which is
    /// after its last line was written. Taken then, for one more look.
    monitor: Option<UnixStream>,
}

impl Reader {
    /// Opens the log at `path`. `monitor` is a connection to the monitor of a container that
    /// runs; without one there is nothing to follow.
    ///
    /// # Errors
    /// When the log can't be read.
    pub fn open(path: &Path, options: &LogOptions, monitor: Option<UnixStream>) -> Result<Self> {
        // Watched before it is read, so that nothing falls in between.
        let follow = match monitor.filter(|_| options.follow) {
            Some(monitor) => Some(Follow { changes: watch(path)?, monitor: Some(monitor) }),
            None => None,
        };
        let part = match options.tail {
            Some(tail) => rotation::tail(path, tail, options.stream),
            None => Part::after(path, 0),
        };
        let part = part.context(|| format!("read `{}`", path.display()))?;
        Ok(Reader {
            lines: Lines::new(path, part),
            options: options.clone(),
            begun: [None, None],
            follow,
        })
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// [`Kind::Cancelled`], or [`Kind::Timeout`] when `timeout` passes without a line.
    pub fn next_line(
        &mut self,
        timeout: Option<Duration>,
        cancel: &Cancel,
    ) -> Result<Option<LogLine>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            while let Some(record) = self.lines.next(log::parse)? {
                let line = record.and_then(|(line, partial)| self.join(line, partial));
                match line.filter(|line| self.wanted(line)) {
                    Some(line) if self.options.until.is_some_and(|until| line.time >= until) => {
                        self.follow = None;
                        let _ = line;
                    }
                    Some(line) => return Ok(Some(line)),
                    None => {}
                }
            }
            cancel.check()?;
            let monitor = self.follow.as_ref().and_then(|follow| follow.monitor.as_ref());
            let (Some(follow), Some(monitor)) = (&self.follow, monitor) else {
                return Ok(self.rest());
            };
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let ready = sys::event::wait_readable(
                &[follow.changes.as_fd(), monitor.as_fd(), cancel.as_fd()],
                left,
            )?;
            if ready[0] {
                let _ = follow.changes.read_events();
            }
            if ready[1]
                && let Some(follow) = &mut self.follow
            {
                follow.monitor = None;
            }
            if !ready.contains(&true) {
                return Err(Error::new(Kind::Timeout, "no further line in time"));
            }
        }
    }

    fn wanted(&self, line: &LogLine) -> bool {
        self.options.since.is_none_or(|since| line.time >= since)
            && self.options.stream.is_none_or(|stream| line.stream == stream)
    }

    /// The whole line that a record ends, if it ends one.
    fn join(&mut self, line: LogLine, partial: bool) -> Option<LogLine> {
        let begun = &mut self.begun[usize::from(line.stream == Stream::Stderr)];
        let whole = match begun.take() {
            Some(mut first) => {
                first.bytes.extend_from_slice(&line.bytes);
                first
            }
            None => line,
        };
        if partial && whole.bytes.len() < MAX_LINE {
            *begun = Some(whole);
            return None;
        }
        Some(whole)
    }

    /// At the end of all: the beginning of a line that has no end.
    fn rest(&mut self) -> Option<LogLine> {
        loop {
            let line = self.begun.iter_mut().find_map(Option::take)?;
            if self.wanted(&line) {
                return Some(line);
            }
        }
    }
}
