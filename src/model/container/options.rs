//! Options of `create`, `run` and `stop`, before the merge with an image.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::mounts::Mounts;
use super::namespaces::{NamespaceMode, Namespaces};
use super::resources::Resources;
use super::security::Security;
use super::supervision::Supervision;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::{Signal, StopSignal};
use crate::model::{Error, Kind, Result};

/// The options of `create` and `run`. Command line and script both build this.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateOptions {
    /// The container's name; generated where unset.
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
    /// Ports that the container declares besides the image's, such as `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// Annotations for readers of `config.json`.
    pub annotations: BTreeMap<String, String>,
    /// The signal that `stop` sends.
    pub stop_signal: Option<StopSignal>,
    /// How long `stop` waits before it kills.
    pub stop_timeout: Option<StopTimeout>,
    /// Keep standard input open for a client (`-i`).
    pub interactive: bool,
    /// The streams of the first client, where they are not those of `create`.
    pub attached: Option<AttachedStreams>,
    /// Allocate a terminal (`-t`).
    pub tty: bool,
    /// Remove the container when it exits (`--rm`).
    pub auto_remove: bool,
    /// The session that removes the container at its end; the engine sets it.
    pub session: Option<String>,
    /// What a container may do: capabilities, system calls, privileges, a read-only root, devices.
    pub security: Security,
    /// How much a container may use: memory, processors, processes, block devices, limits of its
    /// processes.
    pub resources: Resources,
    /// What a container sees of the host and of volumes: binds, named volumes, tmpfs.
    pub mounts: Mounts,
    /// What a container shares with the host or with another container: network, processes, IPC,
    /// host name.
    pub namespaces: Namespaces,
    /// What the monitor does while a container runs and when it ends: health checks and restarts.
    pub supervision: Supervision,
}

impl CreateOptions {
    /// Refuses namespaces that contradict each other or the host name.
    ///
    /// # Errors
    /// [`Kind::Invalid`], in Docker's words.
    pub fn check_namespaces(&self) -> Result<()> {
        let own = &self.namespaces;
        let conflict = |one: &str, other: &str, hint: &str| {
            let message = format!("conflicting options: {one} and the {other} mode");
            Err(Error::new(Kind::Invalid, message).hint(hint))
        };
        if own.uts == NamespaceMode::Host && self.hostname.is_some() {
            return conflict("hostname", "UTS", "leave out --hostname or --uts host");
        }
        if own.uts == NamespaceMode::Host && !own.domainname.is_empty() {
            return conflict("domainname", "UTS", "leave out --domainname or --uts host");
        }
        if matches!(own.network, NamespaceMode::Container(_)) {
            if self.hostname.is_some() {
                return conflict("hostname", "network", "set --hostname on the other container");
            }
            if !own.dns.is_empty() || !own.dns_options.is_empty() || !own.dns_search.is_empty() {
                return conflict("dns", "network", "set --dns on the other container");
            }
            if !own.extra_hosts.is_empty() {
                return conflict(
                    "custom host-to-IP mapping",
                    "network",
                    "set --add-host on the other container",
                );
            }
        }
        let words = own.dns_options.iter().chain(&own.dns_search).chain([&own.domainname]);
        for word in words {
            if word.contains(|c: char| c.is_whitespace() || c.is_control()) {
                let message = format!("a space or control character in {word:?}");
                return Err(
                    Error::new(Kind::Invalid, message).hint("write one word, such as ndots:2")
                );
            }
        }
        own.sysctls.iter().try_for_each(|(key, value)| own.check_sysctl(key, value))
    }
}

/// One entry of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvEntry {
    /// `KEY=VALUE`.
    Set {
        /// The variable's name, never empty.
        key: String,
        /// The variable's value.
        value: String,
    },
    /// `KEY` alone where the caller has no such variable: the image's value is removed.
    Unset {
        /// The variable's name, never empty.
        key: String,
    },
}

impl EnvEntry {
    /// Returns the variable's name.
    pub fn key(&self) -> &str {
        match self {
            EnvEntry::Set { key, .. } | EnvEntry::Unset { key } => key,
        }
    }
}

/// The streams of a container that its first client is connected to: none for `run -d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedStreams {
    /// Standard input. The container's closes when the client goes.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// How long `stop` waits before SIGKILL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopTimeout {
    /// This long, then SIGKILL.
    #[serde(rename = "for")]
    After(Duration),
    /// No limit (`-t -1`).
    #[serde(rename = "forever")]
    NoLimit,
}

impl Default for StopTimeout {
    /// Returns Docker's ten seconds.
    fn default() -> Self {
        StopTimeout::After(Duration::from_secs(10))
    }
}

/// The options of `stop` and `restart`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StopOptions {
    /// Overrides the container's stop signal.
    pub signal: Option<Signal>,
    /// Overrides the container's grace period.
    pub timeout: Option<StopTimeout>,
}

/// How to remove a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// Kill a running container first.
    pub force: bool,
    /// Also remove its anonymous volumes that no other container uses.
    pub volumes: bool,
}
