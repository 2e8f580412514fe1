//! One connection to a monitor: what it asked, and what it has yet to be sent.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use super::message;
use super::message::{Frame, Reply, Request, StartOptions};
use crate::model::observe::log::Stream;
use crate::model::{Error, Kind, Result};
use crate::runtime::trace::{self, Watcher};

/// What a front sent.
#[derive(Debug)]
pub(in crate::runtime) enum ClientMessage {
    /// A request.
    Request(Request),
    /// Something for the program to read.
    Input(Vec<u8>),
}

/// A front that is connected.
#[derive(Debug)]
pub(in crate::runtime) struct ClientConnection {
    pub(in crate::runtime) stream: UnixStream,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// It gets what the container writes.
    pub(in crate::runtime) attached: bool,
    /// The container's standard input ends when it goes.
    pub(in crate::runtime) feeds_stdin: bool,
    /// It is answered when the container has ended.
    pub(in crate::runtime) awaits_exit: bool,
    /// It is told what was done, before the next reply.
    traced: bool,
    /// It closed the connection or broke the protocol.
    pub(in crate::runtime) closed: bool,
}

impl ClientConnection {
    pub(in crate::runtime) fn new(stream: UnixStream) -> Self {
        let gone = stream.set_nonblocking(true).is_err();
        ClientConnection {
            stream,
            inbox: Vec::new(),
            outbox: Vec::new(),
            attached: false,
            feeds_stdin: false,
            awaits_exit: false,
            traced: trace::is_on(),
            closed: gone,
        }
    }

    pub(in crate::runtime) fn has_unsent(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// What it asks.
    pub(in crate::runtime) fn receive(&mut self) -> Vec<ClientMessage> {
        // Once and no more: the rest waits until what came has been passed on.
        let mut chunk = [0; 64 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.closed = true,
            Ok(count) => self.inbox.extend_from_slice(&chunk[..count]),
            Err(error) => {
                let again = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
                self.closed |= !again;
            }
        }
        let mut requests = Vec::new();
        loop {
            match message::decode(&mut self.inbox) {
                Ok(Some(Frame::Message(json))) => match message::parse(&json) {
                    Ok(Request::Traced(request)) => {
                        trace::begin(None);
                        self.traced = true;
                        requests.push(ClientMessage::Request(*request));
                    }
                    Ok(request) => requests.push(ClientMessage::Request(request)),
                    Err(error) => self.reply(&Reply::Failed(error)),
                },
                Ok(Some(Frame::Input(bytes))) => requests.push(ClientMessage::Input(bytes)),
                Ok(Some(Frame::Output(..))) => {}
                Ok(None) => return requests,
                Err(_) => {
                    self.closed = true;
                    return requests;
                }
            }
        }
    }

    pub(in crate::runtime) fn reply(&mut self, reply: &Reply) {
        if std::mem::take(&mut self.traced) {
            message::encode(&Reply::TraceSteps(trace::end()), &mut self.outbox);
        }
        message::encode(reply, &mut self.outbox);
        self.send();
    }

    pub(in crate::runtime) fn output(&mut self, stream: Stream, bytes: &[u8]) {
        message::encode_output(stream, bytes, &mut self.outbox);
        self.send();
    }

    /// Sends as much as it takes.
    pub(in crate::runtime) fn send(&mut self) {
        while !self.outbox.is_empty() && !self.closed {
            match self.stream.write(&self.outbox) {
                Ok(count) => drop(self.outbox.drain(..count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.closed = true;
                    self.outbox.clear();
                }
            }
        }
    }
}

/// Whether the process at the other end is root's or of the user that this monitor runs as
/// (`SO_PEERCRED`, unix(7)).
pub(in crate::runtime) fn is_authorized(stream: &UnixStream) -> bool {
    let peer = rustix::net::sockopt::socket_peercred(stream);
    peer.is_ok_and(|peer| peer.uid.is_root() || peer.uid == rustix::process::geteuid())
}

/// The first request of the front that made this monitor. Waits for it.
pub(in crate::runtime) fn first_request(front: &mut UnixStream) -> Result<Request> {
    let mut buffer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(Frame::Message(json)) = message::decode(&mut buffer)? {
            let request = message::parse(&json)?;
            let Request::Traced(request) = request else { return Ok(request) };
            let watched = matches!(*request, Request::Start(StartOptions { stepwise: true, .. }));
            trace::begin(watched.then(|| watcher(front)).transpose()?);
            return Ok(*request);
        }
        match front.read(&mut chunk) {
            Ok(0) => return Err(Error::new(Kind::Cancelled, "the front went away")),
            Ok(count) => buffer.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from_io("read from the front", &error)),
        }
    }
}

/// Tells the front of each deed, and waits until it says that it may be done.
fn watcher(front: &UnixStream) -> Result<Watcher> {
    let front = front.try_clone().map_err(|error| Error::from_io("dup(front)", &error))?;
    let front = Mutex::new(front);
    Ok(Arc::new(move |deed| {
        let mut front = front.lock().unwrap_or_else(PoisonError::into_inner);
        send(&mut front, &Reply::NextStep(Box::new(deed.clone())));
        // A front that has gone watches no more.
        let _ = first_request(&mut front);
    }))
}

/// Answers a front that waits, before this process ends.
pub(in crate::runtime) fn answer(front: &mut UnixStream, reply: &Reply) {
    if trace::is_on() {
        send(front, &Reply::TraceSteps(trace::end()));
    }
    send(front, reply);
}

fn send(front: &mut UnixStream, reply: &Reply) {
    let mut buffer = Vec::new();
    message::encode(reply, &mut buffer);
    let _ = front.write_all(&buffer);
}
