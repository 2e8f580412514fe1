//! The monitor: one small process per running container, that outlives whoever started it.
//!
//! It is a fresh exec of this binary, with one thread and one poll loop: no script engine, no
//! logger. It starts the container, writes its log, answers its socket, and when the container has
//! ended it records how and goes. It holds the container's lock for all that time.

mod client;
mod join;
mod launch;

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec};

use self::client::Client;
use super::catalogue::Catalogue;
use super::cgroup::{Cgroup, Hierarchies};
use super::directory::Directory;
use super::host;
use super::log::Writer;
use super::protocol::{Reply, Request};
use crate::model::container::{ContainerSpec, State};
use crate::model::error::Context;
use crate::model::id::ContainerId;
use crate::model::log::Stream;
use crate::model::options::Grace;
use crate::model::signal::Signal;
use crate::model::status::{self, Action, Status};
use crate::model::{Error, Kind, Result};
use crate::sys;

/// Argument 0 of a monitor, which also names it in `ps`.
pub const NAME: &str = "lifebox-monitor";

/// How long the output of a container that has ended is waited for, should a process that left
/// its namespaces hold it open.
const DRAIN: Duration = Duration::from_secs(5);
const CHUNK: usize = 64 * 1024;

/// Whether this process was started as a monitor: then `main` must call [`run`] before all else.
pub fn is_monitor() -> bool {
    std::env::args_os().next().is_some_and(|name| name == NAME)
}

/// The life of a monitor. Its arguments are the root, the container's id and the parent cgroup; its
/// standard input is the connection to the front, its standard output the container's lock.
pub fn run() -> u8 {
    let Some(front) = sys::process::take_standard(0) else { return 1 };
    let Some(lock) = sys::process::take_standard(1) else { return 1 };
    let mut front = UnixStream::from(front);
    match prepare(File::from(lock)) {
        Ok(mut monitor) => {
            monitor.begin(front);
            0
        }
        Err(error) => {
            client::answer(&mut front, &Reply::Failed(error));
            1
        }
    }
}

/// A monitor at work.
#[derive(Debug)]
struct Monitor {
    catalogue: Catalogue,
    directory: Directory,
    hierarchies: Hierarchies,
    cgroup: Cgroup,
    spec: ContainerSpec,
    state: State,
    listener: UnixListener,
    clients: Vec<Client>,
    /// Dropped when the record is final: from then on others may change the container.
    lock: Option<File>,
    run: Option<Run>,
    /// The code with which it ended, and until when its output is waited for.
    ended: Option<(i32, Instant)>,
    /// When to kill it; unset in a stop without limit.
    kill_at: Option<Instant>,
    /// `--rm` is put aside: it is being restarted.
    keep: bool,
}

/// A container that runs.
#[derive(Debug)]
struct Run {
    child: sys::process::Child,
    outputs: [Option<OwnedFd>; 2],
    log: Writer,
    /// Holds the container's standard input open.
    stdin: Option<File>,
}

/// Leaves the front's session, terminal and signals, and reads the container's files.
fn prepare(lock: File) -> Result<Monitor> {
    let mut arguments = std::env::args_os().skip(1);
    let mut argument = |what: &str| -> Result<OsString> {
        arguments
            .next()
            .ok_or_else(|| Error::new(Kind::Bug, format!("the monitor was not told its {what}")))
    };
    let root = PathBuf::from(argument("root")?);
    let id: ContainerId = argument("container")?.to_string_lossy().parse()?;
    let parent = PathBuf::from(argument("parent cgroup")?);
    sys::process::detach_standard()?;
    sys::signal::ignore_hangups();
    let _ = rustix::process::setsid();
    // Memory runs out for everybody else first; needs CAP_SYS_RESOURCE.
    let _ = fs::write("/proc/self/oom_score_adj", "-999");
    let catalogue = Catalogue::at(&root);
    let directory = catalogue.directory(&id);
    // The paths in config.json are relative to the container's directory.
    std::env::set_current_dir(directory.path())
        .context(|| format!("enter `{}`", directory.path().display()))?;
    let spec = directory.read_spec()?;
    let state = directory.read_state()?;
    let socket = Path::new("monitor.sock");
    let _ = fs::remove_file(socket);
    let listener = UnixListener::bind(socket).context(|| "make `monitor.sock`".to_owned())?;
    listener.set_nonblocking(true).context(|| "listen".to_owned())?;
    let hierarchies = Hierarchies::of_host()?;
    let cgroup = Cgroup::at(&hierarchies, &parent.join(id.as_str()));
    Ok(Monitor {
        catalogue,
        directory,
        hierarchies,
        cgroup,
        spec,
        state,
        listener,
        clients: Vec::new(),
        lock: Some(lock),
        run: None,
        ended: None,
        kill_at: None,
        keep: false,
    })
}

