//! The client's connection to a monitor.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use super::message;
use super::message::{Frame, Reply, Request};
use crate::model::error::Context;
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
}

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
    /// Returns a connection over this stream.
    pub fn new(stream: UnixStream) -> Self {
        Connection { stream, inbox: Vec::new() }
    }

    /// Connects to the monitor of the container in `directory`; `None` if none listens.
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
        match UnixStream::connect(path) {
            Ok(stream) => Ok(Some(Connection::new(stream))),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                Err(Error::from_io("connect to the monitor", &error)
                    .hint("run as the user who started the container"))
            }
            Err(_) => Ok(None),
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the monitor has exited.
    pub fn send(&mut self, request: &Request) -> Result<()> {
        let mut buffer = Vec::new();
        message::encode(request, &mut buffer);
        self.stream.write_all(&buffer).context(|| "send a request to the monitor".to_owned())
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
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            match self.receive(deadline, cancel)? {
                Received::Reply(Reply::Failed(error)) => return Err(error),
                Received::Reply(Reply::TraceSteps(steps)) => trace::add(steps),
                Received::Reply(Reply::NextStep(step)) => {
                    trace::before(&step);
                    let _ = self.send(&Request::Go);
                }
                Received::Reply(reply) => return Ok(Some(reply)),
                Received::Output(..) => {}
                Received::Closed => return Ok(None),
            }
        }
    }

    /// Returns the stream, for a poll for the exit of the container.
    pub fn into_stream(self) -> UnixStream {
        self.stream
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
