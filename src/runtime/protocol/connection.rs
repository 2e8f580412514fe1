//! The client's connection to a monitor.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use super::message;
use super::message::{Frame, Reply, Request};
use crate::model::script::trace::ProcessRole;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::record::directory::Directory;
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;
use crate::sys;

/// A connection to a monitor.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    inbox: Vec<u8>,
    /// The process at the other end, if this process started it.
    child: Option<i32>,
}

/// What came of a wait for a reply.
#[derive(Debug)]
pub enum Awaited {
    /// The reply.
    Reply(Reply),
    /// The monitor exited before it answered.
    Closed,
    /// Nothing until the deadline.
    NotYet,
}

/// How long a process of the engine may take to receive a request.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// A message of the monitor.
#[derive(Debug)]
pub enum Received {
    /// A reply.
    Reply(Reply),
    /// Output of the container.
    Output(crate::model::observe::log::Stream, Vec<u8>),
    /// The monitor has exited: the container has exited, or the monitor was killed.
    Closed,
}

impl Connection {
    /// Returns a connection over this stream to a child of this process.
    pub fn to_child(stream: UnixStream, child: i32) -> Self {
        Connection { stream, inbox: Vec::new(), child: Some(child) }
    }

    /// Returns the process at the other end (`SO_PEERCRED`, unix(7)).
    pub fn peer(&self) -> Option<i32> {
        let listener = || rustix::net::sockopt::socket_peercred(&self.stream).ok();
        self.child.or_else(|| listener().map(|peer| peer.pid.as_raw_nonzero().get()))
    }

