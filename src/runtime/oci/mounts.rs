//! The user's mounts in the words of the OCI runtime specification: binds, named volumes, tmpfs.

use serde_json::{Value, json};

use super::annotations::COPY_UP;
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
    mounts.extend(list.iter().map(entry));
    let depth =
        |mount: &Value| mount["destination"].as_str().map_or(0, |path| path.matches('/').count());
    mounts.sort_by_key(depth);
    let fill = list.iter().filter(|mount| mount.kind == MountKind::Volume && !mount.nocopy);
    let fill: Vec<_> = fill.map(|mount| (directory(mount), mount.target.as_str())).collect();
    if !fill.is_empty() {
        config["annotations"][COPY_UP] = json!(fill).to_string().into();
    }
}

/// Returns a volume's directory, relative to the container's.
fn directory(mount: &Mount) -> String {
    format!("../../volumes/{}", mount.source)
}

fn entry(mount: &Mount) -> Value {
    let mut options = vec![if mount.nonrecursive { "bind" } else { "rbind" }];
    let source = match mount.kind {
        MountKind::Bind => mount.source.clone(),
        MountKind::Volume => format!("{}/_data", directory(mount)),
        MountKind::Tmpfs => {
            options.clear();
            "tmpfs".to_owned()
        }
    };
    if !mount.dev {
        options.push("nodev");
    }
    if mount.kind != MountKind::Tmpfs {
        options.push(if mount.slave { "rslave" } else { "rprivate" });
    }
    if !mount.suid {
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
