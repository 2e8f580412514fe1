//! The namespaces that a container shares: names become ids, and the hostname follows.

use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::container::namespaces::NamespaceMode;
use crate::runtime::host;

/// Replaces the names of other containers by their ids, found by `spec_of`. A container that shares
/// a network gets its hostname, as in Docker.
pub(in crate::engine) fn resolve(
    spec: &mut ContainerSpec,
    spec_of: &dyn Fn(&str) -> Result<ContainerSpec>,
) -> Result<()> {
    let namespaces = &mut spec.host_config.namespaces;
    for mode in [&mut namespaces.ipc, &mut namespaces.pid] {
        if let NamespaceMode::Container(name) = mode {
            *mode = NamespaceMode::Container(spec_of(name)?.id.as_str().to_owned());
        }
    }
    let unnamed = spec.config.hostname == spec.id.short();
    match &mut namespaces.network {
        NamespaceMode::Container(name) => {
            let other = spec_of(name)?;
            other.id.as_str().clone_into(name);
            spec.config.hostname = other.config.hostname;
        }
        NamespaceMode::Host if unnamed => spec.config.hostname = host::name(),
        _ if namespaces.uts == NamespaceMode::Host => spec.config.hostname = host::name(),
        _ => {}
    }
    Ok(())
}
