//! The front's side of an attached container: its output here, our input and signals there.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::SendFlags;

use super::runtime::{Claim, Runtime, refuse};
use crate::model::container::exec::{AttachOutcome, DetachKeys};
use crate::model::container::status::Action;
use crate::model::observe::event;
use crate::model::observe::log::Stream;
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::protocol;
use crate::runtime::protocol::connection::{Connection, Received};
use crate::runtime::protocol::{Reply, Request, Size, StartOptions};
use crate::sys;
use crate::sys::signal::Signals;
use crate::sys::terminal::Raw;

/// The caller's streams.
pub struct Streams<'a> {
    /// Fed to the container, where it keeps its standard input open.
    pub stdin: Option<BorrowedFd<'a>>,
    /// Gets its standard output.
    pub stdout: &'a mut dyn Write,
    /// Gets its standard error.
    pub stderr: &'a mut dyn Write,
    /// Whether this process's signals are sent on; never those of a terminal's.
    pub forward_signals: bool,
    /// What is typed to leave a container with a terminal.
    pub detach_keys: DetachKeys,
    /// The caller's terminal, whose size is the container's.
    pub terminal: Option<BorrowedFd<'a>>,
}

impl Streams<'_> {
    /// The size of the caller's terminal.
    pub(crate) fn size(&self) -> Option<Size> {
        let (rows, columns) = sys::terminal::size(self.terminal?)?;
        Some(Size { rows, columns })
    }
}

impl std::fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// Input on its way from the caller to the container.
pub(crate) struct StdinForwarder<'a> {
    from: BorrowedFd<'a>,
    /// The container's standard input; where there is none, the connection.
    to: Option<File>,
    pending: Vec<u8>,
}

impl<'a> StdinForwarder<'a> {
    /// Input that goes over the connection.
    pub(crate) fn by_frames(from: BorrowedFd<'a>) -> Self {
        StdinForwarder { from, to: None, pending: Vec::new() }
    }
}

/// The most that is kept for a monitor that does not read, in bytes.
const MAX_OUTBOX: usize = 64 * 1024;
/// How long what was typed last is waited for by who leaves.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

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
        cancel: &CancelToken,
    ) -> Result<AttachOutcome> {
        let tty = self.containers.directory(id).read_spec()?.config.tty;
        // From here on signals are kept until the container can get them.
        let signals = streams.forward_signals && !tty;
        let signals = if signals { Some(Signals::take()?) } else { None };
        let stdin = streams.stdin.is_some();
        let size = streams.size().filter(|_| tty);
        let begin = StartOptions { attach: true, stdin, size, ..StartOptions::default() };
        let started = if start { self.start_connected(id, begin)? } else { None };
        let connection = match started {
            Some(connection) => connection,
            None => match self.claim(id)? {
                Claim::Stopped(_, state) => {
                    refuse(&state, Action::Attach)?;
                    let message = format!("`{}` is not running", state.name);
                    return Err(Error::new(Kind::Refused, message));
                }
                Claim::Running(mut connection) => {
                    let state = self.containers.directory(id).read_state()?;
                    if state.status.is_live() {
                        refuse(&state, Action::Attach)?;
                    }
                    // Nothing is fed before it is attached, or the answer might be missed. Should it
                    // have ended just now, its exit code is waited for below.
                    match connection.ask(&Request::Attach { stdin }, None, Some(cancel)) {
                        Err(error) if error.kind() == Kind::Cancelled => return Err(error),
                        _ => {}
                    }
                    if let Some(size) = size {
                        let _ = connection.send(&Request::Resize(size));
                    }
                    connection
                }
            },
        };
        let feed = match streams.stdin {
            Some(from) if tty => Some(StdinForwarder::by_frames(from)),
            Some(from) => self.open_stdin(id).map(|to| StdinForwarder {
                from,
                to: Some(to),
                pending: Vec::new(),
            }),
            None => None,
        };
        let streams = Streams { forward_signals: false, ..streams };
        let session =
            AttachSession { signals, ..AttachSession::new(connection, feed, streams, tty, None)? };
        match session.run(cancel)? {
            Some(left) => {
                if left == AttachOutcome::Detached {
                    self.event(id, event::Action::Detach, &[]);
                }
                Ok(left)
            }
            None => self.wait(id, None, cancel).map(AttachOutcome::Exited),
        }
    }

    /// The container's standard input; `None` where it keeps none open, or has closed it.
    fn open_stdin(&self, id: &ContainerId) -> Option<File> {
        let path = self.containers.directory(id).file("stdin");
        OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path).ok()
    }
}

