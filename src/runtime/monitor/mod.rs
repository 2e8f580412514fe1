//! The monitor: one small process per running container, which outlives the client that started it.
//!
//! It is a fresh exec of this binary, with one thread and one poll loop: no script engine, no
//! logger. The monitor starts the container, writes its log, answers its socket, records its exit,
//! and exits. It holds the container's lock for all that time.

mod checker;
mod end;
mod event;
mod health;
mod join;
mod launch;
mod policy;
mod record;
mod restart;
mod state;
mod verbs;

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use self::checker::HealthChecker;
use self::policy::{RestartState, UsageMeter};
use self::state::Monitor;
use crate::model::error::Context;
use crate::model::observe::event::Action;
use crate::model::observe::log::Stream;
use crate::model::script::trace::ProcessRole;
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::protocol::client::{ClientConnection, ClientMessage};
use crate::runtime::protocol::{Reply, Request, StartOptions};
use crate::runtime::record::container_store::ContainerStore;
use crate::runtime::trace::operation::Operation;
use crate::runtime::{rootless, trace};
use crate::sys;

/// How long to wait for output after the container has exited, if a process that left its
/// namespaces holds it open.
const DRAIN: Duration = Duration::from_secs(5);
const CHUNK: usize = 64 * 1024;

/// Runs the monitor. Its arguments are the root, the container's id and the parent cgroup; its
/// standard input is the connection to the client, its standard output the container's lock.
pub(super) fn run() -> u8 {
    let Some(client) = sys::process::take_stdio(0) else { return 1 };
    let Some(lock) = sys::process::take_stdio(1) else { return 1 };
    if sys::process::close_inherited(&[client.as_fd(), lock.as_fd()]).is_err() {
        return 1;
    }
    let mut client = UnixStream::from(client);
    match prepare(File::from(lock)) {
        Ok(mut monitor) => {
            monitor.serve(client);
            0
        }
        Err(error) => {
            crate::runtime::protocol::client::answer(&mut client, &Reply::Failed(error));
            1
        }
    }
}

/// Leaves the client's session, terminal and signals, and reads the container's files.
fn prepare(lock: File) -> Result<Monitor> {
    let mut arguments = std::env::args_os().skip(1);
    let mut argument = |what: &str| -> Result<OsString> {
        arguments.next().ok_or_else(|| {
            Error::new(Kind::Bug, format!("the monitor has no argument for its {what}"))
        })
    };
    let root = PathBuf::from(argument("root")?);
    let id: ContainerId = argument("container")?.to_string_lossy().parse()?;
    let parent = PathBuf::from(argument("parent cgroup")?);
    sys::process::detach_stdio()?;
    sys::signal::ignore_hangups();
    let _ = rustix::process::setsid();
    // The kernel kills any other process first when memory runs out; needs CAP_SYS_RESOURCE.
    let _ = fs::write("/proc/self/oom_score_adj", "-999");
    let catalogue = ContainerStore::at(&root);
    let directory = catalogue.directory(&id);
    // The paths in config.json are relative to the container's directory.
    std::env::set_current_dir(directory.path())
        .context(|| format!("enter `{}`", directory.path().display()))?;
    let mut spec = directory.read_spec()?;
    let state = directory.read_state()?;
    state.updated.apply(&mut spec.host);
    if !spec.host.auto_remove {
        directory.keep_room()?;
    }
    let socket = Path::new("monitor.sock");
    let _ = fs::remove_file(socket);
    let listener = UnixListener::bind(socket).context(|| "create `monitor.sock`".to_owned())?;
    listener.set_nonblocking(true).context(|| "listen".to_owned())?;
    let hierarchies = Hierarchies::of_host()?.delegated(&parent);
    let cgroup = Cgroup::at(&hierarchies, &parent.join(id.as_str()));
    let checker =
        HealthChecker::new(&spec.host.supervision.health, &root, &parent.to_string_lossy());
    Ok(Monitor {
        containers: catalogue,
        directory,
        hierarchies,
        cgroup,
        spec,
        state,
        listener,
        clients: Vec::new(),
        lock: Some(lock),
        run: None,
        exited: None,
        kill_at: None,
        keep_container: false,
        restart_state: RestartState::new(),
        meter: UsageMeter::start(),
        stop_requested_at: None,
        checker: checker.map(Box::new),
        wake_at: None,
        record_again_at: None,
        window_size: None,
    })
}

