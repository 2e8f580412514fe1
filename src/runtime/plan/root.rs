//! The steps that build the container's file system.

use std::ffi::CString;

use oci_spec::runtime::{Linux, Mount, Spec};

use super::bind_mounts::BindMounts;
use super::capability;
use super::device;
use super::inputs::PlanInputs;
use super::read::{missing, options_of, relative_to_root, setting, text};
use super::stack::stacked;
use super::step::{FileStep, MountStep, Root, Step};
use crate::model::Result;
use crate::runtime::oci;
use crate::sys::mount::{Attributes, Setting};

/// The group of terminals in every distribution.
const TTY_GROUP: u32 = 5;

/// Adds the steps that build the container's file system.
pub(super) fn root_steps(
    spec: &Spec,
    linux: &Linux,
    inputs: &PlanInputs,
    steps: &mut Vec<Step>,
) -> Result<()> {
    let mut binds = BindMounts::new(spec, inputs)?;
    // Paths of the host are opened before anything is mounted, so that the image cannot substitute
    // them (ARCHITECTURE.md, D3).
    steps.append(&mut binds.prepare);
    steps.append(&mut binds.open);
    steps.push(if is_stacked(spec) {
        Step::MountRoot(root(spec, inputs)?)
    } else {
        Step::BindRoot { path: text(&root_path(spec))?, attributes: root_attributes(spec, inputs) }
    });
    // Before volumes are filled with what is in their places.
    if !inputs.has_started {
        steps.push(Step::MakeMarks);
        steps.append(&mut binds.copy_up);
    }
    // The user's mounts come after the device nodes, so that no node is created in a directory of
    // the host.
    let (kernels, other_mounts): (Vec<&Mount>, Vec<&Mount>) =
        spec.mounts().iter().flatten().partition(|mount| {
            is_kernel_fs(mount) && !binds.steps.contains_key(mount.destination())
        });
    for mount in kernels {
        mount_steps(mount, inputs, &mut binds, steps)?;
    }
    device::steps(linux, inputs, steps)?;
    for mount in other_mounts {
        mount_steps(mount, inputs, &mut binds, steps)?;
    }
    Ok(())
}

/// Whether the root is an overlay. Without the annotation it is, as in the OCI specification, the
/// directory `root.path`.
pub(in crate::runtime) fn is_stacked(spec: &Spec) -> bool {
    spec.annotations().as_ref().is_some_and(|all| all.contains_key(oci::LOWER))
}

/// Returns the path of the root, relative to the container's directory.
fn root_path(spec: &Spec) -> String {
    let path = spec.root().as_ref().map(|root| root.path().to_string_lossy().into_owned());
    path.unwrap_or_else(|| "rootfs".to_owned())
}

/// Returns the attributes of the root. With `nodev` a device node in an image cannot be opened,
/// even if the cgroup allows it. A container that may make device nodes may open them too, as far
/// as the cgroup allows (docs/decisions/0086-device-nodes.md).
fn root_attributes(spec: &Spec, inputs: &PlanInputs) -> Attributes {
    let sets = spec.process().as_ref().and_then(|process| process.capabilities().as_ref());
    let bounding = capability::set(sets.and_then(|sets| sets.bounding().as_ref()));
    let makes_nodes = bounding & capability::MKNOD != 0 && inputs.limits_devices;
    match inputs.devices.is_some() || makes_nodes {
        true => Attributes::empty(),
        false => Attributes::MOUNT_ATTR_NODEV,
    }
}

/// Returns the overlay of a container's root.
pub(in crate::runtime) fn root(spec: &Spec, inputs: &PlanInputs) -> Result<Root> {
    let annotations = spec.annotations().as_ref();
    let lower =
        annotations.and_then(|all| all.get(oci::LOWER)).ok_or_else(|| missing(oci::LOWER))?;
    let lower: Vec<String> = serde_json::from_str(lower).map_err(|_| missing(oci::LOWER))?;
    let mut changes = vec![("upperdir", "upper"), ("workdir", "work")];
    if inputs.volatile {
        changes.push(("volatile", ""));
    }
    stacked(&lower, &root_path(spec), &changes, root_attributes(spec, inputs), inputs)
}

