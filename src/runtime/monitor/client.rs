//! One connection to a monitor: what it asked, and what it has yet to be sent.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use crate::model::log::Stream;
use crate::model::{Error, Kind, Result};
use crate::runtime::protocol::{self, Frame, Reply, Request};

/// A front that is connected.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: UnixStream,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// It gets what the container writes.
    pub(super) attached: bool,
    /// The container's standard input ends when it goes.
    pub(super) feeds_stdin: bool,
    /// It is answered when the container has ended.
    pub(super) awaits_end: bool,
    /// It closed the connection or broke the protocol.
    pub(super) gone: bool,
}

impl Client {
    pub(super) fn new(stream: UnixStream) -> Self {
        let gone = stream.set_nonblocking(true).is_err();
        Client {
            stream,
            inbox: Vec::new(),
            outbox: Vec::new(),
            attached: false,
            feeds_stdin: false,
            awaits_end: false,
            gone,
        }
    }

    pub(super) fn has_unsent(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// What it asks.
    pub(super) fn receive(&mut self) -> Vec<Request> {
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => {
                    self.gone = true;
                    break;
                }
                Ok(count) => self.inbox.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.gone |= error.kind() != ErrorKind::WouldBlock;
                    break;
                }
            }
        }
        let mut requests = Vec::new();
        loop {
            match protocol::decode(&mut self.inbox) {
                Ok(Some(Frame::Message(json))) => match protocol::parse(&json) {
                    Ok(request) => requests.push(request),
                    Err(error) => self.reply(&Reply::Failed(error)),
                },
                Ok(Some(Frame::Output(..))) => {}
                Ok(None) => return requests,
                Err(_) => {
                    self.gone = true;
                    return requests;
                }
            }
        }
    }

    pub(super) fn reply(&mut self, reply: &Reply) {
        protocol::encode(reply, &mut self.outbox);
        self.send();
    }

    pub(super) fn output(&mut self, stream: Stream, bytes: &[u8]) {
        protocol::encode_output(stream, bytes, &mut self.outbox);
        self.send();
    }

    /// Sends as much as it takes.
    pub(super) fn send(&mut self) {
        while !self.outbox.is_empty() && !self.gone {
            match self.stream.write(&self.outbox) {
                Ok(count) => drop(self.outbox.drain(..count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.gone = true;
                    self.outbox.clear();
                }
            }
        }
    }
}

/// Whether the process at the other end is root's or of the user that this monitor runs as
/// (`SO_PEERCRED`, unix(7)).
pub(super) fn may_ask(stream: &UnixStream) -> bool {
    let peer = rustix::net::sockopt::socket_peercred(stream);
    peer.is_ok_and(|peer| peer.uid.is_root() || peer.uid == rustix::process::geteuid())
}

/// The first request of the front that made this monitor. Waits for it.
pub(super) fn first_request(front: &mut UnixStream) -> Result<Request> {
    let mut buffer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(Frame::Message(json)) = protocol::decode(&mut buffer)? {
            return protocol::parse(&json);
        }
        match front.read(&mut chunk) {
            Ok(0) => return Err(Error::new(Kind::Cancelled, "the front went away")),
            Ok(count) => buffer.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from_io("read from the front", &error)),
        }
    }
}

/// Answers a front that waits, before this process ends.
pub(super) fn answer(front: &mut UnixStream, reply: &Reply) {
    let mut buffer = Vec::new();
    protocol::encode(reply, &mut buffer);
    let _ = front.write_all(&buffer);
}
