//! The process of a monitor, from its first line to its exit.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::checker::HealthChecker;
use super::restart_state::RestartState;
use super::state::Monitor;
use super::usage_meter::UsageMeter;
use crate::model::error::Context;
use crate::model::observe::event::EventAction;
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::protocol::client::ClientConnection;
use crate::runtime::protocol::{Reply, Request, StartOptions};
use crate::runtime::record::container_store::ContainerStore;
use crate::sys;

/// How long a killed program may take to exit.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the monitor. Its arguments are the root, the container's id and the parent cgroup; its
/// standard input is the connection to the client, its standard output the container's lock.
pub(in crate::runtime) fn run() -> u8 {
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
    sys::signal::leave_session();
    // The kernel kills any other process first when memory runs out; needs CAP_SYS_RESOURCE.
    let _ = fs::write("/proc/self/oom_score_adj", "-999");
    let containers = ContainerStore::at(&root);
    let directory = containers.directory(&id);
    // The paths in config.json are relative to the container's directory.
    std::env::set_current_dir(directory.path())
        .context(|| format!("enter `{}`", directory.path().display()))?;
    let mut spec = directory.read_spec()?;
    let state = directory.read_state()?;
    state.updated.apply(&mut spec.host_config);
    if !spec.host_config.auto_remove {
        directory.keep_room()?;
    }
    let socket = Path::new("monitor.sock");
    let _ = fs::remove_file(socket);
    let listener = UnixListener::bind(socket).context(|| "create `monitor.sock`".to_owned())?;
    listener.set_nonblocking(true).context(|| "listen".to_owned())?;
    let hierarchies = Hierarchies::of_host()?.delegated(&parent);
    let cgroup = Cgroup::at(&hierarchies, &parent.join(id.as_str()));
    let checker =
        HealthChecker::new(&spec.host_config.supervision.health, &root, &parent.to_string_lossy());
    Ok(Monitor {
        containers,
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
        deaf_until: None,
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
                // The plan and the filter are not needed any more.
                sys::memory::give_back_unused();
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
            self.event(EventAction::Attach, &[]);
        }
        self.run_program()?;
        if options.restarting {
            self.event(EventAction::Restart, &[]);
        }
        Ok(())
    }

    pub(super) fn kill_run(&mut self) {
        if let Some(run) = self.run.take() {
            let _ = sys::process::send_signal(&run.child.pidfd, Signal::KILL.number());
            let _ = sys::process::reap_within(&run.child.pidfd, END_TIMEOUT);
        }
    }
}
