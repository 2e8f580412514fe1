//! What a container sees of the host and of volumes: binds, named volumes, tmpfs.
//!
//! `parse` reads Docker's three ways to write a mount; this file has the rules for all of them.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::driver_options::DriverOptions;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};

pub use super::to_flag::MountFlag;
pub use super::volumes_from::volumes_from;

/// What a container sees of the host and of volumes: binds, named volumes, tmpfs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mounts {
    /// The mounts, in the order given; those of the image last.
    pub list: Vec<Mount>,
    /// `--volumes-from`: containers, each with `:ro` or `:rw`.
    pub from: Vec<String>,
    /// Whether the driver `local` was named, the only one there is.
    pub driver_local: bool,
}

/// The kind of mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountKind {
    /// A file or directory of the host.
    #[default]
    Bind,
    /// A volume of this engine.
    Volume,
    /// Memory that is freed when the container exits.
    Tmpfs,
    /// The files of an image, read-only.
    Image,
}

impl MountKind {
    /// Returns Docker's word.
    pub fn as_str(self) -> &'static str {
        match self {
            MountKind::Bind => "bind",
            MountKind::Volume => "volume",
            MountKind::Tmpfs => "tmpfs",
            MountKind::Image => "image",
        }
    }
}

/// The flag that a mount comes from, which `inspect` prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountSpec {
    /// `-v`, with its whole text.
    Volume(String),
    /// `--mount`.
    #[default]
    Mount,
    /// `--tmpfs`, with the options.
    Tmpfs(String),
    /// The image's `VOLUME`.
    Image,
    /// `--volumes-from`.
    From,
}

/// A mount. The target is absolute, without `.` and `..`, and not a path that a mount must not
/// cover.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mount {
    /// The kind of mount.
    pub kind: MountKind,
    /// The host's path, the volume's name or the image's; empty for tmpfs, and for a volume without
    /// name until the engine has given it one. A path may begin with `.` until the engine has
    /// resolved it.
    pub source: String,
    /// The path inside the container.
    pub target: String,
    /// Whether the mount and all mounts below it are read-only.
    pub read_only: bool,
    /// Whether set-id bits are honoured (no `nosuid`).
    pub suid: bool,
    /// Whether device nodes can be opened that the container may open (no `nodev`).
    pub dev: bool,
    /// Whether programs cannot be executed (`noexec`).
    pub noexec: bool,
    /// Whether the mounts below the source are left out.
    #[serde(alias = "alone")]
    pub nonrecursive: bool,
    /// Whether later mounts of the host below the source appear (`rslave`).
    pub slave: bool,
    /// Whether a new volume stays empty instead of copying the image's files (`nocopy`).
    pub nocopy: bool,
    /// Whether the volume is anonymous: removed with the container.
    pub anonymous: bool,
    /// Options of tmpfs such as `size=64m`.
    pub settings: Vec<String>,
    /// The place inside the volume or the image, relative; empty for all of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
    /// Labels of the volume, if it is created.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Options of the volume, if it is created.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: DriverOptions,
    /// The options that the volume has, once the engine has found or created it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub device: DriverOptions,
    /// The image, once the engine has found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageLayers>,
    /// The flag that the mount comes from.
    #[serde(alias = "given")]
    pub spec: MountSpec,
}

/// The image of a mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageLayers {
    /// Its id.
    pub id: Digest,
    /// The keys of its layers in the store, lowest first.
    pub layers: Vec<Digest>,
    /// The directories to stack, lowest first, relative to the container's; empty where the files
    /// are copied.
    pub lower: Vec<String>,
}

/// What mounts must not cover: the kernel's file systems (CVE-2019-16884: a mask or a
/// read-only path of a fake `/proc` confines nothing), and the terminals.
const KERNEL_PATHS: [&str; 2] = ["/proc", "/sys"];
const RESERVED_PATHS: [&str; 2] = ["/dev", "/dev/pts"];

impl Mount {
    /// Returns whether this is a volume of `-v /path`, which only takes a place that is free: each
    /// other mount there wins, as in Docker.
    pub(super) fn is_default(&self) -> bool {
        self.anonymous && matches!(self.spec, MountSpec::Volume(_))
    }

    /// Returns the one of two mounts at one target that stays; `None` where they contradict.
    fn or_later<'a>(&'a self, later: &'a Mount) -> Option<&'a Mount> {
        let of_flag = |mount: &Mount| matches!(mount.spec, MountSpec::Tmpfs(_));
        let tmpfs = [self, later].iter().all(|mount| mount.kind == MountKind::Tmpfs);
        match (&self.spec, &later.spec) {
            _ if later.is_default() => Some(self),
            _ if self.is_default() => Some(later),
            (MountSpec::Volume(one), MountSpec::Volume(other)) if one == other => Some(self),
            // One of `--mount` says more than one of `--tmpfs`.
            _ if tmpfs && of_flag(self) => Some(later),
            _ if tmpfs && of_flag(later) => Some(self),
            _ => None,
        }
    }
}

