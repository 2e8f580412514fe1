//! The state of a monitor and of the container that it runs.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Instant;

use super::checker::HealthChecker;
use super::policy::{RestartState, UsageMeter};
use crate::model::container::options::StopTimeout;
use crate::model::container::{ContainerSpec, State};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::log::Writer;
use crate::runtime::protocol::Size;
use crate::runtime::protocol::client::ClientConnection;
use crate::runtime::record::container_store::ContainerStore;
use crate::runtime::record::directory::Directory;
use crate::runtime::spawn::stdin_writer::StdinWriter;
use crate::sys;

/// A monitor at work.
#[derive(Debug)]
pub(super) struct Monitor {
    pub(super) containers: ContainerStore,
    pub(super) directory: Directory,
    pub(super) hierarchies: Hierarchies,
    pub(super) cgroup: Cgroup,
    pub(super) spec: ContainerSpec,
    pub(super) state: State,
    pub(super) listener: UnixListener,
    pub(super) clients: Vec<ClientConnection>,
    /// Dropped when the record is final: from then on others may change the container.
    pub(super) lock: Option<File>,
    pub(super) run: Option<Run>,
    /// The code with which it ended, and until when its output is waited for.
    pub(super) exited: Option<(i32, Instant)>,
    /// When to kill it; unset in a stop without limit.
    pub(super) kill_at: Option<Instant>,
    /// `--rm` is put aside: it is being restarted.
    pub(super) keep_container: bool,
    pub(super) restart_state: RestartState,
    /// Since when, and from what, its use is counted.
    pub(super) meter: UsageMeter,
    /// When it was asked to end, on the clock of traces.
    pub(super) stop_requested_at: Option<(u64, StopTimeout)>,
    /// Asks whether it is well, where that is wanted.
    pub(super) checker: Option<Box<HealthChecker>>,
    /// When the pause before a restart is over.
    pub(super) wake_at: Option<Instant>,
    /// How large its terminal is to be.
    pub(super) window_size: Option<Size>,
}

/// A container that runs.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) child: sys::process::Child,
    pub(super) outputs: [Option<OwnedFd>; 2],
    pub(super) log: Writer,
    /// Holds the container's standard input open.
    pub(super) stdin: Option<File>,
    /// What is typed into its terminal.
    pub(super) input: StdinWriter,
    /// Our end of its terminal.
    pub(super) terminal: Option<OwnedFd>,
    /// What tells its processes where it has no cgroup.
    pub(super) mounts: Option<PathBuf>,
}
