//! The input of a plan: `config.json` with later changes, and the host.

use oci_spec::runtime::Spec;

use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::host::devices;
use crate::runtime::plan::{self, Plan, PlanInputs};
use crate::runtime::record::directory::Directory;
use crate::runtime::{host, oci};
use crate::sys::userns;

/// Reads `config.json`, with the changes of `update` applied.
pub(in crate::runtime) fn config_of(directory: &Directory, spec: &ContainerSpec) -> Result<Spec> {
    // Not by a `Value`, whose memory the monitor would keep.
    let mut config: Spec = directory.read("config.json")?;
    let mut limits = oci::resources::limits(&spec.host_config.resources)?;
    if let Some(linux) = config.linux_mut() {
        limits.set_devices(linux.resources().as_ref().and_then(|set| set.devices().clone()));
        linux.set_resources(Some(limits));
    }
    Ok(config)
}

/// Returns the properties of the host that a container's plan depends on.
pub(in crate::runtime) fn host_for(spec: &ContainerSpec, hierarchies: &Hierarchies) -> PlanInputs {
    PlanInputs {
        open_stdin: spec.config.open_stdin && !spec.config.tty,
        devices: spec.host_config.security.privileged.then(devices::host_devices),
        ..visible_cgroups(hierarchies)
    }
}

/// Returns the plan by which a container would be started now, and whether it has limits to write.
pub(in crate::runtime) fn planned(
    directory: &Directory,
    hierarchies: &Hierarchies,
    spec: &ContainerSpec,
) -> Result<(Plan, bool)> {
    let config = config_of(directory, spec)?;
    let resources = config.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    let needed = resources.map(Cgroup::controllers).unwrap_or_default();
    let host = host_for(spec, &hierarchies.restricted_to(&needed));
    Ok((plan::plan(&config, &host)?, resources.is_some()))
}

/// Returns the hierarchies that are mounted in `/sys/fs/cgroup`, each under its name on the host.
fn visible_cgroups(hierarchies: &Hierarchies) -> PlanInputs {
    let name = |mount: &std::path::Path| {
        mount.file_name().unwrap_or_default().to_string_lossy().into_owned()
    };
    let v1: Vec<_> =
        hierarchies.v1.iter().map(|v1| (name(&v1.mount), v1.controllers.clone())).collect();
    let below = if v1.is_empty() { "" } else { "unified" };
    PlanInputs {
        cgroup_v1: v1,
        cgroup_v2: hierarchies.unified.as_ref().map(|_| below.to_owned()),
        open_stdin: false,
        has_lowerdir_append: host::has_lowerdir_append(),
        identity: userns::identity().clone(),
        devices: None,
    }
}
