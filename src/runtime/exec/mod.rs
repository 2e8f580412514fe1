//! The helper: one small process per further program in a container. It is made like a monitor,
//! joins the container, and stays until the program has ended, whether its front stays or not.

pub(super) mod environment;

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use oci_spec::runtime::{LinuxCapabilities, Process, Spec};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};

use crate::model::container::status::Status;
use crate::model::container::{ContainerSpec, State};
use crate::model::observe::event::{Action, Event};
use crate::model::observe::log::Stream;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::protocol::client;
use crate::runtime::protocol::client::{ClientConnection, ClientMessage};
use crate::runtime::protocol::{ExecSpec, Reply, Request};
use crate::runtime::record::container_store::ContainerStore;
use crate::runtime::record::directory::Directory;
use crate::runtime::record::journal::Journal;
use crate::runtime::spawn;
use crate::runtime::spawn::stdin_writer::StdinWriter;
use crate::runtime::spawn::{JoinedNamespaces, SpawnRequest, SpawnedProcess};
use crate::runtime::{host, oci, plan};
use crate::sys;

/// How long output is waited for after the program has ended, should another process hold it open.
const DRAIN: Duration = Duration::from_millis(500);

/// The life of a helper. Its arguments are the root, the container's id and the parent cgroup; its
/// standard input is the connection to the front.
pub(super) fn run() -> u8 {
    let Some(front) = sys::process::take_stdio(0) else { return 1 };
    if sys::process::close_inherited(&[front.as_fd()]).is_err() {
        return 1;
    }
    let mut front = UnixStream::from(front);
    match begin(&mut front) {
        Ok((started, input, idle, detach, told)) => {
            let mut front = ClientConnection::new(front);
            front.reply(&Reply::Done);
            let SpawnedProcess { child, outputs, terminal } = started;
            // Nobody is there for the output of one that is detached: it is read and dropped.
            let front = Some(front).filter(|_| !detach);
            Helper {
                client: front,
                child,
                outputs,
                terminal,
                input,
                idle,
                exited: None,
                event_context: told,
            }
            .watch();
            0
        }
        Err(error) => {
            client::answer(&mut front, &Reply::Failed(error));
            1
        }
    }
}

/// Leaves the front's session and terminal, joins the container and starts the program.
fn begin(
    front: &mut UnixStream,
) -> Result<(SpawnedProcess, StdinWriter, OwnedFd, bool, EventContext)> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [root, id, parent] = arguments.as_slice() else {
        return Err(Error::new(Kind::Bug, "the helper was not told its container"));
    };
    sys::process::detach_stdio()?;
    sys::signal::ignore_hangups();
    let _ = rustix::process::setsid();
    let id: ContainerId = id.to_string_lossy().parse()?;
    let catalogue = ContainerStore::at(&PathBuf::from(root));
    let directory = catalogue.directory(&id);
    let Request::Exec(spec) = client::first_request(front)? else {
        return Err(Error::new(Kind::Bug, "the helper was not asked to run a program"));
    };
    let parent = PathBuf::from(parent);
    let hierarchies = Hierarchies::of_host()?.delegated(&parent);
    let cgroup = Cgroup::at(&hierarchies, &parent.join(id.as_str())).present();
    let detach = spec.detach;
    let state = directory.read_state()?;
    let told = EventContext {
        journal: catalogue.journal(),
        container: directory.read_spec()?,
        name: state.name.clone(),
        exec: spec.id.clone(),
    };
    let (started, input) = start(&directory, &state, &cgroup, *spec, &told)?;
    Ok((started, input, sys::poll::eventfd()?, detach, told))
}

/// What events tell of a further program.
struct EventContext {
    journal: Journal,
    container: ContainerSpec,
    name: ContainerName,
    exec: String,
}

impl EventContext {
    fn event(&self, action: impl Into<String>, own: &[(&str, String)]) {
        let own = [&[("execID", self.exec.clone())], own].concat();
        self.journal.write(Event::of_container(&self.container, &self.name, action, &own));
    }
}

