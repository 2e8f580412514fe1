//! The namespaces of a container: created, or joined of other containers.

use std::collections::BTreeMap;

use oci_spec::runtime::{Linux, LinuxNamespaceType, Spec};

use super::read::missing;
use super::step::Step;
use crate::model::Result;
use crate::runtime::oci;

pub(super) fn lists(linux: &Linux, kind: LinuxNamespaceType) -> bool {
    linux.namespaces().iter().flatten().any(|namespace| namespace.typ() == kind)
}

/// Returns the namespaces that are created with the process (`CLONE_NEW*`). The mount namespace is
/// always new.
pub(super) fn created(linux: &Linux) -> i32 {
    let kinds = [
        (LinuxNamespaceType::Pid, libc::CLONE_NEWPID),
        (LinuxNamespaceType::Uts, libc::CLONE_NEWUTS),
        (LinuxNamespaceType::Ipc, libc::CLONE_NEWIPC),
        (LinuxNamespaceType::Network, libc::CLONE_NEWNET),
    ];
    let listed = kinds.into_iter().filter(|(kind, _)| lists(linux, *kind));
    listed.fold(libc::CLONE_NEWNS, |flags, (_, flag)| flags | flag)
}

/// Returns the containers whose namespaces are joined, by the type in the OCI specification.
pub(super) fn joined(spec: &Spec) -> Result<BTreeMap<String, String>> {
    let annotation = spec.annotations().as_ref().and_then(|all| all.get(oci::JOIN));
    let Some(annotation) = annotation else { return Ok(BTreeMap::new()) };
    serde_json::from_str(annotation).map_err(|_| missing(oci::JOIN))
}

/// Returns whether the container has the host's network.
pub(super) fn shares_network(spec: &Spec, linux: &Linux) -> Result<bool> {
    Ok(!lists(linux, LinuxNamespaceType::Network) && !joined(spec)?.contains_key("network"))
}

/// Adds the steps that join namespaces of other containers, or set up new ones.
pub(super) fn steps(spec: &Spec, linux: &Linux, steps: &mut Vec<Step>) -> Result<()> {
    // The PID namespace is joined before the clone.
    let entered = joined(spec)?.into_iter().filter(|(kind, _)| kind != "pid");
    for (fd_index, (kind, container)) in entered.enumerate() {
        steps.push(Step::JoinNamespace { fd_index, kind, container });
    }
    if lists(linux, LinuxNamespaceType::Network) {
        steps.push(Step::BringLoopbackUp);
    }
    Ok(())
}
