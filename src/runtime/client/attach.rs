//! The client's side of an attached container: takes its output, sends it input and signals.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::SendFlags;

use super::detach_keys::Keys;
use super::runtime::{Claim, Runtime, refuse};
use super::streams::{StdinForwarder, Streams};
use super::unresponsive::stuck;
use super::watch::{Watch, Work};
use crate::model::container::exec::AttachOutcome;
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

/// The state that a container must have to be attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachMode {
    /// Any: one that does not run is started first.
    Start,
    /// Running.
    Running,
}

/// The most bytes of output to the monitor that wait in memory.
const MAX_OUTBOX: usize = 64 * 1024;
/// The signals by which users end programs: SIGHUP, SIGINT, SIGQUIT and SIGTERM.
const ENDINGS: [i32; 4] = [1, 2, 3, 15];
/// After this number of signals a client drops output without a reader.
const INSISTENT: u32 = 3;
/// How long a detaching client waits until the monitor has taken its last input.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

impl Runtime {
    /// Connects the caller's streams to a container until it exits. Returns its exit code.
    ///
    /// # Errors
    /// [`Kind::Cancelled`]: the container runs on. [`Kind::Died`] if its monitor was killed.
    pub fn attach(
        &self,
        id: &ContainerId,
        mode: AttachMode,
        streams: Streams<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome> {
        let tty = self.containers.directory(id).read_spec()?.config.tty;
        // From here on signals are blocked until they can be forwarded.
        let signals = streams.forward_signals.then(|| Signals::take(tty)).transpose()?;
        let stdin = streams.stdin.is_some();
        let size = streams.size().filter(|_| tty);
        let options = StartOptions { attach: true, stdin, size, ..StartOptions::default() };
        let started = match mode {
            AttachMode::Start => self.start_connected(id, options)?,
            AttachMode::Running => None,
        };
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
                    // Nothing is fed before the reply, or output might be missed. If the container
                    // has just exited, its exit code is awaited below.
                    let attach = Request::Attach { stdin };
                    match self.ask(&mut connection, id, &attach, Some(cancel)) {
                        Err(error) if matches!(error.kind(), Kind::Cancelled | Kind::Timeout) => {
                            return Err(error);
                        }
                        _ => {}
                    }
                    if let Some(size) = size {
                        let _ = connection.send(&Request::Resize(size));
                    }
                    connection
                }
            },
        };
        let forwarder = match streams.stdin {
            Some(from) if tty => Some(StdinForwarder::by_frames(from)),
            Some(from) => self.open_stdin(id).map(|to| StdinForwarder {
                from,
                to: Some(to),
                pending: Vec::new(),
            }),
            None => None,
        };
        let streams = Streams { forward_signals: false, ..streams };
        let session = AttachSession {
            signals,
            ..AttachSession::new(connection, forwarder, streams, tty, None)?
        };
        match session.run(id, cancel)? {
            Some(outcome) => {
                if outcome == AttachOutcome::Detached {
                    self.event(id, event::EventAction::Detach, &[]);
                }
                Ok(outcome)
            }
            None => self.wait_on(id, None, cancel, true).map(AttachOutcome::Exited),
        }
    }

    /// Opens the container's standard input; `None` if the container keeps none open, or has closed
    /// it.
    fn open_stdin(&self, id: &ContainerId) -> Option<File> {
        let path = self.containers.directory(id).file("stdin");
        OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path).ok()
    }
}

/// The caller's streams, connected.
pub(crate) struct AttachSession<'a> {
    connection: Connection,
    watch: Watch,
    /// Bytes that the monitor has not taken yet.
    outbox: Vec<u8>,
    stdin_forwarder: Option<StdinForwarder<'a>>,
    signals: Option<Signals>,
    /// The caller's terminal in raw mode, and its size changes.
    raw: Option<Raw<'a>>,
    terminal: Option<BorrowedFd<'a>>,
    resizes: Option<BorrowedFd<'static>>,
    keys: Keys,
    /// When the program is killed.
    deadline: Option<Instant>,
    late: bool,
    /// How many signals were forwarded by which users end programs.
    interrupts: u32,
    /// The signal that the program gets if this session is cancelled.
    pub(crate) on_cancel: Option<Signal>,
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
}