impl Monitor {
    /// Takes the front's request to start, starts, and stays until the container has ended.
    fn begin(&mut self, mut front: UnixStream) {
        let request = client::first_request(&mut front);
        match request.and_then(|request| self.start(&request).map(|()| request)) {
            Ok(Request::Start { attach, stdin }) => {
                let mut front = Client::new(front);
                front.reply(&Reply::Done);
                (front.attached, front.feeds_stdin) = (attach, stdin);
                self.clients.push(front);
                self.watch();
                self.finish();
            }
            Ok(_) => {}
            Err(error) => {
                self.give_up(&error);
                client::answer(&mut front, &Reply::Failed(error));
            }
        }
    }

    fn start(&mut self, request: &Request) -> Result<()> {
        if !matches!(request, Request::Start { .. }) {
            return Err(Error::new(Kind::Bug, "the monitor was not asked to start"));
        }
        let run = launch::launch(&self.directory, &self.hierarchies, &self.cgroup, &self.spec)?;
        let before = self.state.clone();
        self.state.status = Status::Running;
        self.state.pid = run.child.pid;
        self.state.pid_start = host::start_time(run.child.pid);
        self.state.exit_code = 0;
        self.state.oom_killed = false;
        self.state.error.clear();
        self.state.started_at = Some(Timestamp::now());
        self.state.finished_at = None;
        self.state.boot_id = host::boot_id();
        self.run = Some(run);
        self.directory.write_state(&self.state).inspect_err(|_| self.state = before)
    }

    /// Records a start that failed: the container keeps its status, with the reason.
    fn give_up(&mut self, error: &Error) {
        if let Some(run) = self.run.take() {
            let _ = sys::process::send_signal(&run.child.pidfd, Signal::KILL.number());
            let _ = sys::process::reap(&run.child.pidfd);
        }
        let _ = self.cgroup.remove();
        self.state.exit_code = error.exit_code().map_or(128, i32::from);
        self.state.error = error.to_string();
        self.release();
    }

    /// The loop: until the container has ended and its last words are written.
    fn watch(&mut self) {
        while let Some(run) = &self.run {
            let drained = run.outputs.iter().all(Option::is_none);
            let late = self.ended.is_some_and(|(_, until)| Instant::now() >= until);
            if self.ended.is_some() && (drained || late) {
                return;
            }
            let ready = self.poll();
            self.handle(ready);
            if self.kill_at.is_some_and(|at| Instant::now() >= at) {
                self.kill_at = None;
                let _ = self.signal(Signal::KILL);
            }
        }
    }

