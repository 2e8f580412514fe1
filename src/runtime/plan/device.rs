//! The device nodes of a container, and the links in `/dev`.

use oci_spec::runtime::{Linux, LinuxDevice, LinuxDeviceType};
use rustix::fs::FileType;

use super::inputs::PlanInputs;
use super::read::{relative_to_root, text};
use super::step::{DeviceNode, Step};
use crate::model::{Error, Kind, Result};
use crate::runtime::oci;

/// Adds the nodes of every container, then those of `linux`, then those of the host for a
/// privileged container. The first node of a path wins.
pub(super) fn steps(linux: &Linux, inputs: &PlanInputs, steps: &mut Vec<Step>) -> Result<()> {
    let mut nodes = Vec::new();
    for (path, major, minor) in oci::DEVICES {
        nodes.push(node(path, FileType::CharacterDevice, (major, minor), 0o666, (0, 0))?);
    }
    let listed = linux.devices().iter().flatten().chain(inputs.devices.iter().flatten());
    for device in listed {
        let step = of(device)?;
        if !nodes.iter().any(|known| known.path == step.path) {
            nodes.push(step);
        }
    }
    // Only the host's root may create device nodes.
    let nested = inputs.identity.in_user_namespace();
    let step = if nested { Step::BindDevice } else { Step::MakeDevice };
    steps.extend(nodes.into_iter().map(step));
    let links = [
        ("dev/fd", "/proc/self/fd"),
        ("dev/stdin", "/proc/self/fd/0"),
        ("dev/stdout", "/proc/self/fd/1"),
        ("dev/stderr", "/proc/self/fd/2"),
        ("dev/ptmx", "pts/ptmx"),
        ("dev/core", "/proc/kcore"),
    ];
    for (path, target) in links {
        steps.push(Step::MakeLink { path: text(path)?, target: text(target)? });
    }
    Ok(())
}

fn of(device: &LinuxDevice) -> Result<DeviceNode> {
    let kind = match device.typ() {
        LinuxDeviceType::B => FileType::BlockDevice,
        LinuxDeviceType::C | LinuxDeviceType::U => FileType::CharacterDevice,
        other => {
            let message = format!("cannot create a device of type {other:?}");
            return Err(Error::new(Kind::Unsupported, message));
        }
    };
    let owner = (device.uid().unwrap_or(0), device.gid().unwrap_or(0));
    let mode = device.file_mode().unwrap_or(0o666);
    let path = device.path().to_string_lossy();
    node(&path, kind, (device.major(), device.minor()), mode, owner)
}

fn node(
    path: &str,
    kind: FileType,
    (major, minor): (i64, i64),
    mode: u32,
    owner: (u32, u32),
) -> Result<DeviceNode> {
    let relative = path.trim_start_matches('/');
    let (directory, name) = relative.rsplit_once('/').unwrap_or(("", relative));
    let number = |n: i64| u32::try_from(n).unwrap_or_default();
    Ok(DeviceNode {
        path: relative_to_root(path)?,
        directory: text(directory)?,
        name: text(name)?,
        kind,
        number: (number(major), number(minor)),
        mode,
        owner,
    })
}
