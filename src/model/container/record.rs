//! A container as data: its specification ([`ContainerSpec`], written once) and its state
//! ([`State`], rewritten at each change).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::mounts::Mounts;
use super::namespaces::Namespaces;
use super::options::{AttachedStreams, StopTimeout};
use super::phase::{StopRecord, UsagePhase};
use super::resources::Resources;
use super::security::Security;
use super::status::Status;
use super::storage::Driver;
use super::supervision::{RestartPolicy, Supervision};
use crate::model::value::digest::Digest;
use crate::model::value::health_check::{self, Health};
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::{Signal, StopSignal};
use crate::model::{Error, Kind, Result};

/// The version of the JSON files of a container. A record of another version is refused, never
/// rewritten.
pub const VERSION: u32 = 1;

/// A container: its spec and its present state.
#[derive(Clone, Debug)]
pub struct Container {
    /// The specification.
    pub spec: ContainerSpec,
    /// The present state.
    pub state: State,
}

impl Container {
    /// Returns `healthy`, `unhealthy` or `starting`; `none` without a health check.
    pub fn health(&self) -> &'static str {
        self.state
            .health
            .as_ref()
            .map_or(health_check::NO_HEALTHCHECK, |health| health.status.as_str())
    }
}

/// What a container is created from. `spec.json`: written at `create`, never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// [`VERSION`].
    pub version: u32,
    /// Its id.
    pub id: ContainerId,
    /// When it was created.
    pub created: Timestamp,
    /// The image of the container.
    pub image: ImageUse,
    /// What runs inside, image and options merged.
    pub config: Config,
    /// How the host runs the container.
    #[serde(rename = "host")]
    pub host_config: HostConfig,
    /// The session that removes the container at its end, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "owner")]
    pub session: Option<String>,
}

/// The image that a container uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageUse {
    /// As the user named it: `host`, `alpine:3`, or an id.
    pub reference: String,
    /// The image's id.
    pub id: Digest,
    /// The keys of its layers in the store, lowest first.
    pub layers: Vec<Digest>,
}

/// What runs inside: Docker's `Config`, after the merge of image and options.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The host name; by default the short id.
    pub hostname: String,
    /// `user[:group]`, names or numbers; empty is root.
    pub user: String,
    /// Whether standard input stays open for a client.
    pub open_stdin: bool,
    /// The streams of the first client, where they are not those of `create`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached: Option<AttachedStreams>,
    /// Whether a terminal is allocated.
    pub tty: bool,
    /// `KEY=VALUE`, the user's first, then the image's that are not overridden.
    pub env: Vec<String>,
    /// The arguments, or the whole command where there is no entrypoint.
    pub cmd: Option<Vec<String>>,
    /// The program and first arguments that `cmd` is appended to.
    pub entrypoint: Option<Vec<String>>,
    /// The working directory; empty is `/`.
    pub workdir: String,
    /// Mount points that the image declares.
    pub volumes: Vec<String>,
    /// Ports that image and user declare, such as `8080/tcp`.
    pub exposed_ports: Vec<String>,
    /// Labels of image and user.
    pub labels: BTreeMap<String, String>,
    /// The signal that `stop` sends; SIGTERM where unset.
    pub stop_signal: Option<StopSignal>,
    /// How long `stop` waits before it kills; 10 s where unset.
    pub stop_timeout: Option<StopTimeout>,
}

impl Config {
    /// Returns the signal that `stop` sends.
    pub fn stop_signal(&self) -> Signal {
        self.stop_signal.as_ref().map_or(Signal::TERM, StopSignal::signal)
    }

    /// Returns the streams of the first client; those of `create` are both outputs, and the input
    /// where it is kept open.
    pub fn attached(&self) -> AttachedStreams {
        let of_create = AttachedStreams { stdin: self.open_stdin, stdout: true, stderr: true };
        self.attached.unwrap_or(of_create)
    }

    /// Returns whether standard input closes when a client goes, and does not wait for the next.
    pub fn stdin_once(&self) -> bool {
        self.open_stdin && self.attached().stdin
    }

    /// Returns program and arguments: entrypoint, then cmd. Never empty in a created container.
    pub fn argv(&self) -> Vec<String> {
        let parts = [&self.entrypoint, &self.cmd];
        parts.into_iter().flatten().flatten().cloned().collect()
    }
}

