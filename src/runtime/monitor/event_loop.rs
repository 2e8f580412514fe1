//! The poll loop of a monitor.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::state::Monitor;
use crate::model::Error;
use crate::model::observe::log::Stream;
use crate::model::script::trace::ProcessRole;
use crate::model::value::signal::Signal;
use crate::runtime::protocol::client::{self, ClientConnection, ClientMessage};
use crate::runtime::protocol::{Reply, Request};
use crate::runtime::trace::operation::Operation;
use crate::runtime::{rootless, trace};
use crate::sys;

/// How long to wait for output after the container has exited, if a process that left its
/// namespaces holds it open.
const DRAIN: Duration = Duration::from_secs(5);
const CHUNK: usize = 64 * 1024;
/// How long a monitor without a free descriptor accepts no client.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a client that gets an error may take to send its request.
const FIRST_REQUEST: Duration = Duration::from_millis(50);

impl Monitor {
    /// Runs the loop until the container has exited and its output is written.
    pub(super) fn watch(&mut self) {
        while let Some(run) = &self.run {
            let drained = run.outputs.iter().all(Option::is_none);
            let late = self.exited.is_some_and(|(_, until)| Instant::now() >= until);
            if self.exited.is_some() && (drained || late) {
                return;
            }
            let ready = self.poll();
            self.handle(ready);
            if self.kill_at.is_some_and(|at| Instant::now() >= at) {
                self.kill_at = None;
                self.grace_expired();
            }
        }
    }