impl<'a> AttachSession<'a> {
    /// Starts a session with a running program; with `tty`, the caller's terminal becomes raw.
    pub(crate) fn new(
        connection: Connection,
        stdin_forwarder: Option<StdinForwarder<'a>>,
        streams: Streams<'a>,
        tty: bool,
        deadline: Option<Instant>,
    ) -> Result<Self> {
        let signals = streams.forward_signals.then(|| Signals::take(tty)).transpose()?;
        let typed: Option<BorrowedFd<'a>> =
            stdin_forwarder.as_ref().map(|forwarder: &StdinForwarder<'a>| forwarder.from);
        let typed = typed.filter(|typed| tty && sys::terminal::is_terminal(*typed));
        let terminal = streams.terminal.filter(|_| tty);
        Ok(AttachSession {
            watch: Watch::new(connection.peer(), Work::Run),
            connection,
            outbox: Vec::new(),
            signals,
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
            interrupts: 0,
            on_cancel: None,
            stdout: streams.stdout,
            stderr: streams.stderr,
        })
    }

    /// Runs until the program exits or the caller detaches; `None` if the monitor closed the
    /// connection.
    pub(crate) fn run(
        mut self,
        id: &ContainerId,
        cancel: &CancelToken,
    ) -> Result<Option<AttachOutcome>> {
        loop {
            if let Some(process) = self.watch.look() {
                return Err(stuck(id, &process));
            }
            while let Some(received) = self.connection.decode()? {
                match received {
                    Received::Output(stream, bytes) => self.print(stream, &bytes, cancel)?,
                    Received::Reply(Reply::Exited { .. }) if self.late => {
                        let message = "timed out: the process was killed";
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
            self.interrupt(cancel)?;
            if ready[0] && !self.connection.fill() {
                return Ok(None);
            }
            if ready[3] {
                self.resize()?;
            }
            let detached = ready[4] && self.forward_stdin();
            self.send();
            if detached {
                self.flush();
                return Ok(Some(AttachOutcome::Detached));
            }
        }
    }

    fn queue(&mut self, request: &Request) {
        protocol::encode(request, &mut self.outbox);
    }

    /// Sends as much of the outbox as the monitor takes now.
    fn send(&mut self) {
        if !self.outbox.is_empty() {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match rustix::net::send(self.connection.as_fd(), &self.outbox, flags) {
                Ok(count) => drop(self.outbox.drain(..count)),
                Err(Errno::AGAIN | Errno::INTR) => {}
                // The monitor has exited; its last messages are still read.
                Err(_) => self.outbox.clear(),
            }
        }
    }

    /// Sends what was typed before the detach keys, unless the container does not read.
    fn flush(&mut self) {
        let until = Instant::now() + FLUSH_TIMEOUT;
        while !self.outbox.is_empty() && Instant::now() < until {
            let mut fds = [PollFd::new(&self.connection, PollFlags::OUT)];
            let _ = rustix::event::poll(&mut fds, Timespec::try_from(FLUSH_TIMEOUT).ok().as_ref());
            self.send();
        }
    }

    /// Sends the window's size: it has changed, or this process was stopped and continued.
    fn resize(&mut self) -> Result<()> {
        let (Some(terminal), Some(event)) = (self.terminal, self.resizes) else { return Ok(()) };
        sys::poll::drain(event);
        if let Some(raw) = &self.raw {
            // A terminal that was closed has no mode: SIGHUP tells, and is forwarded.
            let _ = raw.enter();
        }
        if let Some((rows, columns)) = sys::terminal::size(terminal) {
            self.queue(&Request::Resize(Size { rows, columns }));
        }
        Ok(())
    }

    fn print(&mut self, stream: Stream, bytes: &[u8], cancel: &CancelToken) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let out = if stream == Stream::Stdout { &mut *self.stdout } else { &mut *self.stderr };
            match out.write(rest) {
                Ok(0) => return Err(lost(&ErrorKind::WriteZero.into())),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_without_reader(&error) => self.without_reader(cancel)?,
                Err(error) if self.has_lost_terminal(&error) => return Ok(()),
                Err(error) => return Err(lost(&error)),
            }
        }
        let out = if stream == Stream::Stdout { &mut *self.stdout } else { &mut *self.stderr };
        match out.flush() {
            Err(error) if !self.has_lost_terminal(&error) => Err(lost(&error)),
            _ => Ok(()),
        }
    }

    /// Whether a writer failed because the terminal was closed: the signal of that is forwarded,
    /// and the end is awaited.
    fn has_lost_terminal(&self, error: &std::io::Error) -> bool {
        error.raw_os_error() == Some(libc::EIO) && self.terminal.is_some()
    }

    /// Does between two attempts to write what a session must do meanwhile. Fails when there is
    /// nothing left to wait for: the user has sent a signal, and the container has ended, or the
    /// user insists.
    fn without_reader(&mut self, cancel: &CancelToken) -> Result<()> {
        self.interrupt(cancel)?;
        self.send();
        let ended = || sys::poll::is_hung_up(&self.connection);
        match self.interrupts {
            0 => Ok(()),
            count if count < INSISTENT && !ended() => Ok(()),
            _ => Err(Error::new(Kind::Cancelled, "interrupted while no process reads the output")),
        }
    }

    /// Obeys the cancel token and the deadline, and forwards signals.
    fn interrupt(&mut self, cancel: &CancelToken) -> Result<()> {
        cancel.check().inspect_err(|_| {
            if let Some(signal) = self.on_cancel {
                let _ = self.connection.send(&Request::Kill { signal });
            }
        })?;
        if !self.late && self.deadline.is_some_and(|at| Instant::now() >= at) {
            self.late = true;
            self.queue(&Request::Kill { signal: Signal::KILL });
        }
        while let Some(signal) = self.signals.as_ref().and_then(Signals::next) {
            if ENDINGS.contains(&signal.number()) {
                self.interrupts += 1;
            }
            self.queue(&Request::Kill { signal });
        }
        Ok(())
    }

    /// Returns which are ready: monitor, cancel, signals, window size, standard input.
    fn poll(&self, cancel: &CancelToken) -> Result<[bool; 5]> {
        let idle = cancel.as_fd();
        let signals = self.signals.as_ref().map_or(idle, AsFd::as_fd);
        let (forwarder, flags) = match &self.stdin_forwarder {
            Some(StdinForwarder { to: Some(to), pending, .. }) if !pending.is_empty() => {
                (to.as_fd(), PollFlags::OUT)
            }
            Some(forwarder) if self.outbox.len() < MAX_OUTBOX => (forwarder.from, PollFlags::IN),
            _ => (idle, PollFlags::empty()),
        };
        let mut monitor = PollFlags::IN;
        monitor.set(PollFlags::OUT, !self.outbox.is_empty());
        let mut fds = [
            PollFd::from_borrowed_fd(self.connection.as_fd(), monitor),
            PollFd::from_borrowed_fd(idle, PollFlags::IN),
            PollFd::from_borrowed_fd(signals, PollFlags::IN),
            PollFd::from_borrowed_fd(self.resizes.unwrap_or(idle), PollFlags::IN),
            PollFd::from_borrowed_fd(forwarder, flags),
        ];
        let deadline = self.deadline.filter(|_| !self.late);
        let until = deadline.into_iter().chain([self.watch.next_look()]).min();
        let left = until.map(|at| at.saturating_duration_since(Instant::now()));
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

    /// Forwards input. Returns whether the detach keys were typed. At the end of input, or when the
    /// container has closed its standard input, the forwarder is dropped.
    fn forward_stdin(&mut self) -> bool {
        let Some(forwarder) = &mut self.stdin_forwarder else { return false };
        if forwarder.pending.is_empty() {
            let mut chunk = vec![0; 16 * 1024];
            let count = rustix::io::read(forwarder.from, &mut chunk).unwrap_or(0);
            chunk.truncate(count);
            forwarder.pending = chunk;
        }
        let at_end = forwarder.pending.is_empty();
        let done = match &mut forwarder.to {
            _ if at_end => true,
            None => {
                let (typed, detached) = self.keys.pass(&std::mem::take(&mut forwarder.pending));
                protocol::encode_input(&typed, &mut self.outbox);
                if detached {
                    return true;
                }
                false
            }
            Some(to) => match to.write(&forwarder.pending) {
                Ok(count) => {
                    forwarder.pending.drain(..count);
                    false
                }
                Err(error) => {
                    !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
                }
            },
        };
        if done {
            self.stdin_forwarder = None;
            self.queue(&Request::CloseStdin);
        }
        false
    }
}

/// Whether a writer has given up waiting for a reader, for now.
fn is_without_reader(error: &std::io::Error) -> bool {
    Error::downcast_io(error).is_some_and(|error| error.kind() == Kind::Timeout)
}

fn lost(error: &std::io::Error) -> Error {
    // The reader is gone, as in `run ... | head`: as with Docker's client, the container runs on.
    if error.kind() == ErrorKind::BrokenPipe {
        return Error::from_io("write the container's output", error).with_exit_code(1);
    }
    Error::from_io("write the container's output", error)
}