/// How the host runs the container: the part of Docker's `HostConfig` that options decide.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostConfig {
    /// Whether the container is removed when it exits (`--rm`).
    pub auto_remove: bool,
    /// Annotations for readers of `config.json`.
    pub annotations: BTreeMap<String, String>,
    /// What a container may do: capabilities, system calls, privileges, a read-only root, devices.
    pub security: Security,
    /// How much a container may use: memory, processors, processes, block devices, limits of its
    /// processes.
    pub resources: Resources,
    /// What a container sees of the host and of volumes: binds, named volumes, tmpfs.
    pub mounts: Mounts,
    /// What a container shares with the host or with another container: network, processes, IPC,
    /// host name.
    #[serde(alias = "sharing")]
    pub namespaces: Namespaces,
    /// What the monitor does while a container runs and when it ends: health checks and restarts.
    #[serde(alias = "upkeep")]
    pub supervision: Supervision,
    /// The storage driver of the root file system.
    pub storage: Driver,
}

/// The state of a container. While a monitor lives it alone writes `state.json`, else the command
/// that holds the container's lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// [`VERSION`].
    pub version: u32,
    /// Its name, without Docker's leading `/`.
    pub name: ContainerName,
    /// The status.
    pub status: Status,
    /// The process id of the first process on the host; 0 without a process.
    pub pid: i32,
    /// When that process started, in clock ticks since boot (`/proc/PID/stat`, field 22); with
    /// it a recycled pid is not taken for the container.
    pub pid_start: u64,
    /// The exit code of the last run: 128+n after signal n, 126 or 127 when it could not start.
    pub exit_code: i32,
    /// Whether the kernel killed a process because memory ran out.
    pub oom_killed: bool,
    /// Why the last start failed, or how the monitor was lost; empty without an error.
    pub error: String,
    /// When the container last started.
    pub started_at: Option<Timestamp>,
    /// When the container last exited.
    pub finished_at: Option<Timestamp>,
    /// The boot of the last run (`/proc/sys/kernel/random/boot_id`).
    pub boot_id: String,
    /// How often the restart policy has restarted the container.
    pub restart_count: u32,
    /// What `update` set, in place of the spec's.
    #[serde(default)]
    pub updated: Updated,
    /// The health, where there is a health check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// How `stop`, `restart`, `kill` or `rm -f` ended the last run, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StopRecord>,
    /// The signal that ended the last run, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "ended_by")]
    pub exit_signal: Option<Signal>,
    /// The peak memory of the last run, in bytes; 0 where the kernel does not count it.
    #[serde(default)]
    pub memory_peak: u64,
    /// What all runs used so far, by status; the present one is added when it ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<UsagePhase>,
}

/// What `update` has changed of a container. Unset fields are as in the spec.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Updated {
    /// All limits, changed or not.
    pub resources: Option<Box<Resources>>,
    /// The restart policy.
    pub restart: Option<RestartPolicy>,
}

impl Updated {
    /// Replaces the values of `host_config`.
    pub fn apply(&self, host_config: &mut HostConfig) {
        if let Some(resources) = &self.resources {
            host_config.resources.clone_from(resources.as_ref());
        }
        if let Some(restart) = self.restart {
            host_config.supervision.restart = restart;
        }
    }
}

/// The options of `update`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Changes {
    /// The limits to change; unset limits stay.
    pub resources: Resources,
    /// The restart policy.
    pub restart: Option<RestartPolicy>,
}

impl Changes {
    /// Returns the changes, completed by the values of `host_config`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] where the limits contradict each other.
    pub fn resolve(&self, host_config: &HostConfig) -> Result<Updated> {
        let resources = host_config.resources.changed(&self.resources);
        resources.check()?;
        let restart = self.restart.unwrap_or(host_config.supervision.restart);
        if host_config.auto_remove && restart != RestartPolicy::No {
            let message = "Restart policy cannot be updated because AutoRemove is enabled for the \
                           container";
            return Err(Error::new(Kind::Invalid, message));
        }
        Ok(Updated { resources: Some(Box::new(resources)), restart: Some(restart) })
    }
}

impl State {
    /// Returns the state of a container that was just created.
    pub fn created(name: ContainerName) -> Self {
        State {
            version: VERSION,
            name,
            status: Status::Created,
            pid: 0,
            pid_start: 0,
            exit_code: 0,
            oom_killed: false,
            error: String::new(),
            started_at: None,
            finished_at: None,
            boot_id: String::new(),
            restart_count: 0,
            updated: Updated::default(),
            health: None,
            stopped: None,
            exit_signal: None,
            memory_peak: 0,
            phases: Vec::new(),
        }
    }

    /// Returns the state after the container exited with `exit_code`.
    #[must_use]
    pub fn exited(mut self, exit_code: i32, at: Timestamp) -> Self {
        self.status = Status::Exited;
        self.pid = 0;
        self.pid_start = 0;
        self.exit_code = exit_code;
        self.finished_at = Some(at);
        self
    }
}