/// Whether a mount is one of those that devices and kernel parameters need.
fn is_kernel_fs(mount: &Mount) -> bool {
    ["/proc", "/sys", "/dev"].iter().any(|place| mount.destination().starts_with(place))
}

fn mount_steps(
    mount: &Mount,
    inputs: &PlanInputs,
    binds: &mut BindMounts,
    steps: &mut Vec<Step>,
) -> Result<()> {
    if let Some(step) = binds.steps.remove(mount.destination()) {
        steps.push(step);
        return Ok(());
    }
    let target = relative_to_root(&mount.destination().to_string_lossy())?;
    let fstype = mount.typ().as_deref().unwrap_or("bind");
    let options = mount.options().as_deref().unwrap_or_default();
    let (attributes, mut settings) = options_of(options)?;
    if fstype == "devpts"
        && inputs.identity.in_user_namespace()
        && !inputs.identity.has_group(TTY_GROUP)
    {
        settings.retain(|setting| setting.key.as_bytes() != b"gid");
    }
    match fstype {
        "bind" => {
            let source = mount.source().as_ref().ok_or_else(|| missing("source"))?;
            steps.push(Step::BindFile(FileStep {
                source: text(&source.to_string_lossy())?,
                target,
                attributes,
                directory: false,
            }));
        }
        "cgroup" => {
            cgroup_steps(&mount.destination().to_string_lossy(), attributes, inputs, steps)?
        }
        _ => steps.push(Step::Mount(MountStep {
            target,
            fstype: text(fstype)?,
            source: text(&mount.source().as_ref().map_or(fstype.into(), |s| s.to_string_lossy()))?,
            settings,
            attributes,
            optional: fstype == "mqueue",
            fallback_bind: fallback_bind(mount, inputs)?,
        })),
    }
    Ok(())
}

/// Returns the host's path to bind-mount for a file system that only shows its own namespace.
fn fallback_bind(mount: &Mount, inputs: &PlanInputs) -> Result<Option<CString>> {
    let of_namespace = ["proc", "sysfs", "mqueue"].contains(&mount.typ().as_deref().unwrap_or(""));
    let path = Some(mount.destination().to_string_lossy());
    path.filter(|_| of_namespace && inputs.identity.in_user_namespace())
        .map(|path| text(&path))
        .transpose()
}

/// Adds the steps of `/sys/fs/cgroup`: the unified hierarchy, or a directory with each v1
/// hierarchy.
fn cgroup_steps(
    at: &str,
    attributes: Attributes,
    inputs: &PlanInputs,
    steps: &mut Vec<Step>,
) -> Result<()> {
    let is_hosts = inputs.own_cgroups.is_some() && inputs.identity.in_user_namespace();
    let own_cgroups = inputs.own_cgroups.as_deref().unwrap_or_default();
    let mut push =
        |below: &str, fstype: &str, settings: Vec<Setting>, attributes: Attributes| -> Result<()> {
            let target = relative_to_root(&format!("{at}/{below}"))?;
            let (fstype, source) = (text(fstype)?, text(fstype)?);
            steps.push(Step::Mount(MountStep {
                target,
                fstype,
                source,
                settings,
                attributes,
                optional: false,
                fallback_bind: Some(text(at)?).filter(|_| is_hosts),
            }));
            Ok(())
        };
    if !inputs.cgroup_v1.is_empty() {
        let writable = attributes.difference(Attributes::MOUNT_ATTR_RDONLY);
        push("", "tmpfs", vec![setting("mode", "755")?], writable)?;
    }
    if own_cgroups.is_empty() {
        for (name, options) in &inputs.cgroup_v1 {
            let settings = options_of(options)?.1;
            push(name, "cgroup", settings, attributes)?;
        }
        if let Some(below) = &inputs.cgroup_v2 {
            push(below, "cgroup2", Vec::new(), attributes)?;
        }
    }
    // Without a namespace a new mount would show the cgroups of all.
    for (name, own) in own_cgroups {
        steps.push(Step::BindFile(FileStep {
            source: text(&own.to_string_lossy())?,
            target: relative_to_root(&format!("{at}/{name}"))?,
            attributes,
            directory: true,
        }));
    }
    if !inputs.cgroup_v1.is_empty() {
        steps.push(Step::RemountReadonly(relative_to_root(at)?));
    }
    Ok(())
}