fn start(
    directory: &Directory,
    state: &State,
    cgroup: &Cgroup,
    spec: ExecSpec,
    told: &EventContext,
) -> Result<(SpawnedProcess, StdinWriter)> {
    let ended = || {
        Error::new(Kind::Refused, format!("container `{}` is not running", state.name))
            .hint("start it first")
    };
    let pid = Pid::from_raw(state.pid).filter(|_| state.status == Status::Running);
    let pid = pid.ok_or_else(ended)?;
    let target = rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(|_| ended())?;
    // The descriptor is of the container, and not of a process that got its number meanwhile.
    if host::start_time(state.pid) != state.pid_start {
        return Err(ended());
    }
    let config = process_of(directory.read("config.json")?, &spec);
    let plan = plan::join(&config, spec.stdin)?;
    let (stdin, write) = if spec.stdin && !spec.tty {
        let (read, write) = sys::process::pipe()?;
        let failed = |errno: Errno| Error::from_errno("ioctl(FIONBIO)", errno.raw_os_error());
        rustix::io::ioctl_fionbio(&write, true).map_err(failed)?;
        (Some(read), Some(write))
    } else {
        (None, None)
    };
    // Children are seen inside from the moment they are made: they are born not dumpable.
    let _ = sys::process::set_dumpable(false);
    sys::process::join(&target, libc::CLONE_NEWPID).map_err(|errno| match errno {
        Errno::SRCH => ended(),
        errno => Error::from_errno("join the container's processes", errno.raw_os_error()),
    })?;
    let command = spec.args.join(" ");
    told.event(Action::ExecCreate.of(&command), &[]);
    told.event(Action::ExecStart.of(&command), &[]);
    let started = spawn::spawn(SpawnRequest {
        plan,
        arguments: spec.args,
        environment: spec.env,
        tty: spec.tty,
        stdin,
        size: spec.size,
        target: Some(target),
        joined: JoinedNamespaces::default(),
        cgroup,
    })
    // A container without its first process takes no further ones (pid_namespaces(7)).
    .map_err(|error| match error.errno() {
        Some(libc::ENOMEM | libc::ESRCH | libc::ENODEV) => ended(),
        // Or with its cgroup, which goes at its end.
        _ if host::start_time(state.pid) != state.pid_start => ended(),
        _ => error,
    })?;
    let typed = started.terminal.as_ref().and_then(|terminal| terminal.try_clone().ok());
    Ok((started, StdinWriter::new(write.or(typed))))
}

/// The container's configuration with this program as its process.
fn process_of(mut config: Spec, spec: &ExecSpec) -> Spec {
    if let Some(user) = &spec.user {
        let mut annotations = config.annotations().clone().unwrap_or_default();
        annotations.insert(oci::USER.to_owned(), user.clone());
        config.set_annotations(Some(annotations));
    }
    if let Some(process) = config.process_mut() {
        if spec.privileged {
            process.set_capabilities(Some(all_capabilities(process)));
        }
        process.set_terminal(Some(spec.tty));
        process.set_args(Some(spec.args.clone()));
        process.set_env(Some(spec.env.clone()));
        if let Some(workdir) = &spec.workdir {
            process.set_cwd(PathBuf::from(workdir));
        }
    }
    config
}

/// All that root can have; what a user keeps who is not root is as it was.
fn all_capabilities(process: &Process) -> LinuxCapabilities {
    let mut sets = process.capabilities().clone().unwrap_or_default();
    let all = plan::all_capabilities();
    sets.set_bounding(Some(all.clone()));
    sets.set_effective(Some(all.clone()));
    sets.set_permitted(Some(all));
    sets
}

/// A helper at work.
struct Helper {
    client: Option<ClientConnection>,
    child: sys::process::Child,
    outputs: [Option<OwnedFd>; 2],
    terminal: Option<OwnedFd>,
    input: StdinWriter,
    /// Never readable: stands for what is not waited for.
    idle: OwnedFd,
    /// The exit code, and until when output is waited for.
    exited: Option<(i32, Instant)>,
    event_context: EventContext,
}

impl Helper {
    /// Until the program has ended and what it wrote is with the front.
    fn watch(&mut self) {
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

    /// Waits for anything to happen, and does what is to be done then.
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
            // A front that does not take the output holds the program back, as a pipe would.
            push(output.as_ref().map(AsFd::as_fd).filter(|_| !unsent), PollFlags::IN);
        }
        let full = self.input.poll_fd();
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, full.is_none());
        flags.set(PollFlags::OUT, unsent);
        push(self.client.as_ref().map(|front| front.stream.as_fd()), flags);
        push(full, PollFlags::OUT);
        let left = self.exited.map(|(_, until)| until.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        if rustix::event::poll(&mut fds, left.as_ref()).is_err() {
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
        let mut buffer = [0; 64 * 1024];
        match rustix::io::read(output, &mut buffer) {
            Ok(0) | Err(Errno::IO) => self.outputs[number] = None,
            Ok(count) => {
                if let Some(front) = &mut self.client {
                    front.output(stream, &buffer[..count]);
                }
            }
            Err(_) => {}
        }
    }

    fn listen(&mut self) {
        let Some(front) = &mut self.client else { return };
        for asked in front.receive() {
            match asked {
                ClientMessage::Input(bytes) => self.input.push(&bytes),
                ClientMessage::Request(Request::CloseStdin) => self.input.close(),
                ClientMessage::Request(Request::Kill { signal }) if self.exited.is_none() => {
                    let _ = sys::process::send_signal(&self.child.pidfd, signal.number());
                    if signal == Signal::KILL {
                        // What it has started goes with it, as from a terminal.
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
        front.send();
        if front.closed {
            // As with Docker, the program goes on; it reads no more.
            self.client = None;
            self.input.close();
        }
    }

    /// Tells the front how it ended, should it still be there.
    fn finish(&mut self, code: i32) {
        self.event_context.event(Action::ExecDie, &[("exitCode", code.to_string())]);
        let Some(front) = &mut self.client else { return };
        front.reply(&Reply::Exited { code });
        while front.has_unsent() && !front.closed {
            let mut fds = [PollFd::new(&front.stream, PollFlags::OUT)];
            let _ = rustix::event::poll(&mut fds, None);
            front.send();
        }
    }
}