/// The caller's streams, connected.
pub(crate) struct AttachSession<'a> {
    connection: Connection,
    /// What the monitor has yet to take.
    outbox: Vec<u8>,
    stdin_forwarder: Option<StdinForwarder<'a>>,
    signals: Option<Signals>,
    /// The caller's terminal in raw mode, and its changes of size.
    raw: Option<Raw<'a>>,
    terminal: Option<BorrowedFd<'a>>,
    resizes: Option<BorrowedFd<'static>>,
    keys: Keys,
    /// When the program is killed.
    deadline: Option<Instant>,
    late: bool,
    /// What the program gets when this session is broken off.
    pub(crate) on_cancel: Option<Signal>,
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
}

impl<'a> AttachSession<'a> {
    /// A session with a program that runs; a `tty` takes the caller's terminal whole.
    pub(crate) fn new(
        connection: Connection,
        stdin_forwarder: Option<StdinForwarder<'a>>,
        streams: Streams<'a>,
        tty: bool,
        deadline: Option<Instant>,
    ) -> Result<Self> {
        let signals = streams.forward_signals && !tty;
        let typed: Option<BorrowedFd<'a>> =
            stdin_forwarder.as_ref().map(|feed: &StdinForwarder<'a>| feed.from);
        let typed = typed.filter(|typed| tty && sys::terminal::is_terminal(*typed));
        let terminal = streams.terminal.filter(|_| tty);
        Ok(AttachSession {
            connection,
            outbox: Vec::new(),
            signals: if signals { Some(Signals::take()?) } else { None },
            resizes: terminal.map(|_| sys::terminal::resizes()).transpose()?,
            terminal,
            raw: typed.map(Raw::take).transpose()?.flatten(),
            keys: Keys::new(if tty && stdin_forwarder.is_some() {
                streams.detach_keys.0
            } else {
                Vec::new()
            }),
            stdin_forwarder,
            deadline,
            late: false,
            on_cancel: None,
            stdout: streams.stdout,
            stderr: streams.stderr,
        })
    }

    /// Until the program has ended or was left; `None` if the monitor went without a word.
    pub(crate) fn run(mut self, cancel: &CancelToken) -> Result<Option<AttachOutcome>> {
        loop {
            while let Some(received) = self.connection.decode()? {
                match received {
                    Received::Output(stream, bytes) => self.show(stream, &bytes)?,
                    Received::Reply(Reply::Exited { .. }) if self.late => {
                        let message = "it did not end in time and was killed";
                        return Err(Error::new(Kind::Timeout, message));
                    }
                    Received::Reply(Reply::Exited { code }) => {
                        return Ok(Some(AttachOutcome::Exited(code)));
                    }
                    Received::Reply(_) => {}
                    Received::Closed => return Ok(None),
                }
            }
            let ready = self.poll(cancel)?;
            cancel.check().inspect_err(|_| {
                if let Some(signal) = self.on_cancel {
                    let _ = self.connection.send(&Request::Kill { signal });
                }
            })?;
            if !self.late && self.deadline.is_some_and(|at| Instant::now() >= at) {
                self.late = true;
                self.ask(&Request::Kill { signal: Signal::KILL });
            }
            if ready[0] && !self.connection.fill() {
                return Ok(None);
            }
            while let Some(signal) = self.signals.as_ref().and_then(Signals::next) {
                self.ask(&Request::Kill { signal });
            }
            if ready[3] {
                self.resize()?;
            }
            let left = ready[4] && self.forward_stdin();
            self.send();
            if left {
                self.send_the_rest();
                return Ok(Some(AttachOutcome::Detached));
            }
        }
    }

    fn ask(&mut self, request: &Request) {
        protocol::encode(request, &mut self.outbox);
    }

    /// Sends as much as the monitor takes now.
    fn send(&mut self) {
        if !self.outbox.is_empty() {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match rustix::net::send(self.connection.as_fd(), &self.outbox, flags) {
                Ok(count) => drop(self.outbox.drain(..count)),
                Err(Errno::AGAIN | Errno::INTR) => {}
                // It has gone; its last words are still read.
                Err(_) => self.outbox.clear(),
            }
        }
    }

    /// What was typed before the detach keys is not lost, unless the container does not read.
    fn send_the_rest(&mut self) {
        let until = Instant::now() + FLUSH_TIMEOUT;
        while !self.outbox.is_empty() && Instant::now() < until {
            let mut fds = [PollFd::new(&self.connection, PollFlags::OUT)];
            let _ = rustix::event::poll(&mut fds, Timespec::try_from(FLUSH_TIMEOUT).ok().as_ref());
            self.send();
        }
    }

    /// The window has another size, or this process was stopped and goes on.
    fn resize(&mut self) -> Result<()> {
        let (Some(terminal), Some(event)) = (self.terminal, self.resizes) else { return Ok(()) };
        sys::poll::drain(event);
        if let Some(raw) = &self.raw {
            raw.enter()?;
        }
        if let Some((rows, columns)) = sys::terminal::size(terminal) {
            self.ask(&Request::Resize(Size { rows, columns }));
        }
        Ok(())
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

    /// Which are ready: monitor, cancel, signals, window size, the feed.
    fn poll(&self, cancel: &CancelToken) -> Result<[bool; 5]> {
        let idle = cancel.as_fd();
        let signals = self.signals.as_ref().map_or(idle, AsFd::as_fd);
        let (feed, flags) = match &self.stdin_forwarder {
            Some(StdinForwarder { to: Some(to), pending, .. }) if !pending.is_empty() => {
                (to.as_fd(), PollFlags::OUT)
            }
            Some(feed) if self.outbox.len() < MAX_OUTBOX => (feed.from, PollFlags::IN),
            _ => (idle, PollFlags::empty()),
        };
        let mut monitor = PollFlags::IN;
        monitor.set(PollFlags::OUT, !self.outbox.is_empty());
        let mut fds = [
            PollFd::from_borrowed_fd(self.connection.as_fd(), monitor),
            PollFd::from_borrowed_fd(idle, PollFlags::IN),
            PollFd::from_borrowed_fd(signals, PollFlags::IN),
            PollFd::from_borrowed_fd(self.resizes.unwrap_or(idle), PollFlags::IN),
            PollFd::from_borrowed_fd(feed, flags),
        ];
        let deadline = self.deadline.filter(|_| !self.late);
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        loop {
            match rustix::event::poll(&mut fds, left.as_ref()) {
                Ok(_) => {
                    let mut ready = fds.each_ref().map(|fd| !fd.revents().is_empty());
                    ready[0] = fds[0].revents().intersects(
                        PollFlags::IN | PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL,
                    );
                    return Ok(ready);
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::from_errno("poll", errno.raw_os_error())),
            }
        }
    }

    /// Moves input on; whether the detach keys were typed. At its end, or when the container has
    /// closed its own, the feed is dropped.
    fn forward_stdin(&mut self) -> bool {
        let Some(feed) = &mut self.stdin_forwarder else { return false };
        if feed.pending.is_empty() {
            let mut chunk = vec![0; 16 * 1024];
            let count = rustix::io::read(feed.from, &mut chunk).unwrap_or(0);
            chunk.truncate(count);
            feed.pending = chunk;
        }
        let ended = feed.pending.is_empty();
        let done = match &mut feed.to {
            _ if ended => true,
            None => {
                let (typed, left) = self.keys.pass(&std::mem::take(&mut feed.pending));
                protocol::encode_input(&typed, &mut self.outbox);
                if left {
                    return true;
                }
                false
            }
            Some(to) => match to.write(&feed.pending) {
                Ok(count) => {
                    feed.pending.drain(..count);
                    false
                }
                Err(error) => {
                    !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
                }
            },
        };
        if done {
            self.stdin_forwarder = None;
            self.ask(&Request::CloseStdin);
        }
        false
    }
}

/// Looks for the detach keys in what is typed.
#[derive(Debug)]
struct Keys {
    wanted: Vec<u8>,
    /// How many of them were typed last.
    seen: usize,
}

impl Keys {
    fn new(wanted: Vec<u8>) -> Self {
        Keys { wanted, seen: 0 }
    }

    /// What is passed on of `typed`, and whether the keys are complete. What may be their
    /// beginning is held back.
    fn pass(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(typed.len());
        for byte in typed {
            if self.wanted.get(self.seen) != Some(byte) {
                passed.extend_from_slice(&self.wanted[..self.seen]);
                self.seen = 0;
            }
            if self.wanted.get(self.seen) == Some(byte) {
                self.seen += 1;
                if self.seen == self.wanted.len() {
                    return (passed, true);
                }
            } else {
                passed.push(*byte);
            }
        }
        (passed, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detach_keys_are_found_wherever_they_are_cut() {
        let mut keys = Keys::new(vec![16, 17]);
        let mut check = |typed: &[u8], passed: &[u8], left: bool| {
            assert_eq!(keys.pass(typed), (passed.to_vec(), left), "{typed:?}");
        };
        check(b"ls\r", b"ls\r", false);
        check(b"a\x10", b"a", false);
        check(b"b", b"\x10b", false);
        check(b"\x10\x10", b"\x10", false);
        check(b"\x11", b"", true);
        assert_eq!(Keys::new(vec![16, 17]).pass(b"ls\n\x10\x11x"), (b"ls\n".to_vec(), true));
        assert_eq!(Keys::new(Vec::new()).pass(b"\x10\x11"), (b"\x10\x11".to_vec(), false));
    }
}