    /// Polls all descriptors. The result is in the order: exit of the child, output, error output,
    /// a new client, each client.
    pub(super) fn poll<'a>(&'a self) -> Vec<PollFlags> {
        // A client that does not take the output holds the container back, as a pipe would. After
        // the exit the rest is read in any case.
        let blocked = self.exited.is_none()
            && self.clients.iter().any(|client| client.attached && client.has_unsent());
        // A descriptor that is not polled now is replaced by the listener with no events: a pipe at
        // its end would be reported on every call.
        let idle = self.listener.as_fd();
        let mut fds = Vec::with_capacity(4 + self.clients.len());
        let mut push = |fd: Option<BorrowedFd<'a>>| {
            let flags = if fd.is_some() { PollFlags::IN } else { PollFlags::empty() };
            fds.push(PollFd::from_borrowed_fd(fd.unwrap_or(idle), flags));
        };
        let run = self.run.as_ref();
        push(run.map(|run| run.child.pidfd.as_fd()).filter(|_| self.exited.is_none()));
        for stream in 0..2 {
            let output = run.and_then(|run| run.outputs[stream].as_ref());
            push(output.map(AsFd::as_fd).filter(|_| !blocked));
        }
        push(Some(idle).filter(|_| self.deaf_until.is_none_or(|until| Instant::now() >= until)));
        // While the terminal takes no input, none is read from clients.
        let full = run.and_then(|run| run.input.poll_fd());
        for client in &self.clients {
            let mut flags = PollFlags::IN;
            flags.set(PollFlags::IN, full.is_none() || !client.attached);
            flags.set(PollFlags::OUT, client.has_unsent());
            fds.push(PollFd::from_borrowed_fd(client.stream.as_fd(), flags));
        }
        fds.extend(full.map(|input| PollFd::from_borrowed_fd(input, PollFlags::OUT)));
        let answers = self.checker.as_ref().and_then(|checker| checker.result_fd());
        fds.extend(answers.map(|helper| PollFd::from_borrowed_fd(helper, PollFlags::IN)));
        let due = self.checker.as_ref().and_then(|checker| checker.due());
        let drain = self.exited.filter(|_| self.run.is_some()).map(|(_, until)| until);
        let deaf = self.deaf_until.filter(|until| Instant::now() < *until);
        let until = [self.kill_at, drain, self.wake_at, due, self.record_again_at, deaf];
        let until = until.into_iter().flatten().min();
        let left = until.map(|at| at.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match sys::poll::poll_all(&mut fds, left.as_ref()) {
            Ok(()) => fds.iter().map(PollFd::revents).collect(),
            Err(_) => Vec::new(),
        }
    }

    pub(super) fn handle(&mut self, ready: Vec<PollFlags>) {
        let is = |at: usize| ready.get(at).is_some_and(|flags| !flags.is_empty());
        let (exited, new) = (is(0), is(3));
        for stream in [Stream::Stdout, Stream::Stderr] {
            if is(1 + usize::from(stream == Stream::Stderr)) {
                self.read_output(stream);
            }
        }
        if exited {
            self.trace_wait();
        }
        if let Some(run) = self.run.as_ref().filter(|_| exited) {
            let reap = || sys::process::reap_with_signal(&run.child.pidfd).unwrap_or((255, None));
            let (code, signal) = trace::traced(ProcessRole::Monitor, || Operation::Reap, reap);
            self.state.exit_signal = signal.and_then(Signal::from_number);
            self.exited = Some((code, Instant::now() + DRAIN));
            self.kill_at = None;
            // Without a PID namespace of its own the kernel kills no other process with it.
            if !self.spec.host_config.namespaces.pid.is_private() {
                let _ = self.cgroup.kill();
                run.mounts.as_deref().into_iter().for_each(rootless::processes::kill_all);
            }
            self.stop_checks();
        }
        if let Some(run) = &mut self.run {
            run.input.write();
        }
        self.run_health_checks();
        self.retry_record();
        let count = self.clients.len();
        for at in (0..count).filter(|at| is(4 + at)) {
            let is_gone = ready[4 + at].contains(PollFlags::HUP);
            for message in self.clients[at].receive() {
                match (message, &mut self.run) {
                    // It was not answered in time, and its client has reported that.
                    (ClientMessage::Request(request), _) if is_gone && !request.is_lasting() => {}
                    (ClientMessage::Request(request), _) => self.answer(at, request),
                    (ClientMessage::Input(bytes), Some(run)) => run.input.push(&bytes),
                    (ClientMessage::Input(_), None) => {}
                }
            }
            self.clients[at].send();
        }
        if self.clients.iter().any(|client| client.closed && client.feeds_stdin) {
            self.close_stdin();
        }
        if self.clients.iter().any(|client| client.closed && client.holds_paused) {
            self.end_hold();
        }
        self.clients.retain(|client| !client.closed);
        if new {
            self.accept();
        }
    }

    /// Accepts the clients that wait. Without a descriptor for one it gets an error, or waits: the
    /// listener would be reported on every call.
    fn accept(&mut self) {
        loop {
            let error = match self.listener.accept() {
                // The directory's mode keeps other users out already; this check is a second line
                // of defence.
                Ok((stream, _)) if client::is_authorized(&stream) => {
                    self.clients.push(ClientConnection::new(stream));
                    continue;
                }
                Ok(_) => continue,
                Err(error) => error,
            };
            if !matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) {
                return;
            }
            if !sys::process::with_spare_descriptor(|| self.refuse_client(&error)) {
                self.deaf_until = Some(Instant::now() + PAUSE);
                return;
            }
        }
    }

    /// Answers a client for which there is no descriptor, and stops or kills the container where it
    /// requests that. Returns false if there is none even for this.
    fn refuse_client(&mut self, error: &std::io::Error) -> bool {
        let Ok((mut stream, _)) = self.listener.accept() else { return false };
        if !client::is_authorized(&stream) {
            return true;
        }
        if let Some(request) = client::request_within(&mut stream, FIRST_REQUEST) {
            let _ = match request {
                Request::Stop { signal, timeout, keep_container } => {
                    self.keep_container |= keep_container;
                    self.stop(signal, timeout)
                }
                Request::Kill { signal } if signal == Signal::KILL => {
                    self.record_stop(signal, None);
                    self.signal(signal)
                }
                _ => Ok(()),
            };
        }
        let own = std::process::id();
        let error = Error::from_io("accept a client", error)
            .hint(format!("let the monitor have more files: prlimit --pid {own} --nofile=1024"));
        client::answer(&mut stream, &Reply::Failed(error));
        true
    }

    fn read_output(&mut self, stream: Stream) {
        let Some(run) = &mut self.run else { return };
        let output = &mut run.outputs[usize::from(stream == Stream::Stderr)];
        // Not cleared, so that an output of one line takes one page.
        let mut buffer = Vec::with_capacity(CHUNK);
        let Some(fd) = output else { return };
        match rustix::io::read(&*fd, rustix::buffer::spare_capacity(&mut buffer)) {
            // A terminal that no process has open says EIO (pty(7)).
            Ok(0) | Err(rustix::io::Errno::IO) => {
                *output = None;
                run.write_log(stream, &[]);
            }
            Ok(_) => {
                run.write_log(stream, &buffer);
                for client in self.clients.iter_mut().filter(|client| client.attached) {
                    client.output(stream, &buffer);
                }
            }
            Err(_) => {}
        }
    }

    /// Closes standard input, unless it waits for the next client.
    pub(super) fn close_stdin(&mut self) {
        if let Some(run) = self.run.as_mut().filter(|_| self.spec.config.stdin_once()) {
            run.stdin = None;
        }
    }
}