    /// Connects to the monitor of the container in `directory`; `None` if none listens, or it has
    /// not accepted earlier connections for long.
    ///
    /// # Errors
    /// When this user may not connect.
    pub fn open(directory: &Directory) -> Result<Option<Self>> {
        // A socket's path has at most 107 bytes (unix(7)), and a root may be longer: the directory
        // is opened and named by its number.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(opened) = rustix::fs::open(directory.path(), flags, Mode::empty()) else {
            return Ok(None);
        };
        let path =
            format!("/proc/self/fd/{}/monitor.sock", std::os::fd::AsRawFd::as_raw_fd(&opened));
        match connect(&path) {
            Ok(stream) => Ok(Some(Connection { stream, inbox: Vec::new(), child: None })),
            Err(errno @ (Errno::ACCESS | Errno::PERM)) => {
                Err(Error::from_errno("connect to the monitor", errno.raw_os_error())
                    .hint("run as the user who started the container"))
            }
            Err(_) => Ok(None),
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the monitor has exited; [`Kind::Timeout`] if it receives nothing.
    pub fn send(&mut self, request: &Request) -> Result<()> {
        let mut buffer = Vec::new();
        message::encode(request, &mut buffer);
        let mut left = buffer.as_slice();
        let failed =
            |errno: Errno| Error::from_errno("send a request to the monitor", errno.raw_os_error());
        while !left.is_empty() {
            match rustix::net::send(&self.stream, left, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => left = &left[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let ready = sys::poll::wait_writable(&[self.as_fd()], Some(SEND_TIMEOUT))?;
                    if !ready.contains(&true) {
                        let message = "the monitor has received nothing for 10 s";
                        return Err(Error::new(Kind::Timeout, message));
                    }
                }
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(())
    }

    /// Waits for the next message.
    ///
    /// # Errors
    /// [`Kind::Cancelled`], or [`Kind::Timeout`] at `deadline`.
    pub fn receive(
        &mut self,
        deadline: Option<Instant>,
        cancel: Option<&CancelToken>,
    ) -> Result<Received> {
        loop {
            if let Some(received) = self.decode()? {
                return Ok(received);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let ready = match cancel {
                Some(cancel) => {
                    sys::poll::wait_readable(&[self.stream.as_fd(), cancel.as_fd()], left)?
                }
                None => sys::poll::wait_readable(&[self.stream.as_fd()], left)?,
            };
            if let Some(cancel) = cancel.filter(|_| !ready[0]) {
                cancel.check()?;
            }
            if !ready.contains(&true) {
                return Err(Error::new(Kind::Timeout, "timed out waiting for the monitor"));
            }
            if ready[0] && !self.fill() {
                return Ok(Received::Closed);
            }
        }
    }

    /// Decodes a complete frame that was received already.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for what is not the protocol.
    pub fn decode(&mut self) -> Result<Option<Received>> {
        Ok(match message::decode(&mut self.inbox)? {
            Some(Frame::Message(json)) => Some(Received::Reply(message::parse(&json)?)),
            Some(Frame::Output(stream, bytes)) => Some(Received::Output(stream, bytes)),
            // Only clients send input.
            Some(Frame::Input(_)) | None => None,
        })
    }

    /// Reads once. Returns false at the end.
    pub fn fill(&mut self) -> bool {
        let held = self.inbox.len();
        self.inbox.resize(held + 64 * 1024, 0);
        let count = loop {
            match self.stream.read(&mut self.inbox[held..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Ok(count) => break count,
                Err(_) => break 0,
            }
        };
        self.inbox.truncate(held + count);
        count > 0
    }

    /// Sends a request and waits for its reply. `None`: the monitor exited before it answered, so
    /// the caller checks the container again.
    ///
    /// # Errors
    /// The monitor's error, [`Kind::Cancelled`] or [`Kind::Timeout`].
    pub fn request(
        &mut self,
        request: &Request,
        timeout: Option<Duration>,
        cancel: Option<&CancelToken>,
    ) -> Result<Option<Reply>> {
        self.send_traced(request);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        match self.await_reply(deadline, cancel)? {
            Awaited::Reply(reply) => Ok(Some(reply)),
            Awaited::Closed => Ok(None),
            Awaited::NotYet => Err(Error::new(Kind::Timeout, "timed out waiting for the monitor")),
        }
    }

    /// Sends a request whose reply [`await_reply`](Self::await_reply) waits for.
    pub fn send_traced(&mut self, request: &Request) {
        // A monitor that has exited may have sent the reason before: it can still be read.
        if trace::is_on() {
            let request = Request::Traced(Box::new(request.clone()));
            let _ = trace::traced(
                ProcessRole::Client,
                || Operation::AskMonitor,
                || self.send(&request),
            );
        } else {
            let _ = self.send(request);
        }
    }

    /// Waits for the reply to a request.
    ///
    /// # Errors
    /// The monitor's error, or [`Kind::Cancelled`].
    pub fn await_reply(
        &mut self,
        deadline: Option<Instant>,
        cancel: Option<&CancelToken>,
    ) -> Result<Awaited> {
        loop {
            let received = match self.receive(deadline, cancel) {
                // An error of the monitor is a reply.
                Err(error) if error.kind() == Kind::Timeout => return Ok(Awaited::NotYet),
                received => received?,
            };
            match received {
                Received::Reply(Reply::Failed(error)) => return Err(error),
                Received::Reply(Reply::TraceSteps(steps)) => trace::add(steps),
                Received::Reply(Reply::NextStep(step)) => {
                    trace::before(&step);
                    let _ = self.send(&Request::Go);
                }
                Received::Reply(reply) => return Ok(Awaited::Reply(reply)),
                Received::Output(..) => {}
                Received::Closed => return Ok(Awaited::Closed),
            }
        }
    }

    /// Returns the stream, for a poll for the exit of the container.
    pub fn into_stream(self) -> UnixStream {
        self.stream
    }
}

/// Connects to a socket. Does not wait: the queue of a monitor that is stopped gets full, and then
/// connect(2) would wait for it.
fn connect(path: &str) -> Result<UnixStream, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    rustix::io::ioctl_fionbio(&socket, false)?;
    Ok(UnixStream::from(socket))
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