impl Monitor {
    /// Receives the client's request, starts the container, and returns after its exit.
    fn serve(&mut self, mut client: UnixStream) {
        let request = crate::runtime::protocol::client::first_request(&mut client);
        match request.and_then(|request| self.start(&request).map(|()| request)) {
            Ok(Request::Start(StartOptions { attach, stdin, .. })) => {
                let mut client = ClientConnection::new(client);
                client.reply(&Reply::Done);
                (client.attached, client.feeds_stdin) = (attach, stdin);
                self.clients.push(client);
                self.watch();
                while self.try_restart() {
                    self.watch();
                }
                self.finish();
            }
            Ok(_) => {}
            Err(error) => {
                self.give_up(&error);
                crate::runtime::protocol::client::answer(&mut client, &Reply::Failed(error));
            }
        }
    }

    fn start(&mut self, request: &Request) -> Result<()> {
        let Request::Start(options) = request else {
            return Err(Error::new(Kind::Bug, "the monitor's first request is not a start"));
        };
        self.state.restart_count = 0;
        self.window_size = options.size;
        if options.attach {
            self.event(Action::Attach, &[]);
        }
        self.run_program()?;
        if options.restarting {
            self.event(Action::Restart, &[]);
        }
        Ok(())
    }

    fn kill_run(&mut self) {
        if let Some(run) = self.run.take() {
            let _ = sys::process::send_signal(&run.child.pidfd, Signal::KILL.number());
            let _ = sys::process::reap(&run.child.pidfd);
        }
    }

    /// Runs the loop until the container has exited and its output is written.
    fn watch(&mut self) {
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
    fn poll<'a>(&'a self) -> Vec<PollFlags> {
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
        push(Some(idle));
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
        let until = [self.kill_at, drain, self.wake_at, due, self.record_again_at];
        let until = until.into_iter().flatten().min();
        let left = until.map(|at| at.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match rustix::event::poll(&mut fds, left.as_ref()) {
            Ok(_) => fds.iter().map(PollFd::revents).collect(),
            Err(_) => Vec::new(),
        }
    }

    fn handle(&mut self, ready: Vec<PollFlags>) {
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
            if !self.spec.host.namespaces.pid.is_private() {
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
            for message in self.clients[at].receive() {
                match (message, &mut self.run) {
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
            while let Ok((stream, _)) = self.listener.accept() {
                // The directory's mode keeps other users out already; this check is a second line
                // of defence.
                if crate::runtime::protocol::client::is_authorized(&stream) {
                    self.clients.push(ClientConnection::new(stream));
                }
            }
        }
    }

    fn read_output(&mut self, stream: Stream) {
        let Some(run) = &mut self.run else { return };
        let output = &mut run.outputs[usize::from(stream == Stream::Stderr)];
        let mut buffer = [0; CHUNK];
        let Some(fd) = output else { return };
        match rustix::io::read(&*fd, &mut buffer) {
            // A terminal that no process has open says EIO (pty(7)).
            Ok(0) | Err(rustix::io::Errno::IO) => {
                *output = None;
                run.log.write(stream, &[]);
            }
            Ok(count) => {
                run.log.write(stream, &buffer[..count]);
                for client in self.clients.iter_mut().filter(|client| client.attached) {
                    client.output(stream, &buffer[..count]);
                }
            }
            Err(_) => {}
        }
    }

    fn close_stdin(&mut self) {
        if let Some(run) = &mut self.run {
            run.stdin = None;
        }
    }

    fn answer(&mut self, at: usize, request: Request) {
        let mut answer = Reply::Done;
        let result = match request {
            Request::Pause => self.pause(),
            Request::HoldPaused => self.pause().inspect(|()| self.clients[at].holds_paused = true),
            Request::Unpause => self.unpause(),
            Request::Kill { signal } => {
                // Docker's `kill` with SIGKILL returns when the container has exited.
                self.clients[at].awaits_exit |=
                    signal == Signal::KILL && !self.clients[at].attached;
                self.record_stop(signal, None);
                self.signal(signal)
            }
            Request::Stop { signal, timeout, keep_container } => {
                self.clients[at].awaits_exit = true;
                self.keep_container |= keep_container;
                self.stop(signal, timeout)
            }
            Request::Wait => {
                self.clients[at].awaits_exit = true;
                return;
            }
            Request::Attach { stdin } => {
                self.clients[at].attached = true;
                self.clients[at].feeds_stdin = stdin;
                self.event(Action::Attach, &[]);
                Ok(())
            }
            Request::CloseStdin => {
                self.close_stdin();
                return;
            }
            Request::Rename { name } => {
                self.rename(name).map(|old| answer = Reply::Renamed { old })
            }
            Request::Update { changes } => self.update(&changes),
            Request::Resize(size) => {
                self.resize(size);
                return;
            }
            Request::Start(_) | Request::Exec(_) | Request::Traced(_) => Ok(()),
            Request::Go => return,
        };
        match result {
            Err(error) => self.clients[at].reply(&Reply::Failed(error)),
            Ok(()) if self.clients[at].awaits_exit => {}
            Ok(()) => self.clients[at].reply(&answer),
        }
    }
}
