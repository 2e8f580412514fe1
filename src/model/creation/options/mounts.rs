//! What a container sees of the host and of volumes: binds, named volumes, tmpfs.

use super::assign::{extend, set};
use super::row::CreateOption as Row;
use super::row::Trust::{Any, Denied, DeniedIf};
use super::{read, write};
use crate::model::container::mounts::driver_options::is_memory;
use crate::model::container::mounts::{Mount, MountFlag, MountKind};
use crate::model::container::options::CreateOptions;
use crate::model::value::expression::Expression;
use crate::model::value::option_spec::ValueType as T;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

/// Which half of a mount a key of a map is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    /// `#{ "/srv": "/data:ro" }`
    Source,
    /// `#{ "/run": "size=64m" }`
    Target,
}

/// Returns the texts of a list, or keys and values of a map as Docker writes them.
fn specs(value: &Expression, key: Key) -> Result<Vec<String>> {
    let hint = "write [\"/srv:/data:ro\", \"name:/db\"] or #{ \"/srv\": \"/data:ro\" }";
    let text =
        |value: &Expression| read::text_of(T::Mounts, value).map_err(|error| error.hint(hint));
    let joined = |name: &str, value: &Expression| {
        let value = text(value)?;
        Ok(match value.is_empty() && key == Key::Target {
            true => name.to_owned(),
            false => format!("{name}:{value}"),
        })
    };
    if let Some(entries) = value.entries() {
        return entries.into_iter().map(|(name, value)| joined(name, value)).collect();
    }
    match value {
        Expression::List(items) => items.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

fn written(options: &CreateOptions, flag: MountFlag) -> Option<Expression> {
    let mounts = options.mounts.list.iter().filter_map(Mount::to_flag);
    let texts: Vec<String> = mounts.filter(|(own, _)| *own == flag).map(|(_, text)| text).collect();
    write::texts(&texts)
}

/// Returns whether a mount shows files of the host or of the network: a bind, or a volume that
/// mounts a device.
fn leads_outside(options: &CreateOptions, flag: MountFlag) -> bool {
    let of_flag = |mount: &&Mount| mount.to_flag().is_some_and(|(own, _)| own == flag);
    let outside = |mount: &Mount| {
        let has_device = !mount.options.is_empty() && !is_memory(&mount.options);
        mount.kind == MountKind::Bind || has_device
    };
    options.mounts.list.iter().filter(of_flag).any(outside)
}

pub(super) const OPTIONS: &[Row] = &[
    Row::new(
        "volumes",
        T::Mounts,
        DeniedIf(|o| leads_outside(o, MountFlag::Volume)),
        "Bind mount a volume; options: ro, suid, dev, noexec, nocopy, rslave",
        |o| written(o, MountFlag::Volume),
        |o, v| {
            for text in specs(v, Key::Source)? {
                o.mounts.list.push(Mount::from_volume(&text)?);
            }
            Ok(())
        },
    )
    .flag("volume", "[SRC:]DST[:OPTIONS]")
    .short('v'),
    Row::new(
        "mounts",
        T::StringList,
        DeniedIf(|o| leads_outside(o, MountFlag::Mount)),
        "Attach a filesystem mount to the container: \
         type=bind|volume|tmpfs|image,source=SRC,target=DST,readonly",
        |o| written(o, MountFlag::Mount),
        |o, v| {
            for text in read::texts(v)? {
                o.mounts.list.push(Mount::from_mount(&text)?);
            }
            Ok(())
        },
    )
    .flag("mount", "KEY=VALUE,..."),
    Row::new(
        "tmpfs",
        T::Mounts,
        Any,
        "Mount a tmpfs directory; options: size=64m, mode=1777, ro, exec",
        |o| written(o, MountFlag::Tmpfs),
        |o, v| {
            for text in specs(v, Key::Target)? {
                o.mounts.list.push(Mount::from_tmpfs(&text)?);
            }
            Ok(())
        },
    )
    .flag("tmpfs", "DST[:OPTIONS]"),
    Row::new(
        "volumes_from",
        T::StringList,
        // Another container may have binds.
        Denied,
        "Mount volumes from the specified container(s)",
        |o| write::texts(&o.mounts.from),
        |o, v| extend(&mut o.mounts.from, read::texts(v)),
    )
    .flag("volumes-from", "CONTAINER[:ro|rw]"),
    Row::new(
        "volume_driver",
        T::OneOf(&["local"]),
        Any,
        "Optional volume driver for the container: local",
        |o| o.mounts.driver_local.then(|| Expression::text("local")),
        |o, v| match read::text(v)?.as_str() {
            "" => set(&mut o.mounts.driver_local, Ok(false)),
            "local" => set(&mut o.mounts.driver_local, Ok(true)),
            other => {
                let message = format!("there is no volume driver `{}`", visible::short(other));
                Err(Error::new(Kind::Invalid, message).hint("use local, or leave it out"))
            }
        },
    )
    .flag("volume-driver", "DRIVER"),
];
