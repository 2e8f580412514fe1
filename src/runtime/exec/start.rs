//! The start of an exec: joins the container and executes the program.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use oci_spec::runtime::{LinuxCapabilities, Process, Spec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};

use super::helper::{EventContext, Helper};
use crate::model::container::State;
use crate::model::container::status::Status;
use crate::model::observe::event::EventAction;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::plan::StandardInput;
use crate::runtime::protocol::client;
use crate::runtime::protocol::client::ClientConnection;
use crate::runtime::protocol::{ExecSpec, Reply, Request};
use crate::runtime::record::container_store::ContainerStore;
use crate::runtime::record::directory::Directory;
use crate::runtime::record::exec_files::ExecFile;
use crate::runtime::spawn;
use crate::runtime::spawn::stdin_writer::StdinWriter;
use crate::runtime::spawn::{JoinedNamespaces, SpawnRequest, SpawnedProcess};
use crate::runtime::{host, oci, plan};
use crate::sys;

/// Runs the helper. Its arguments are the root, the container's id and the parent cgroup; its
/// standard input is the connection to the client.
pub(in crate::runtime) fn run() -> u8 {
    let Some(client) = sys::process::take_stdio(0) else { return 1 };
    if sys::process::close_inherited(&[client.as_fd()]).is_err() {
        return 1;
    }
    let mut client = UnixStream::from(client);
    match start_exec(&mut client) {
        Ok((started, input, idle, detach, event_context, listed)) => {
            let mut client = ClientConnection::new(client);
            client.reply(&Reply::Done);
            let SpawnedProcess { child, outputs, terminal } = started;
            // The output of a detached program is read and dropped.
            let client = Some(client).filter(|_| !detach);
            let exited = None;
            let mut helper = Helper {
                client,
                child,
                outputs,
                terminal,
                input,
                idle,
                exited,
                event_context,
                listed,
            };
            helper.watch();
            0
        }
        Err(error) => {
            client::answer(&mut client, &Reply::Failed(error));
            1
        }
    }
}

/// Leaves the client's session and terminal, joins the container and starts the program.
fn start_exec(
    client: &mut UnixStream,
) -> Result<(SpawnedProcess, StdinWriter, OwnedFd, bool, EventContext, Option<ExecFile>)> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [root, id, parent] = arguments.as_slice() else {
        return Err(Error::new(Kind::Bug, "the helper has no argument for its container"));
    };
    sys::process::detach_stdio()?;
    sys::signal::ignore_hangups();
    sys::signal::leave_session();
    let id: ContainerId = id.to_string_lossy().parse()?;
    let containers = ContainerStore::at(&PathBuf::from(root));
    let directory = containers.directory(&id);
    let Request::Exec(spec) = client::first_request(client)? else {
        return Err(Error::new(Kind::Bug, "the helper's first request is not an exec"));
    };
    let parent = PathBuf::from(parent);
    let hierarchies = Hierarchies::of_host()?.delegated(&parent);
    let cgroup = Cgroup::at(&hierarchies, &parent.join(id.as_str())).present();
    let detach = spec.detach;
    let state = directory.read_state()?;
    let event_context = EventContext {
        journal: containers.journal(),
        container: directory.read_spec()?,
        name: state.name.clone(),
        exec: spec.id.clone(),
    };
    let (started, input) = start(&directory, &state, &cgroup, *spec, &event_context)?;
    let listed = ExecFile::create(&directory, &event_context.exec);
    Ok((started, input, sys::poll::eventfd()?, detach, event_context, listed))
}

fn start(
    directory: &Directory,
    state: &State,
    cgroup: &Cgroup,
    spec: ExecSpec,
    event_context: &EventContext,
) -> Result<(SpawnedProcess, StdinWriter)> {
    let not_running = || {
        Error::new(Kind::Refused, format!("container `{}` is not running", state.name))
            .hint(format!("start it: lifebox start {}", state.name))
    };
    let pid = Pid::from_raw(state.pid).filter(|_| state.status == Status::Running);
    let pid = pid.ok_or_else(not_running)?;
    let target =
        rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(|_| not_running())?;
    // The descriptor refers to the container, not to a process that reuses the id.
    if host::start_time(state.pid) != state.pid_start {
        return Err(not_running());
    }
    let config = process_of(directory.read("config.json")?, &spec);
    let input = if spec.stdin { StandardInput::Pipe } else { StandardInput::Null };
    let plan = plan::join(&config, input)?;
    let (stdin, write) = if spec.stdin && !spec.tty {
        let (read, write) = sys::process::pipe()?;
        let failed = |errno: Errno| Error::from_errno("ioctl(FIONBIO)", errno.raw_os_error());
        rustix::io::ioctl_fionbio(&write, true).map_err(failed)?;
        (Some(read), Some(write))
    } else {
        (None, None)
    };
    // Children are visible inside as soon as they are cloned, so they must be born not dumpable.
    let _ = sys::process::set_dumpable(false);
    sys::process::join(&target, libc::CLONE_NEWPID).map_err(|errno| match errno {
        Errno::SRCH => not_running(),
        errno => Error::from_errno("join the container's PID namespace", errno.raw_os_error()),
    })?;
    let command = spec.args.join(" ");
    event_context.event(EventAction::ExecCreate.of(&command), &[]);
    event_context.event(EventAction::ExecStart.of(&command), &[]);
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
    // A PID namespace without its first process takes no other (pid_namespaces(7)).
    .map_err(|error| match error.errno() {
        Some(libc::ENOMEM | libc::ESRCH | libc::ENODEV) => not_running(),
        // The cgroup may be missing too: it is removed at the exit.
        _ if host::start_time(state.pid) != state.pid_start => not_running(),
        _ => error,
    })?;
    let typed = started.terminal.as_ref().and_then(|terminal| terminal.try_clone().ok());
    Ok((started, StdinWriter::new(write.or(typed))))
}

/// Returns the container's configuration with the exec process as its process.
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

/// Gives root all capabilities; those of other users stay.
fn all_capabilities(process: &Process) -> LinuxCapabilities {
    let mut sets = process.capabilities().clone().unwrap_or_default();
    let all = plan::all_capabilities();
    sets.set_bounding(Some(all.clone()));
    sets.set_effective(Some(all.clone()));
    sets.set_permitted(Some(all));
    sets
}
