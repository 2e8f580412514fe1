//! What a user asks for when a container is made or stopped, before it meets an image.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::mounts::Mounts;
use super::namespaces::Namespaces;
use super::resources::Resources;
use super::security::Security;
use super::supervision::Supervision;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;

/// The options of `create` and `run`. Command line and script both build this.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateOptions {
    /// Its name; a generated one where unset.
    pub name: Option<ContainerName>,
    /// Replaces the image's command.
    pub cmd: Option<Vec<String>>,
    /// Replaces the image's entrypoint and drops the image's command; empty resets it to none.
    pub entrypoint: Option<Vec<String>>,
    /// Environment, in the order given.
    pub env: Vec<EnvEntry>,
    /// The working directory, absolute.
    pub workdir: Option<String>,
    /// `user[:group]`.
    pub user: Option<String>,
    /// The host name inside.
    pub hostname: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The signal that `stop` sends.
    pub stop_signal: Option<Signal>,
    /// How long `stop` waits before it kills.
    pub stop_timeout: Option<StopTimeout>,
    /// Keep standard input open for a client (`-i`).
    pub interactive: bool,
    /// Give it a terminal (`-t`).
    pub tty: bool,
    /// Remove the container when it ends (`--rm`).
    pub auto_remove: bool,
    /// The process that it goes with, as the engine named it.
    pub session: Option<String>,
    /// What a container may do: capabilities, system calls, privileges, a read-only root, devices.
    pub security: Security,
    /// How much a container may use: memory, processors, processes, block devices, limits of its processes.
    pub resources: Resources,
    /// What a container sees of the host and of volumes: binds, named volumes, tmpfs.
    pub mounts: Mounts,
    /// What a container shares with the host or with another container: network, processes, IPC, host name.
    pub namespaces: Namespaces,
    /// What the monitor does while a container runs and when it ends: health checks and restarts.
    pub supervision: Supervision,
}

/// One entry of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvEntry {
    /// `KEY=VALUE`.
    Set {
        /// The variable's name, never empty.
        key: String,
        /// Its value.
        value: String,
    },
    /// `KEY` alone where the caller has no such variable: the image's value is removed.
    Unset {
        /// The variable's name, never empty.
        key: String,
    },
}

impl EnvEntry {
    /// The variable's name.
    pub fn key(&self) -> &str {
        match self {
            EnvEntry::Set { key, .. } | EnvEntry::Unset { key } => key,
        }
    }
}

/// How long `stop` waits for a container to end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopTimeout {
    /// So long, then SIGKILL.
    #[serde(rename = "for")]
    After(Duration),
    /// For ever (`-t -1`).
    #[serde(rename = "forever")]
    NoLimit,
}

impl Default for StopTimeout {
    /// Docker's ten seconds.
    fn default() -> Self {
        StopTimeout::After(Duration::from_secs(10))
    }
}

/// How to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StopOptions {
    /// Overrides the container's stop signal.
    pub signal: Option<Signal>,
    /// Overrides the container's grace time.
    pub timeout: Option<StopTimeout>,
}

/// How to remove a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// Kill it first, where it runs.
    pub force: bool,
    /// Remove the volumes that nobody named and only it used, too.
    pub volumes: bool,
}
