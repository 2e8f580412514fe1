//! The namespaces of a container in the words of the OCI runtime specification: network, processes,
//! IPC, hostname.

use serde_json::{Map, Value, json};

use super::annotations::{INIT, INIT_PATH, JOIN};
use crate::model::container::ContainerSpec;
use crate::model::container::namespaces::NamespaceMode;

/// Adds the namespaces to `config`.
pub(super) fn apply(spec: &ContainerSpec, config: &mut Value) {
    let namespaces = &spec.host_config.namespaces;
    let modes = [
        ("network", &namespaces.network),
        ("ipc", &namespaces.ipc),
        ("pid", &namespaces.pid),
        ("uts", &namespaces.uts),
    ];
    let mut joined = Map::new();
    for (kind, mode) in modes.into_iter().filter(|(_, mode)| !mode.is_private()) {
        // A namespace that is not listed is inherited from the process that starts the container.
        if let Some(list) = config["linux"]["namespaces"].as_array_mut() {
            list.retain(|namespace| namespace["type"] != kind);
        }
        if let NamespaceMode::Container(id) = mode {
            joined.insert(kind.to_owned(), id.as_str().into());
        }
    }
    if namespaces.cgroup_host
        && let Some(list) = config["linux"]["namespaces"].as_array_mut()
    {
        list.retain(|namespace| namespace["type"] != "cgroup");
    }
    if !joined.is_empty() {
        config["annotations"][JOIN] = Value::Object(joined).to_string().into();
    }
    if namespaces.uts == NamespaceMode::Host
        && let Some(config) = config.as_object_mut()
    {
        config.remove("hostname");
    }
    if !namespaces.domainname.is_empty() {
        config["domainname"] = namespaces.domainname.as_str().into();
    }
    if !namespaces.network.is_private() {
        config["linux"]["sysctl"] = json!({});
    }
    for (key, value) in &namespaces.sysctls {
        config["linux"]["sysctl"][key] = value.as_str().into();
    }
    if namespaces.init {
        run_init(config);
    }
    if namespaces.ipc_none
        && let Some(mounts) = config["mounts"].as_array_mut()
    {
        mounts.retain(|mount| mount["source"] != "shm");
    }
    for mount in config["mounts"].as_array_mut().into_iter().flatten() {
        share_mount(spec, mount);
    }
}

/// Makes a copy of this program the first process, which starts the container's program.
fn run_init(config: &mut Value) {
    if let Some(arguments) = config["process"]["args"].as_array_mut() {
        arguments.splice(0..0, [INIT_PATH.into(), "--".into()]);
    }
    if let Some(mounts) = config["mounts"].as_array_mut() {
        mounts.push(json!({
            "destination": INIT_PATH, "type": "bind", "source": INIT,
            "options": ["bind", "rprivate", "nosuid", "nodev", "ro"],
        }));
    }
}

/// Replaces the mounts that belong to a shared namespace: files of names with a network, `/dev/shm`
/// with IPC.
fn share_mount(spec: &ContainerSpec, mount: &mut Value) {
    let namespaces = &spec.host_config.namespaces;
    let source = mount["source"].as_str().unwrap_or_default().to_owned();
    if let NamespaceMode::Container(id) = &namespaces.network
        && ["hosts", "hostname", "resolv.conf"].contains(&source.as_str())
    {
        mount["source"] = format!("../{id}/{source}").into();
    }
    if namespaces.ipc == NamespaceMode::Host && source == "shm" {
        *mount = json!({
            "destination": "/dev/shm", "type": "bind", "source": "/dev/shm",
            "options": ["rbind", "rprivate", "nosuid", "noexec", "nodev"],
        });
    }
}
