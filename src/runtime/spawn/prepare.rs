//! The input of a plan: `config.json` with later changes, and the host.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use oci_spec::runtime::Spec;

use crate::model::container::mounts::{MountKind, MountSpec};
use crate::model::container::{Container, ContainerSpec};
use crate::model::error::Context;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::host::devices;
use crate::runtime::plan::{self, Plan, PlanInputs, Step};
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

/// Creates the missing directories that `-v` names, as Docker does: every user may enter them, also
/// with a umask of the caller that keeps others out.
pub(in crate::runtime) fn create_sources(spec: &ContainerSpec) -> Result<()> {
    for mount in &spec.host_config.mounts.list {
        let made_here = mount.kind == MountKind::Bind && matches!(mount.spec, MountSpec::Volume(_));
        if made_here && fs::symlink_metadata(&mount.source).is_err() {
            create_path(mount.source.as_ref())
                .context(|| format!("create the mount source `{}`", mount.source))?;
        }
    }
    Ok(())
}

/// Replaces the name of a host in `addr` of the network volumes by its address, as Docker does:
/// the kernel looks no names up.
pub(in crate::runtime) fn look_up_hosts(steps: &mut [Step]) -> Result<()> {
    let volumes = steps.iter_mut().filter_map(|step| match step {
        Step::MountVolume(volume) if volume.opened.is_some() => Some(volume),
        _ => None,
    });
    for volume in volumes {
        let setting = volume.settings.iter_mut().find(|one| one.key.as_c_str() == c"addr");
        let Some(value) = setting.and_then(|setting| setting.value.as_mut()) else { continue };
        let name = value.to_string_lossy().into_owned();
        if name.parse::<IpAddr>().is_ok() {
            continue;
        }
        let found = (name.as_str(), 0).to_socket_addrs().ok().and_then(|mut all| all.next());
        let found = found.ok_or_else(|| {
            let message = format!(
                "error while mounting volume '{}': error resolving passed in network volume \
                 address: lookup {}: no such host",
                volume.name,
                visible::short(&name)
            );
            Error::new(Kind::Network, message)
                .hint(format!("see its options: lifebox volume inspect {}", volume.name))
        })?;
        *value = CString::new(found.ip().to_string()).unwrap_or_default();
    }
    Ok(())
}

fn create_path(path: &Path) -> std::io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| fs::symlink_metadata(parent).is_err()) {
        create_path(parent)?;
    }
    match fs::create_dir(path) {
        // Another container creates it at this moment.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        created => created.and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o755))),
    }
}

/// Returns the properties of the host that a container's plan depends on.
pub(in crate::runtime) fn host_for(
    spec: &ContainerSpec,
    has_started: bool,
    hierarchies: &Hierarchies,
    cgroup: &Cgroup,
) -> PlanInputs {
    let has_devices = hierarchies.v1.iter().any(|v1| v1.has_controller("devices"));
    PlanInputs {
        has_started,
        volatile: spec.host_config.auto_remove && host::has_volatile_overlay(),
        own_cgroups: spec.host_config.namespaces.cgroup_host.then(|| cgroup.named()),
        limits_devices: !userns::in_user_namespace()
            && (has_devices || hierarchies.unified.is_some()),
        open_stdin: spec.config.open_stdin && !spec.config.tty,
        devices: spec.host_config.security.privileged.then(devices::host_devices),
        ..visible_cgroups(hierarchies)
    }
}

/// Returns the plan by which a container would be started now, and whether it has limits to write.
pub(in crate::runtime) fn planned(
    directory: &Directory,
    (hierarchies, parent): (&Hierarchies, &Path),
    container: &Container,
) -> Result<(Plan, bool)> {
    let (spec, has_started) = (&container.spec, container.state.started_at.is_some());
    let config = config_of(directory, spec)?;
    let resources = config.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    let needed = resources.map(Cgroup::controllers).unwrap_or_default();
    let hierarchies = hierarchies.restricted_to(&needed);
    let cgroup = Cgroup::at(&hierarchies, &parent.join(spec.id.as_str()));
    let host = host_for(spec, has_started, &hierarchies, &cgroup);
    Ok((plan::plan(&config, &host)?, resources.is_some()))
}

/// Returns the hierarchies that are mounted in `/sys/fs/cgroup`, each under its name on the host.
fn visible_cgroups(hierarchies: &Hierarchies) -> PlanInputs {
    let v1: Vec<_> = hierarchies.v1.iter().map(|v1| (v1.name(), v1.controllers.clone())).collect();
    let below = if v1.is_empty() { "" } else { "unified" };
    PlanInputs {
        cgroup_v1: v1,
        cgroup_v2: hierarchies.unified.as_ref().map(|_| below.to_owned()),
        has_lowerdir_append: host::has_lowerdir_append(),
        identity: userns::identity().clone(),
        ..PlanInputs::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_host_of_a_network_volume_becomes_its_address() {
        let address = |name: &str| {
            let options = serde_json::json!({
                "data": { "type": "nfs", "device": ":/x", "o": format!("addr={name},vers=4") }
            });
            let mut config = Spec::default();
            let key = oci::VOLUME_DEVICES.to_owned();
            config.set_annotations(Some([(key, options.to_string())].into()));
            let mut steps = plan::user_mounts(&config, &PlanInputs::default()).unwrap().prepare;
            look_up_hosts(&mut steps).unwrap();
            let Step::MountVolume(volume) = &steps[0] else { panic!("{steps:?}") };
            volume.settings[0].value.clone().unwrap().into_string().unwrap()
        };
        assert_eq!(address("192.0.2.1"), "192.0.2.1");
        assert!(["127.0.0.1", "::1"].contains(&address("localhost").as_str()));
    }
}
