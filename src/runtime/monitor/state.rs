//! The state of a monitor and of the container that it runs.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Instant;

use super::checker::HealthChecker;
use super::held::HeldNamespaces;
use super::restart_state::RestartState;
use super::usage_meter::UsageMeter;
use crate::model::container::options::StopTimeout;
use crate::model::container::{ContainerSpec, State};
use crate::model::observe::log::Stream;
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::log::Writer;
use crate::runtime::protocol::Size;
use crate::runtime::protocol::client::ClientConnection;
use crate::runtime::record::container_store::ContainerStore;
use crate::runtime::record::directory::Directory;
use crate::runtime::spawn::stdin_writer::StdinWriter;
use crate::sys;

/// The monitor.
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
    /// Dropped when the record is final: then other processes may change the container.
    pub(super) lock: Option<File>,
    pub(super) run: Option<Run>,
    /// The exit code, and the deadline for the rest of the output.
    pub(super) exited: Option<(i32, Instant)>,
    /// When to kill the container; `None` in a stop without a limit.
    pub(super) kill_at: Option<Instant>,
    /// Whether `--rm` is ignored, because the container is being restarted.
    pub(super) keep_container: bool,
    pub(super) restart_state: RestartState,
    /// The meter of what the container uses.
    pub(super) meter: UsageMeter,
    /// When the stop was requested, on the clock of traces.
    pub(super) stop_requested_at: Option<(u64, StopTimeout)>,
    /// The health checks, if there are any.
    pub(super) checker: Option<Box<HealthChecker>>,
    /// When the delay before a restart ends.
    pub(super) wake_at: Option<Instant>,
    /// When to write a record again that could not be written.
    pub(super) record_again_at: Option<Instant>,
    /// Until when no client is accepted, for want of a descriptor.
    pub(super) deaf_until: Option<Instant>,
    /// The requested size of the terminal.
    pub(super) window_size: Option<Size>,
}

/// A running container.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) child: sys::process::Child,
    pub(super) outputs: [Option<OwnedFd>; 2],
    /// `None` keeps no output.
    pub(super) log: Option<Writer>,
    /// Holds the container's standard input open.
    pub(super) stdin: Option<File>,
    /// Input for its terminal.
    pub(super) input: StdinWriter,
    /// The monitor's end of its terminal.
    pub(super) terminal: Option<OwnedFd>,
    /// The mount namespace by which its processes are found without a cgroup.
    pub(super) mounts: Option<PathBuf>,
    pub(super) held: HeldNamespaces,
}

impl Run {
    /// Writes output to the log, if one is kept; empty `bytes` are the end of the stream.
    pub(super) fn write_log(&mut self, stream: Stream, bytes: &[u8]) {
        if let Some(log) = &mut self.log {
            log.write(stream, bytes);
        }
    }
}
