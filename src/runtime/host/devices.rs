//! Devices of the host, for a container that gets them.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxDevice, LinuxDeviceBuilder, LinuxDeviceType};
use serde_json::{Value, json};

use crate::model::container::device_rule::DeviceRule;
use crate::model::container::security::Device;
use crate::model::error::Context;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};
use crate::sys::userns;

/// The entries of `/dev` that every container has of its own.
const CONTAINER_DEVICES: [&str; 7] = ["console", "fd", "mqueue", "ptmx", "pts", "shm", "core"];

/// Adds `devices` to an OCI configuration: the nodes, and that they may be used.
///
/// # Errors
/// [`Kind::NotFound`] for a missing device, [`Kind::Invalid`] for a file that is not a device.
pub(crate) fn add(devices: &[Device], config: &mut Value) -> Result<()> {
    for device in devices {
        let mut nodes = Vec::new();
        collect(Path::new(&device.host), &device.inside, &mut nodes)
            .context(|| format!("look up device `{}`", device.host))?;
        if nodes.is_empty() {
            let message = format!("`{}` is not a device", device.host);
            return Err(Error::new(Kind::Invalid, message)
                .hint("name a device node, or a directory of device nodes"));
        }
        if userns::in_user_namespace() {
            add_bind(device, &nodes, config)?;
            continue;
        }
        for (_, node) in nodes {
            let rule = json!({
                "allow": true,
                "type": serde_json::to_value(node.typ()).unwrap_or_default(),
                "major": node.major(),
                "minor": node.minor(),
                // Init creates the node inside the cgroup; the container itself has no CAP_MKNOD by
                // default.
                "access": format!("{}m", device.access.replace('m', "")),
            });
            let node = serde_json::to_value(&node).unwrap_or_default();
            push(&mut config["linux"]["devices"], node);
            push(&mut config["linux"]["resources"]["devices"], rule);
        }
    }
    Ok(())
}

/// Returns the numbers of the block device at a path of the host.
///
/// # Errors
/// [`Kind::NotFound`] for a missing node, [`Kind::Invalid`] for one of another kind.
pub(crate) fn block_device(path: &str) -> Result<(u32, u32)> {
    let shown = visible::short(path);
    let found = fs::metadata(path).context(|| format!("look up device `{shown}`"))?;
    if !found.file_type().is_block_device() {
        return Err(Error::new(Kind::Invalid, format!("`{shown}` is not a block device"))
            .hint("name one of them: lsblk -p"));
    }
    Ok((rustix::fs::major(found.rdev()), rustix::fs::minor(found.rdev())))
}

/// Refuses rules where the kernel lets this user allow no device.
///
/// # Errors
/// [`Kind::Unsupported`].
pub(crate) fn check_rules(rules: &[DeviceRule]) -> Result<()> {
    match rules.first().filter(|_| userns::in_user_namespace()) {
        Some(rule) => {
            let message = format!("only root can allow devices: --device-cgroup-rule '{rule}'");
            Err(Error::new(Kind::Unsupported, message)
                .hint("name the device's node: --device /dev/NAME"))
        }
        None => Ok(()),
    }
}

/// Bind-mounts devices of the host: an ordinary user cannot create device nodes.
fn add_bind(device: &Device, nodes: &[Node], config: &mut Value) -> Result<()> {
    if !["r", "w"].iter().all(|right| device.access.contains(right)) {
        let message =
            format!("`{}`: only root can limit a container to `{}`", device.host, device.access);
        return Err(Error::new(Kind::Unsupported, message)
            .hint("leave the permissions out: --device HOST:CONTAINER"));
    }
    for (host, node) in nodes {
        let mount = json!({
            "destination": node.path(), "type": "bind", "source": host,
            "options": ["bind", "rprivate", "nosuid", "noexec"],
        });
        push(&mut config["mounts"], mount);
    }
    Ok(())
}

fn push(list: &mut Value, item: Value) {
    match list {
        Value::Array(items) => items.push(item),
        other => *other = json!([item]),
    }
}

/// Returns all devices of the host, except those that every container has of its own.
pub(crate) fn host_devices() -> Vec<LinuxDevice> {
    let mut nodes = Vec::new();
    for entry in fs::read_dir("/dev").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if !link && !CONTAINER_DEVICES.contains(&name.as_str()) {
            // A device that is removed meanwhile is skipped.
            let _ = collect(&entry.path(), &format!("/dev/{name}"), &mut nodes);
        }
    }
    nodes.into_iter().map(|(_, node)| node).collect()
}

/// The path of a device on the host, and the device inside.
type Node = (PathBuf, LinuxDevice);

/// Collects the node at `path`, following links, or those below a directory, following none.
fn collect(path: &Path, inside: &str, nodes: &mut Vec<Node>) -> std::io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)?.flatten() {
            if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
                let inside = format!("{inside}/{}", entry.file_name().to_string_lossy());
                collect(&entry.path(), &inside, nodes)?;
            }
        }
        return Ok(());
    }
    let kind = match metadata.file_type() {
        kind if kind.is_block_device() => LinuxDeviceType::B,
        kind if kind.is_char_device() => LinuxDeviceType::C,
        _ => return Ok(()),
    };
    let device = LinuxDeviceBuilder::default()
        .path(inside)
        .typ(kind)
        .major(rustix::fs::major(metadata.rdev()))
        .minor(rustix::fs::minor(metadata.rdev()))
        .file_mode(metadata.mode() & 0o777)
        .uid(metadata.uid())
        .gid(metadata.gid());
    nodes.extend(device.build().ok().map(|node| (path.to_owned(), node)));
    Ok(())
}