    /// Waits for anything to happen. The answer is in the order: end of the child, output, error
    /// output, a new client, each client.
    fn poll<'a>(&'a self) -> Vec<PollFlags> {
        // A client that does not take the output holds the container back, as a pipe would. What
        // is left of one that has ended is taken in any case.
        let blocked = self.ended.is_none()
            && self.clients.iter().any(|client| client.attached && client.has_unsent());
        let Some(run) = &self.run else { return Vec::new() };
        // What is not waited for now is replaced by the listener, asked for nothing: a pipe at its
        // end would else be reported again and again.
        let idle = self.listener.as_fd();
        let mut fds = Vec::with_capacity(4 + self.clients.len());
        let mut push = |fd: Option<BorrowedFd<'a>>| {
            let flags = if fd.is_some() { PollFlags::IN } else { PollFlags::empty() };
            fds.push(PollFd::from_borrowed_fd(fd.unwrap_or(idle), flags));
        };
        push(Some(run.child.pidfd.as_fd()).filter(|_| self.ended.is_none()));
        for output in &run.outputs {
            push(output.as_ref().map(AsFd::as_fd).filter(|_| !blocked));
        }
        push(Some(idle));
        for client in &self.clients {
            let mut flags = PollFlags::IN;
            flags.set(PollFlags::OUT, client.has_unsent());
            fds.push(PollFd::from_borrowed_fd(client.stream.as_fd(), flags));
        }
        let until = self.kill_at.into_iter().chain(self.ended.map(|(_, until)| until)).min();
        let left = until.map(|at| at.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match rustix::event::poll(&mut fds, left.as_ref()) {
            Ok(_) => fds.iter().map(PollFd::revents).collect(),
            Err(_) => Vec::new(),
        }
    }

    fn handle(&mut self, ready: Vec<PollFlags>) {
        let is = |at: usize| ready.get(at).is_some_and(|flags| !flags.is_empty());
        let (ended, new) = (is(0), is(3));
        for stream in [Stream::Stdout, Stream::Stderr] {
            if is(1 + usize::from(stream == Stream::Stderr)) {
                self.read_output(stream);
            }
        }
        if let Some(run) = self.run.as_ref().filter(|_| ended) {
            let code = sys::process::reap(&run.child.pidfd).unwrap_or(255);
            self.ended = Some((code, Instant::now() + DRAIN));
            self.kill_at = None;
            // Without a process namespace of its own the kernel ends nobody with it.
            if !self.spec.host.sharing.pid.is_private() {
                let _ = self.cgroup.kill();
            }
        }
        let count = self.clients.len();
        for at in (0..count).filter(|at| is(4 + at)) {
            for request in self.clients[at].receive() {
                self.answer(at, request);
            }
            self.clients[at].send();
        }
        if self.clients.iter().any(|client| client.gone && client.feeds_stdin) {
            self.close_stdin();
        }
        self.clients.retain(|client| !client.gone);
        if new {
            while let Ok((stream, _)) = self.listener.accept() {
                // The directory keeps others out already; this keeps them out of a mistake there.
                if client::may_ask(&stream) {
                    self.clients.push(Client::new(stream));
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
            Ok(0) => {
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
        let result = match request {
            Request::Pause => self.pause(),
            Request::Unpause => self.unpause(),
            Request::Kill { signal } => {
                // Docker's `kill` comes back from SIGKILL when the container has ended.
                self.clients[at].awaits_end |= signal == Signal::KILL && !self.clients[at].attached;
                self.signal(signal)
            }
            Request::Stop { signal, grace, keep } => {
                self.clients[at].awaits_end = true;
                self.stop(signal, grace, keep)
            }
            Request::Wait => {
                self.clients[at].awaits_end = true;
                return;
            }
            Request::Attach { stdin } => {
                self.clients[at].attached = true;
                self.clients[at].feeds_stdin = stdin;
                Ok(())
            }
            Request::CloseStdin => {
                self.close_stdin();
                return;
            }
            Request::Rename { name } => {
                self.state.name = name;
                self.directory.write_state(&self.state)
            }
            Request::Start { .. } => Ok(()),
        };
        match result {
            Err(error) => self.clients[at].reply(&Reply::Failed(error)),
            Ok(()) if self.clients[at].awaits_end => {}
            Ok(()) => self.clients[at].reply(&Reply::Done),
        }
    }

    fn pause(&mut self) -> Result<()> {
        status::check(self.state.name.as_str(), self.state.status, Action::Pause)?;
        self.cgroup.freeze()?;
        self.state.status = Status::Paused;
        self.directory.write_state(&self.state)
    }

    fn unpause(&mut self) -> Result<()> {
        status::check(self.state.name.as_str(), self.state.status, Action::Unpause)?;
        self.cgroup.thaw()?;
        self.state.status = Status::Running;
        self.directory.write_state(&self.state)
    }

    fn stop(&mut self, signal: Signal, grace: Grace, keep: bool) -> Result<()> {
        self.keep |= keep;
        self.signal(signal)?;
        if self.state.status == Status::Paused {
            self.unpause()?;
        }
        let deadline = match grace {
            Grace::For(time) => Instant::now().checked_add(time),
            Grace::Forever => None,
        };
        // Of two stops at once the more patient does not undo the other.
        self.kill_at = [self.kill_at, deadline].into_iter().flatten().min();
        Ok(())
    }

    /// Sends a signal. One that is meant to end the container also thaws it, or it would wait for
    /// ever to be delivered; any other waits until the container is unpaused.
    fn signal(&mut self, signal: Signal) -> Result<()> {
        let Some(run) = &self.run else { return Ok(()) };
        match sys::process::send_signal(&run.child.pidfd, signal.number()) {
            // It has ended just now.
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(errno) => {
                return Err(Error::from_errno(format!("send {signal}"), errno.raw_os_error()));
            }
        }
        let ends = signal == Signal::KILL
            || signal == self.spec.config.stop_signal.unwrap_or(Signal::TERM);
        if ends && self.state.status == Status::Paused { self.unpause() } else { Ok(()) }
    }

    /// Records the end, gives everything back, and only then tells who waits for it.
    fn finish(&mut self) {
        let code = self.ended.map_or(255, |(code, _)| code);
        if let Some(mut run) = self.run.take() {
            run.log.write(Stream::Stdout, &[]);
            run.log.write(Stream::Stderr, &[]);
        }
        self.state.oom_killed = self.cgroup.oom_kills() > 0;
        let removed = self.cgroup.remove();
        self.state = self.state.clone().ended(code, Timestamp::now());
        if let Err(error) = removed {
            self.state.error = error.to_string();
        }
        self.release();
        for client in &mut self.clients {
            if client.attached || client.awaits_end {
                client.reply(&Reply::Exited { code });
            }
        }
        while self.clients.iter().any(Client::has_unsent) {
            let mut fds: Vec<_> = self
                .clients
                .iter()
                .filter(|client| client.has_unsent())
                .map(|client| PollFd::new(&client.stream, PollFlags::OUT))
                .collect();
            let _ = rustix::event::poll(&mut fds, None);
            drop(fds);
            self.clients.iter_mut().for_each(Client::send);
            self.clients.retain(|client| !client.gone);
        }
    }

    /// Writes the last state, or removes a container that was made with `--rm`, and unlocks it.
    fn release(&mut self) {
        let _ = fs::remove_file("monitor.sock");
        if self.spec.host.auto_remove && !self.keep {
            let _ = self.catalogue.remove(&self.spec.id, Some(&self.state.name));
            let own = self.spec.host.mounts.anonymous();
            let _ = self.catalogue.volumes().remove_unused(&own, &self.catalogue);
        } else {
            let _ = self.directory.write_state(&self.state);
        }
        self.lock = None;
    }
}
