//! The namespaces of other containers that a container joins at its start.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;

use oci_spec::runtime::Spec;

use crate::model::container::namespaces::NamespaceMode;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::runtime::record::directory::Directory;
use crate::runtime::{host, oci};

/// The opened namespaces to join.
#[derive(Debug, Default)]
pub(crate) struct OpenedNamespaces {
    /// By their type in the OCI specification: `network`, `ipc`, `uts`.
    pub(crate) namespaces: Vec<(String, OwnedFd)>,
    /// The PID namespace, which is joined before the clone.
    pub(crate) pid: Option<OwnedFd>,
    /// The mount namespace of the container whose IPC is joined: its `/dev/shm` is shared too.
    pub(crate) shared_memory: Option<OwnedFd>,
}

/// Opens the namespaces that `config` joins. Containers are beside the working directory.
pub(crate) fn open(config: &Spec) -> Result<OpenedNamespaces> {
    let mut joined = OpenedNamespaces::default();
    let annotation = config.annotations().as_ref().and_then(|all| all.get(oci::JOIN));
    let Some(annotation) = annotation else { return Ok(joined) };
    let requested: BTreeMap<String, String> = serde_json::from_str(annotation).map_err(|_| {
        Error::new(Kind::Corrupt, format!("config.json has an invalid `{}`", oci::JOIN))
    })?;
    for (kind, id) in requested {
        let directory = Directory::new(format!("../{id}").into());
        if kind == "ipc" {
            let spec = directory.read_spec().map_err(|error| not_running(&kind, &id, error))?;
            let namespaces = &spec.host_config.namespaces;
            if namespaces.ipc.is_private() && !namespaces.ipc_shareable {
                let message = format!("container {}: non-shareable IPC", &id[..12.min(id.len())]);
                return Err(Error::new(Kind::Refused, message)
                    .hint("create that container with --ipc shareable"));
            }
            if namespaces.ipc != NamespaceMode::Host {
                joined.shared_memory = Some(namespace(&directory, "mnt", &kind, &id)?);
            }
        }
        let file = match kind.as_str() {
            "network" => "net",
            other => other,
        };
        let open = namespace(&directory, file, &kind, &id)?;
        match kind.as_str() {
            "pid" => joined.pid = Some(open),
            _ => joined.namespaces.push((kind, open)),
        }
    }
    Ok(joined)
}

/// Opens a namespace of a running container.
fn namespace(directory: &Directory, file: &str, kind: &str, id: &str) -> Result<OwnedFd> {
    let state = directory.read_state().map_err(|error| not_running(kind, id, error))?;
    let stopped = || {
        let message = format!("cannot join {kind} of a non running container: {id}");
        Error::new(Kind::Refused, message).hint(format!("start it: lifebox start {}", state.name))
    };
    if !state.status.is_live() || state.boot_id != host::boot_id() {
        return Err(stopped());
    }
    let path = format!("/proc/{}/ns/{file}", state.pid);
    let open = File::open(&path).context(|| format!("open `{path}`"));
    // The process id was not reused, so the opened namespace is the container's.
    if state.pid == 0 || host::start_time(state.pid) != state.pid_start {
        return Err(stopped());
    }
    open.map(OwnedFd::from)
}

fn not_running(kind: &str, id: &str, error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => {
            let message =
                format!("the container whose {kind} namespace is joined was removed: {id}");
            Error::new(Kind::NotFound, message)
                .hint("create this container again, and join another one")
        }
        _ => error,
    }
}
