//! The front's side of an attached container: its output here, our input and signals there.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use rustix::event::{PollFd, PollFlags};

use super::Runtime;
use super::cancel::Cancel;
use super::connection::{Connection, Received};
use super::protocol::{Reply, Request};
use super::{Claim, refuse};
use crate::model::id::ContainerId;
use crate::model::log::Stream;
use crate::model::status::Action;
use crate::model::{Error, Kind, Result};
use crate::sys::signal::Signals;

/// The caller's streams.
pub struct Streams<'a> {
    /// Fed to the container, where it keeps its standard input open.
    pub stdin: Option<BorrowedFd<'a>>,
    /// Gets its standard output.
    pub stdout: &'a mut dyn Write,
    /// Gets its standard error.
    pub stderr: &'a mut dyn Write,
    /// Whether this process's signals are sent on.
    pub forward_signals: bool,
}

impl std::fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// Input on its way from the caller to the container.
struct Feed<'a> {
    from: BorrowedFd<'a>,
    to: File,
    pending: Vec<u8>,
}

impl Runtime {
    /// Connects the caller's streams to a container until it ends, starting it first where
    /// `start` says so. Returns its exit code.
    ///
    /// # Errors
    /// [`Kind::Cancelled`]: the container runs on. [`Kind::Died`] if its monitor was killed.
    pub fn attach(
        &self,
        id: &ContainerId,
        start: bool,
        streams: Streams<'_>,
        cancel: &Cancel,
    ) -> Result<i32> {
        // From here on signals are kept until the container can get them.
        let signals = if streams.forward_signals { Some(Signals::take()?) } else { None };
        let stdin = streams.stdin.is_some();
        let started = if start { self.start_connected(id, true, stdin)? } else { None };
        let connection = match started {
            Some(connection) => connection,
            None => match self.claim(id)? {
                Claim::Idle(_, state) => {
                    refuse(&state, Action::Kill)?;
                    return Err(Error::new(
                        Kind::Refused,
                        format!("`{}` is not running", state.name),
                    ));
                }
                Claim::Live(mut connection) => {
                    // Should it have ended just now, its exit code is waited for below.
                    let _ = connection.send(&Request::Attach { stdin });
                    connection
                }
            },
        };
        let feed = match streams.stdin {
            Some(from) => self.open_stdin(id).map(|to| Feed { from, to, pending: Vec::new() }),
            None => None,
        };
        let session =
            Session { connection, feed, signals, stdout: streams.stdout, stderr: streams.stderr };
        let code = session.run(cancel)?;
        match code {
            Some(code) => Ok(code),
            None => self.wait(id, None, cancel),
        }
    }

    /// The container's standard input; `None` where it keeps none open, or has closed it.
    fn open_stdin(&self, id: &ContainerId) -> Option<File> {
        let path = self.catalogue.directory(id).file("stdin");
        OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path).ok()
    }
}

struct Session<'a> {
    connection: Connection,
    feed: Option<Feed<'a>>,
    signals: Option<Signals>,
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
}

impl Session<'_> {
    /// Until the container has ended: its exit code, or `None` if the monitor went without a word.
    fn run(mut self, cancel: &Cancel) -> Result<Option<i32>> {
        loop {
            while let Some(received) = self.connection.decode()? {
                match received {
                    Received::Output(stream, bytes) => self.show(stream, &bytes)?,
                    Received::Reply(Reply::Exited { code }) => return Ok(Some(code)),
                    Received::Reply(_) => {}
                    Received::Gone => return Ok(None),
                }
            }
            let ready = self.poll(cancel)?;
            cancel.check()?;
            if ready[0] && !self.connection.fill() {
                return Ok(None);
            }
            if ready[2] {
                while let Some(signal) = self.signals.as_ref().and_then(Signals::next) {
                    let _ = self.connection.send(&Request::Kill { signal });
                }
            }
            if ready[3] {
                self.feed();
            }
        }
    }

    fn show(&mut self, stream: Stream, bytes: &[u8]) -> Result<()> {
        let out = if stream == Stream::Stdout { &mut *self.stdout } else { &mut *self.stderr };
        match out.write_all(bytes).and_then(|()| out.flush()) {
            // Nobody reads any more, as in `run ... | head`: as with Docker's client, the container
            // runs on without this one.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                Err(Error::new(Kind::Cancelled, "nobody reads the container's output any more"))
            }
            Err(error) => Err(Error::from_io("write the container's output", &error)),
            Ok(()) => Ok(()),
        }
    }

    /// Which are ready: monitor, cancel, signals, the feed.
    fn poll(&self, cancel: &Cancel) -> Result<[bool; 4]> {
        let idle = cancel.as_fd();
        let signals = self.signals.as_ref().map_or(idle, AsFd::as_fd);
        let (feed, flags) = match &self.feed {
            Some(feed) if feed.pending.is_empty() => (feed.from, PollFlags::IN),
            Some(feed) => (feed.to.as_fd(), PollFlags::OUT),
            None => (idle, PollFlags::empty()),
        };
        let mut fds = [
            PollFd::from_borrowed_fd(self.connection.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(idle, PollFlags::IN),
            PollFd::from_borrowed_fd(signals, PollFlags::IN),
            PollFd::from_borrowed_fd(feed, flags),
        ];
        loop {
            match rustix::event::poll(&mut fds, None) {
                Ok(_) => return Ok(fds.each_ref().map(|fd| !fd.revents().is_empty())),
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(Error::from_errno("poll", errno.raw_os_error())),
            }
        }
    }

    /// Moves input on. At its end, or when the container has closed its own, the feed is dropped.
    fn feed(&mut self) {
        let Some(feed) = &mut self.feed else { return };
        if feed.pending.is_empty() {
            let mut chunk = vec![0; 64 * 1024];
            let count = rustix::io::read(feed.from, &mut chunk).unwrap_or(0);
            chunk.truncate(count);
            feed.pending = chunk;
        }
        let done = match feed.to.write(&feed.pending) {
            _ if feed.pending.is_empty() => true,
            Ok(count) => {
                feed.pending.drain(..count);
                false
            }
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        };
        if done {
            self.feed = None;
            let _ = self.connection.send(&Request::CloseStdin);
        }
    }
}
