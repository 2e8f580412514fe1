//! The parts of `inspect` about namespaces.

use serde_json::{Value, json};

use crate::model::container::namespaces::{NamespaceMode, Namespaces};

/// Returns `HostConfig.IpcMode`.
pub(super) fn ipc(namespaces: &Namespaces) -> String {
    let private = match (namespaces.ipc_shareable, namespaces.ipc_none) {
        (true, _) => "shareable",
        (_, true) => "none",
        _ => "private",
    };
    namespaces.ipc.show(private)
}

/// Returns `HostConfig.ExtraHosts`.
pub(super) fn extra_hosts(namespaces: &Namespaces) -> Value {
    let hosts = namespaces.extra_hosts.iter();
    let hosts: Vec<String> = hosts.map(|(name, address)| format!("{name}:{address}")).collect();
    if hosts.is_empty() { Value::Null } else { json!(hosts) }
}

/// Returns `NetworkSettings`; empty in a container that uses another container's network.
pub(super) fn network_settings(namespaces: &Namespaces) -> Value {
    let mut settings = json!({
        "Bridge": "",
        "SandboxID": "",
        "HairpinMode": false,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "Ports": {},
        "SandboxKey": "",
        "SecondaryIPAddresses": null,
        "SecondaryIPv6Addresses": null,
        "EndpointID": "",
        "Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": "",
        "IPPrefixLen": 0,
        "IPv6Gateway": "",
        "MacAddress": "",
        "Networks": {},
    });
    let name = match namespaces.network {
        NamespaceMode::Private => "none",
        NamespaceMode::Host => "host",
        NamespaceMode::Container(_) => return settings,
    };
    settings["Networks"][name] = json!({
        "IPAMConfig": null,
        "Links": null,
        "Aliases": null,
        "NetworkID": "",
        "EndpointID": "",
        "Gateway": "",
        "IPAddress": "",
        "IPPrefixLen": 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "MacAddress": "",
        "DriverOpts": null,
    });
    settings
}
