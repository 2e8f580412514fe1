//! A client's connection, on the monitor's side: its requests, and the bytes to send.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;

use super::message;
use super::message::{Frame, Reply, Request, StartOptions};
use crate::model::observe::log::Stream;
use crate::model::{Error, Kind, Result};
use crate::runtime::trace::{self, Watcher};
use crate::sys::process_state::ProcessState;

/// A message of a client.
#[derive(Debug)]
pub(in crate::runtime) enum ClientMessage {
    /// A request.
    Request(Request),
    /// Input for the program.
    Input(Vec<u8>),
}

/// A connected client.
#[derive(Debug)]
pub(in crate::runtime) struct ClientConnection {
    pub(in crate::runtime) stream: UnixStream,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// Whether it gets the container's output.
    pub(in crate::runtime) attached: bool,
    /// Whether the container's standard input is closed when it disconnects.
    pub(in crate::runtime) feeds_stdin: bool,
    /// Whether it is answered when the container has exited.
    pub(in crate::runtime) awaits_exit: bool,
    /// Whether the container is paused for it, until it disconnects.
    pub(in crate::runtime) holds_paused: bool,
    /// Whether it gets the steps of the trace before the next reply.
    traced: bool,
    /// Whether it closed the connection or violated the protocol.
    pub(in crate::runtime) closed: bool,
}

impl ClientConnection {
    pub(in crate::runtime) fn new(stream: UnixStream) -> Self {
        let failed = stream.set_nonblocking(true).is_err();
        ClientConnection {
            stream,
            inbox: Vec::new(),
            outbox: Vec::new(),
            attached: false,
            feeds_stdin: false,
            awaits_exit: false,
            holds_paused: false,
            traced: trace::is_on(),
            closed: failed,
        }
    }

    /// Returns whether its process is stopped, or frozen.
    pub(in crate::runtime) fn is_held(&self) -> bool {
        let peer = rustix::net::sockopt::socket_peercred(&self.stream);
        let process = peer.ok().and_then(|peer| ProcessState::of(peer.pid.as_raw_nonzero().get()));
        process.is_none_or(|process| process.is_held())
    }

    pub(in crate::runtime) fn has_unsent(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Receives its messages.
    pub(in crate::runtime) fn receive(&mut self) -> Vec<ClientMessage> {
        // Reads once: the rest waits until these messages are handled. The room is not cleared, so
        // that a short request takes one page.
        self.inbox.reserve(64 * 1024);
        match rustix::io::read(&self.stream, rustix::buffer::spare_capacity(&mut self.inbox)) {
            Ok(0) => self.closed = true,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.closed = true,
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

    /// Sends as many bytes as the client takes now.
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

/// Returns whether the process at the other end belongs to root or to the user of this monitor
/// (`SO_PEERCRED`, unix(7)).
pub(in crate::runtime) fn is_authorized(stream: &UnixStream) -> bool {
    let peer = rustix::net::sockopt::socket_peercred(stream);
    peer.is_ok_and(|peer| peer.uid.is_root() || peer.uid == rustix::process::geteuid())
}

/// Waits for the first request of the client that started this monitor.
pub(in crate::runtime) fn first_request(client: &mut UnixStream) -> Result<Request> {
    let mut buffer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(Frame::Message(json)) = message::decode(&mut buffer)? {
            let request = message::parse(&json)?;
            let Request::Traced(request) = request else { return Ok(request) };
            let watched = matches!(*request, Request::Start(StartOptions { stepwise: true, .. }));
            trace::begin(watched.then(|| watcher(client)).transpose()?);
            return Ok(*request);
        }
        match client.read(&mut chunk) {
            Ok(0) => return Err(Error::new(Kind::Cancelled, "the client closed the connection")),
            Ok(count) => buffer.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from_io("read from the client", &error)),
        }
    }
}

/// Receives a client's request if it arrives in time.
pub(in crate::runtime) fn request_within(
    client: &mut UnixStream,
    timeout: Duration,
) -> Option<Request> {
    let (mut buffer, mut chunk) = (Vec::new(), [0; 4096]);
    client.set_read_timeout(Some(timeout)).ok()?;
    loop {
        if let Some(Frame::Message(json)) = message::decode(&mut buffer).ok()? {
            return message::parse(&json).ok().map(|request| match request {
                Request::Traced(request) => *request,
                request => request,
            });
        }
        let count = client.read(&mut chunk).ok().filter(|count| *count > 0)?;
        buffer.extend_from_slice(&chunk[..count]);
    }
}

/// Returns a watcher that sends each step to the client, and waits for its permission.
fn watcher(client: &UnixStream) -> Result<Watcher> {
    let client = client.try_clone().map_err(|error| Error::from_io("dup(client)", &error))?;
    let client = Mutex::new(client);
    Ok(Arc::new(move |step| {
        let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
        send(&mut client, &Reply::NextStep(Box::new(step.clone())));
        // A client that has disconnected no longer watches.
        let _ = first_request(&mut client);
    }))
}

/// Answers a waiting client, before this process exits.
pub(in crate::runtime) fn answer(client: &mut UnixStream, reply: &Reply) {
    if trace::is_on() {
        send(client, &Reply::TraceSteps(trace::end()));
    }
    send(client, reply);
}

fn send(client: &mut UnixStream, reply: &Reply) {
    let mut buffer = Vec::new();
    message::encode(reply, &mut buffer);
    let _ = client.write_all(&buffer);
}