impl Mounts {
    /// Returns the mounts that a container gets, with an anonymous volume for each `VOLUME` of the
    /// image where nothing is mounted. The same mount twice is one.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for two mounts at one target, [`Kind::Corrupt`] for an invalid path of
    /// the image.
    pub fn with_image<'a>(
        &self,
        image: &str,
        volumes: impl Iterator<Item = &'a String>,
    ) -> Result<Mounts> {
        let mut list: Vec<Mount> = Vec::with_capacity(self.list.len());
        let mut places: HashMap<String, usize> = HashMap::new();
        for mount in &self.list {
            let Some(place) = places.get(&mount.target) else {
                places.insert(mount.target.clone(), list.len());
                list.push(mount.clone());
                continue;
            };
            let stays = list[*place].or_later(mount).ok_or_else(|| {
                let message = format!("Duplicate mount point: {}", mount.target);
                Error::new(Kind::Invalid, message).hint("leave out one of the two mounts")
            })?;
            list[*place] = stays.clone();
        }
        for volume in volumes {
            let target = target(&absolute(volume)).map_err(|error| {
                let message = format!("image `{image}` has an invalid volume: {}", error.message());
                Error::new(Kind::Corrupt, message)
            })?;
            if let Entry::Vacant(place) = places.entry(target.clone()) {
                place.insert(list.len());
                list.push(Mount {
                    kind: MountKind::Volume,
                    target,
                    anonymous: true,
                    spec: MountSpec::Image,
                    ..Mount::default()
                });
            }
        }
        Ok(Mounts { list, ..self.clone() })
    }

    /// Returns the names of all volumes.
    pub fn volumes(&self) -> impl Iterator<Item = &str> {
        let volumes = self.list.iter().filter(|mount| mount.kind == MountKind::Volume);
        volumes.map(|mount| mount.source.as_str())
    }

    /// Returns the mounts of images.
    pub fn images(&self) -> impl Iterator<Item = &Mount> {
        self.list.iter().filter(|mount| mount.kind == MountKind::Image)
    }

    /// Returns the names of the anonymous volumes.
    pub fn anonymous(&self) -> Vec<String> {
        let anonymous = self.list.iter().filter(|mount| mount.anonymous);
        anonymous.map(|mount| mount.source.clone()).collect()
    }
}

/// Returns a path as Docker takes it: from the root, without `.` and `..`.
fn absolute(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Checks and cleans a target: absolute, and not one that a mount must not cover.
///
/// # Errors
/// [`Kind::Invalid`].
pub fn target(path: &str) -> Result<String> {
    let invalid = |why: &str| {
        let path = path.escape_debug();
        Error::new(Kind::Invalid, format!("invalid mount path: '{path}' {why}"))
    };
    if !path.starts_with('/') {
        return Err(invalid("mount path must be absolute"));
    }
    if path.contains('\0') || path.len() > 4000 {
        return Err(invalid("is not a path"));
    }
    let clean = absolute(path);
    if clean == "/" {
        return Err(Error::new(Kind::Invalid, "invalid specification: destination can't be '/'")
            .hint("mount at a directory below /, such as /data"));
    }
    let below = |place: &str| {
        clean.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if let Some(place) = KERNEL_PATHS.into_iter().find(|place| below(place)) {
        return Err(invalid(&format!("cannot be mounted on: {place} is a kernel file system"))
            .hint("mount at another path, such as /data"));
    }
    if RESERVED_PATHS.contains(&clean.as_str()) {
        return Err(invalid("cannot be mounted on: each container has a private one")
            .hint("mount at a path below /dev, or add a device with --device"));
    }
    Ok(clean)
}

/// Checks Docker's rule for the names of volumes.
///
/// # Errors
/// [`Kind::Invalid`].
pub fn check_volume_name(name: &str) -> Result<()> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let rest = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    if first && rest && (2..=255).contains(&name.len()) {
        return Ok(());
    }
    if first && rest && name.len() == 1 {
        let message =
            "volume name is too short, names should be at least two alphanumeric characters";
        return Err(Error::new(Kind::Invalid, message));
    }
    let name = name.escape_debug();
    let message = format!(
        "\"{name}\" includes invalid characters for a local volume name, only \
         \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed"
    );
    Err(Error::new(Kind::Invalid, message)
        .hint("if you intended to pass a host directory, use absolute path, or begin with ./"))
}
