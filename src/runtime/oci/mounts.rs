//! The user's mounts in the words of the OCI runtime specification: binds, named volumes,
//! tmpfs, images.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::annotations::{COPY_UP, IMAGE_LAYERS, IMAGES, SUBPATHS, VOLUME_DEVICES};
use crate::model::container::ContainerSpec;
use crate::model::container::mounts::{Mount, MountKind};

/// Adds the mounts to `config`. A deeper target comes later, or it would be covered.
pub(super) fn apply(spec: &ContainerSpec, config: &mut Value) {
    let list = &spec.host_config.mounts.list;
    if list.is_empty() {
        return;
    }
    let Some(mounts) = config["mounts"].as_array_mut() else { return };
    mounts
        .retain(|default| list.iter().all(|mount| default["destination"] != mount.target.as_str()));
    let mut images = 0..;
    let mut image = || format!("{IMAGES}/{}", images.next().unwrap_or_default());
    mounts.extend(list.iter().map(|mount| entry(mount, &mut image)));
    let depth =
        |mount: &Value| mount["destination"].as_str().map_or(0, |path| path.matches('/').count());
    mounts.sort_by_key(depth);
    let volumes = || list.iter().filter(|mount| mount.kind == MountKind::Volume);
    let fill: Vec<_> = volumes()
        .filter(|mount| !mount.nocopy)
        .map(|mount| (directory(mount), mount.target.as_str()))
        .collect();
    let devices = volumes().filter(|mount| !mount.device.is_empty());
    let devices: BTreeMap<_, _> =
        devices.map(|mount| (mount.source.as_str(), &mount.device)).collect();
    let parts = list.iter().filter(|mount| !mount.subpath.is_empty());
    let parts: BTreeMap<_, _> =
        parts.map(|mount| (mount.target.as_str(), &mount.subpath)).collect();
    let layers = spec.host_config.mounts.images().filter_map(|mount| mount.image.as_ref());
    let layers: Vec<_> = layers.map(|image| &image.lower).collect();
    for (key, is_empty, value) in [
        (COPY_UP, fill.is_empty(), json!(fill)),
        (VOLUME_DEVICES, devices.is_empty(), json!(devices)),
        (SUBPATHS, parts.is_empty(), json!(parts)),
        (IMAGE_LAYERS, layers.is_empty(), json!(layers)),
    ] {
        if !is_empty {
            config["annotations"][key] = value.to_string().into();
        }
    }
}

/// Returns a volume's directory, relative to the container's.
fn directory(mount: &Mount) -> String {
    format!("../../volumes/{}", mount.source)
}

fn entry(mount: &Mount, image: &mut dyn FnMut() -> String) -> Value {
    let mut options = vec![if mount.nonrecursive { "bind" } else { "rbind" }];
    let source = match mount.kind {
        MountKind::Bind => mount.source.clone(),
        MountKind::Volume => format!("{}/_data", directory(mount)),
        MountKind::Tmpfs => {
            options.clear();
            "tmpfs".to_owned()
        }
        MountKind::Image => image(),
    };
    if !mount.dev {
        options.push("nodev");
    }
    if mount.kind != MountKind::Tmpfs {
        options.push(if mount.slave { "rslave" } else { "rprivate" });
    }
    // The files of an image have the powers that they have in a root of it.
    if !mount.suid && mount.kind != MountKind::Image {
        options.push("nosuid");
    }
    if mount.noexec {
        options.push("noexec");
    }
    match (mount.read_only, mount.kind == MountKind::Tmpfs || mount.nonrecursive) {
        (true, true) => options.push("ro"),
        (true, false) => options.push("rro"),
        (false, _) => {}
    }
    options.extend(mount.settings.iter().map(String::as_str));
    let kind = if mount.kind == MountKind::Tmpfs { "tmpfs" } else { "bind" };
    json!({ "destination": mount.target, "type": kind, "source": source, "options": options })
}
