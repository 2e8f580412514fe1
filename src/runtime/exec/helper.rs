//! The helper while the program runs: one poll loop.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use crate::model::container::ContainerSpec;
use crate::model::observe::event::{Event, EventAction};
use crate::model::observe::log::Stream;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::runtime::protocol::client::{ClientConnection, ClientMessage};
use crate::runtime::protocol::{Reply, Request};
use crate::runtime::record::exec_files::ExecFile;
use crate::runtime::record::journal::Journal;
use crate::runtime::spawn::stdin_writer::StdinWriter;
use crate::sys;

/// How long to wait for output after the program has exited, if another process holds it open.
const DRAIN: Duration = Duration::from_millis(500);

/// How long a client that is stopped keeps this process from exiting. One that runs may be slow.
const STOPPED_CLIENT: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// The part of an exec's events that is the same for all.
pub(super) struct EventContext {
    pub(super) journal: Journal,
    pub(super) container: ContainerSpec,
    pub(super) name: ContainerName,
    pub(super) exec: String,
}

impl EventContext {
    pub(super) fn event(&self, action: impl Into<String>, attributes: &[(&str, String)]) {
        let attributes = [&[("execID", self.exec.clone())], attributes].concat();
        self.journal.write(Event::of_container(&self.container, &self.name, action, &attributes));
    }
}

/// The helper while the program runs.
pub(super) struct Helper {
    pub(super) client: Option<ClientConnection>,
    pub(super) child: sys::process::Child,
    pub(super) outputs: [Option<OwnedFd>; 2],
    pub(super) terminal: Option<OwnedFd>,
    pub(super) input: StdinWriter,
    /// Never readable: takes the place of descriptors that are not polled.
    pub(super) idle: OwnedFd,
    /// The exit code, and the deadline for output.
    pub(super) exited: Option<(i32, Instant)>,
    pub(super) event_context: EventContext,
    /// Lists the exec among those that run.
    pub(super) listed: Option<ExecFile>,
}

impl Helper {
    /// Runs until the program has exited and its output is sent.
    pub(super) fn watch(&mut self) {
        loop {
            if let Some((code, until)) = self.exited {
                let drained = self.outputs.iter().all(Option::is_none);
                if drained || Instant::now() >= until {
                    return self.finish(code);
                }
            }
            self.run_once();
        }
    }

    /// Waits for events and handles them.
    fn run_once(&mut self) {
        let idle = self.idle.as_fd();
        let unsent = self.client.as_ref().is_some_and(ClientConnection::has_unsent);
        let mut fds = Vec::with_capacity(5);
        let mut push = |fd: Option<_>, flags: PollFlags| {
            let flags = if fd.is_some() { flags } else { PollFlags::empty() };
            fds.push(PollFd::from_borrowed_fd(fd.unwrap_or(idle), flags));
        };
        push(Some(self.child.pidfd.as_fd()).filter(|_| self.exited.is_none()), PollFlags::IN);
        for output in &self.outputs {
            // A client that does not take the output holds the program back, as a pipe would.
            push(output.as_ref().map(AsFd::as_fd).filter(|_| !unsent), PollFlags::IN);
        }
        let full = self.input.poll_fd();
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, full.is_none());
        flags.set(PollFlags::OUT, unsent);
        push(self.client.as_ref().map(|client| client.stream.as_fd()), flags);
        push(full, PollFlags::OUT);
        let left = self.exited.map(|(_, until)| until.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        if sys::poll::poll_all(&mut fds, left.as_ref()).is_err() {
            return;
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        let is = |at: usize| ready.get(at).copied().unwrap_or_default();
        for (number, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
            if is(1 + number) && !unsent {
                self.read_output(number, stream);
            }
        }
        if is(0) && self.exited.is_none() {
            let code = sys::process::reap(&self.child.pidfd).unwrap_or(255);
            self.exited = Some((code, Instant::now() + DRAIN));
        }
        self.input.write();
        if is(3) {
            self.listen();
        }
    }

    fn read_output(&mut self, number: usize, stream: Stream) {
        let Some(output) = &self.outputs[number] else { return };
        let mut buffer = Vec::with_capacity(64 * 1024);
        match rustix::io::read(output, rustix::buffer::spare_capacity(&mut buffer)) {
            Ok(0) | Err(Errno::IO) => self.outputs[number] = None,
            Ok(_) => {
                if let Some(client) = &mut self.client {
                    client.output(stream, &buffer);
                }
            }
            Err(_) => {}
        }
    }

    fn listen(&mut self) {
        let Some(client) = &mut self.client else { return };
        for message in client.receive() {
            match message {
                ClientMessage::Input(bytes) => self.input.push(&bytes),
                ClientMessage::Request(Request::CloseStdin) => self.input.close(),
                ClientMessage::Request(Request::Kill { signal }) if self.exited.is_none() => {
                    let _ = sys::process::send_signal(&self.child.pidfd, signal.number());
                    if signal == Signal::KILL {
                        // Its process group is killed too, as from a terminal.
                        sys::process::kill_group(self.child.pid);
                    }
                }
                ClientMessage::Request(Request::Resize(size)) => {
                    if let Some(terminal) = &self.terminal {
                        let _ = sys::terminal::set_size(terminal, size.rows, size.columns);
                    }
                }
                ClientMessage::Request(_) => {}
            }
        }
        client.send();
        if client.closed {
            // As with Docker, the program runs on; its standard input is closed.
            self.client = None;
            self.input.close();
        }
    }

    /// Sends the exit code to the client, if it is still connected.
    fn finish(&mut self, code: i32) {
        self.listed = None;
        self.event_context.event(EventAction::ExecDie, &[("exitCode", code.to_string())]);
        let Some(client) = &mut self.client else { return };
        client.reply(&Reply::Exited { code });
        while client.has_unsent() && !client.closed {
            let mut fds = [PollFd::new(&client.stream, PollFlags::OUT)];
            let taken = rustix::event::poll(&mut fds, Some(&STOPPED_CLIENT));
            if taken == Ok(0) && client.is_held() {
                return;
            }
            client.send();
        }
    }
}
