//! Whose namespaces a container shares: names become ids, and the host name goes along.

use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::container::namespaces::NamespaceMode;
use crate::runtime::host;

/// Puts the ids of other containers, known by `spec_of`, in the place of their names; who shares a
/// network is called like it, as in Docker.
pub(in crate::engine) fn resolve(
    spec: &mut ContainerSpec,
    spec_of: &dyn Fn(&str) -> Result<ContainerSpec>,
) -> Result<()> {
    let sharing = &mut spec.host.namespaces;
    for mode in [&mut sharing.ipc, &mut sharing.pid] {
        if let NamespaceMode::Container(name) = mode {
            *mode = NamespaceMode::Container(spec_of(name)?.id.as_str().to_owned());
        }
    }
    let unnamed = spec.config.hostname == spec.id.short();
    match &mut sharing.network {
        NamespaceMode::Container(name) => {
            let other = spec_of(name)?;
            other.id.as_str().clone_into(name);
            spec.config.hostname = other.config.hostname;
        }
        NamespaceMode::Host if unnamed => spec.config.hostname = host::name(),
        _ if sharing.uts == NamespaceMode::Host => spec.config.hostname = host::name(),
        _ => {}
    }
    Ok(())
}
