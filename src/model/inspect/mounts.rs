//! The parts of `inspect` about mounts.

use serde_json::{Map, Value, json};

use crate::model::container::mounts::{Mount, MountKind, MountSpec, Mounts};
use crate::model::value::units::parse_bytes;

/// Returns `Mounts`: all mounts but those of `--tmpfs`. `volumes` and `images` are the directories
/// of volumes and of the container's image mounts on the host.
pub(super) fn mounts(mounts: &Mounts, volumes: &str, images: &str) -> Value {
    let mut numbers = 0..;
    let mut image = || format!("{images}/{}", numbers.next().unwrap_or_default());
    let shown = mounts.list.iter().filter(|mount| !matches!(mount.spec, MountSpec::Tmpfs(_)));
    shown.map(|mount| point(mount, volumes, &mut image)).collect()
}

fn point(mount: &Mount, volumes: &str, image: &mut dyn FnMut() -> String) -> Value {
    let mut point = json!({ "Type": mount.kind.as_str() });
    let source = match mount.kind {
        MountKind::Bind => mount.source.clone(),
        MountKind::Volume => {
            point["Name"] = mount.source.as_str().into();
            format!("{volumes}/{}/_data", mount.source)
        }
        MountKind::Tmpfs => String::new(),
        MountKind::Image => {
            point["Name"] = mount.source.as_str().into();
            image()
        }
    };
    point["Source"] = source.into();
    point["Destination"] = mount.target.as_str().into();
    if mount.kind == MountKind::Volume {
        point["Driver"] = "local".into();
    }
    point["Mode"] = mode(mount).into();
    point["RW"] = (!mount.read_only).into();
    let propagation = match (mount.kind, mount.slave) {
        (MountKind::Bind, true) => "rslave",
        (MountKind::Bind, false) => "rprivate",
        _ => "",
    };
    point["Propagation"] = propagation.into();
    point
}

/// Returns the options of `-v` as written; `z` for a named volume without any, as in Docker.
fn mode(mount: &Mount) -> &str {
    let written = match &mount.spec {
        MountSpec::Volume(text) => text.splitn(3, ':').nth(2),
        MountSpec::From => Some(""),
        _ => None,
    };
    let named = mount.kind == MountKind::Volume && !mount.anonymous;
    written.unwrap_or(if named { "z" } else { "" })
}

/// Returns what `HostConfig.Mounts` says of the options of a kind, under Docker's key.
fn options_of(mount: &Mount) -> Option<(&'static str, Value)> {
    let mut options = json!({});
    if mount.kind == MountKind::Bind {
        if mount.slave {
            options["Propagation"] = "rslave".into();
        }
        if mount.nonrecursive {
            options["NonRecursive"] = true.into();
        }
        let given = mount.slave || mount.nonrecursive;
        return given.then_some(("BindOptions", options));
    }
    if mount.kind == MountKind::Tmpfs {
        for setting in &mount.settings {
            // A share of the memory, `50%`, has no field of Docker's.
            let (key, value) = match setting.split_once('=') {
                Some(("size", size)) => ("SizeBytes", parse_bytes(size).ok()),
                Some(("mode", mode)) => ("Mode", u64::from_str_radix(mode, 8).ok()),
                _ => continue,
            };
            if let Some(value) = value {
                options[key] = value.into();
            }
        }
        return (!mount.settings.is_empty()).then_some(("TmpfsOptions", options));
    }
    if !mount.subpath.is_empty() {
        options["Subpath"] = mount.subpath.as_str().into();
    }
    if mount.kind == MountKind::Image {
        let given = !mount.subpath.is_empty();
        return given.then_some(("ImageOptions", options));
    }
    if mount.kind == MountKind::Volume && mount.nocopy {
        options["NoCopy"] = true.into();
    }
    if !mount.labels.is_empty() {
        options["Labels"] = json!(mount.labels);
    }
    if !mount.options.is_empty() {
        options["DriverConfig"] = json!({ "Options": mount.options });
    }
    let given = options.as_object().is_some_and(|options| !options.is_empty());
    if given && mount.options.is_empty() {
        options["DriverConfig"] = json!({});
    }
    given.then_some(("VolumeOptions", options))
}

/// Returns `HostConfig.Binds`: the mounts of `-v` with a source.
pub(super) fn binds(mounts: &Mounts) -> Value {
    let binds: Vec<Value> = mounts
        .list
        .iter()
        .filter(|mount| !mount.anonymous)
        .filter_map(|mount| match &mount.spec {
            MountSpec::Volume(text) => Some(text.as_str().into()),
            _ => None,
        })
        .collect();
    if binds.is_empty() { Value::Null } else { binds.into() }
}

/// Returns `HostConfig.Mounts` and `Tmpfs`, each where there is one.
pub(super) fn requested(mounts: &Mounts) -> Value {
    let mut config = json!({});
    let named: Vec<Value> = mounts
        .list
        .iter()
        .filter(|mount| mount.spec == MountSpec::Mount)
        .map(|mount| {
            let mut one = json!({ "Type": mount.kind.as_str() });
            if !mount.source.is_empty() && !mount.anonymous {
                one["Source"] = mount.source.as_str().into();
            }
            one["Target"] = mount.target.as_str().into();
            if mount.read_only && mount.kind != MountKind::Image {
                one["ReadOnly"] = true.into();
            }
            if let Some((key, options)) = options_of(mount) {
                one[key] = options;
            }
            one
        })
        .collect();
    if !named.is_empty() {
        config["Mounts"] = named.into();
    }
    let tmpfs: Map<String, Value> = mounts
        .list
        .iter()
        .filter_map(|mount| match &mount.spec {
            MountSpec::Tmpfs(options) => Some((mount.target.clone(), options.as_str().into())),
            _ => None,
        })
        .collect();
    if !tmpfs.is_empty() {
        config["Tmpfs"] = tmpfs.into();
    }
    config
}
