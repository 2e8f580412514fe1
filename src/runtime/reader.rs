//! Reading a container's log: the last lines, a span of time, or on and on as it is written.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::cancel::Cancel;
use super::log;
use crate::model::error::Context;
use crate::model::log::{LogLine, LogOptions};
use crate::model::{Error, Kind, Result};
use crate::sys;

const CHUNK: usize = 64 * 1024;

/// The lines of one container's log. It reads the file, never the monitor: a slow reader stops
/// nobody.
#[derive(Debug)]
pub struct Reader {
    file: Option<File>,
    options: LogOptions,
    /// What was read and not yet returned, from `at` on.
    buffer: Vec<u8>,
    at: usize,
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
        let mut file = match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            result => Some(result.context(|| format!("read `{}`", path.display()))?),
        };
        if let (Some(file), Some(tail)) = (&mut file, options.tail) {
            seek_to_tail(file, tail).context(|| format!("read `{}`", path.display()))?;
        }
        Ok(Reader { file, options: options.clone(), buffer: Vec::new(), at: 0, follow })
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
            while let Some(record) = self.next_record()? {
                match record.filter(|line| self.wanted(line)) {
                    Some(line) if self.options.until.is_some_and(|until| line.time >= until) => {
                        self.follow = None;
                        let _ = line;
                    }
                    Some(line) => return Ok(Some(line)),
                    None => {}
                }
            }
            cancel.check()?;
            let Some(follow) = &mut self.follow else { return Ok(None) };
            let Some(monitor) = &follow.monitor else { return Ok(None) };
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let ready = sys::event::wait_readable(
                &[follow.changes.as_fd(), monitor.as_fd(), cancel.as_fd()],
                left,
            )?;
            if ready[0] {
                let _ = follow.changes.read_events();
            }
            if ready[1] {
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

    /// The next whole record of the file: `Some(None)` for one that is no line.
    fn next_record(&mut self) -> Result<Option<Option<LogLine>>> {
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(length) = rest.iter().position(|b| *b == b'\n') {
                let line = log::parse(&rest[..length]);
                self.at += length + 1;
                return Ok(Some(line));
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            let held = self.buffer.len();
            let Some(file) = &mut self.file else { return Ok(None) };
            self.buffer.resize(held + CHUNK, 0);
            let count = file.read(&mut self.buffer[held..]);
            self.buffer.truncate(held + *count.as_ref().unwrap_or(&0));
            if count.context(|| "read the log".to_owned())? == 0 {
                return Ok(None);
            }
        }
    }
}

fn watch(path: &Path) -> Result<Inotify> {
    let failed = |errno: nix::Error| {
        Error::from_errno(format!("inotify({})", path.display()), errno as i32)
            .hint("too many files are being followed; see /proc/sys/fs/inotify")
    };
    let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(failed)?;
    changes.add_watch(path, AddWatchFlags::IN_MODIFY).map_err(failed)?;
    Ok(changes)
}

/// Moves to the beginning of the last `tail` records.
fn seek_to_tail(file: &mut File, tail: u64) -> std::io::Result<()> {
    let mut position = file.seek(SeekFrom::End(0))?;
    let mut newlines = 0;
    let mut chunk = vec![0; CHUNK];
    while position > 0 && tail > 0 {
        let length = position.min(CHUNK as u64);
        position -= length;
        file.seek(SeekFrom::Start(position))?;
        let part = &mut chunk[..usize::try_from(length).unwrap_or(CHUNK)];
        file.read_exact(part)?;
        for (at, _) in part.iter().enumerate().rev().filter(|(_, b)| **b == b'\n') {
            newlines += 1;
            if newlines > tail {
                file.seek(SeekFrom::Start(position + at as u64 + 1))?;
                return Ok(());
            }
        }
    }
    let start = if tail == 0 { SeekFrom::End(0) } else { SeekFrom::Start(0) };
    file.seek(start).map(drop)
}
