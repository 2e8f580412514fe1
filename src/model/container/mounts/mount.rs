//! What a container sees of the host and of volumes: binds, named volumes, tmpfs.
//!
//! `parse` reads Docker's three ways to write a mount; this file has the rules for all of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

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
}

impl MountKind {
    /// Returns Docker's word.
    pub fn as_str(self) -> &'static str {
        match self {
            MountKind::Bind => "bind",
            MountKind::Volume => "volume",
            MountKind::Tmpfs => "tmpfs",
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
    /// The host's path, or the volume's name; empty for tmpfs, and for a volume without name
    /// until the engine has given it one.
    pub source: String,
    /// The path inside the container.
    pub target: String,
    /// Whether the mount and all mounts below it are read-only.
    pub read_only: bool,
    /// Whether set-id bits are honoured (no `nosuid`).
    pub suid: bool,
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
    /// The flag that the mount comes from.
    #[serde(alias = "given")]
    pub spec: MountSpec,
}

/// What mounts must not cover: the kernel's file systems (CVE-2019-16884: a mask or a
/// read-only path of a fake `/proc` confines nothing), and the terminals.
const KERNEL_PATHS: [&str; 2] = ["/proc", "/sys"];
const RESERVED_PATHS: [&str; 2] = ["/dev", "/dev/pts"];

impl Mounts {
    /// Adds an anonymous volume for each `VOLUME` of the image where nothing is mounted.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for two mounts at one target, [`Kind::Corrupt`] for an invalid path of
    /// the image.
    pub fn with_image<'a>(
        &self,
        image: &str,
        volumes: impl Iterator<Item = &'a String>,
    ) -> Result<Mounts> {
        let mut list = self.list.clone();
        let mut seen = BTreeSet::new();
        for mount in &list {
            if !seen.insert(mount.target.clone()) {
                let message = format!("Duplicate mount point: {}", mount.target);
                return Err(
                    Error::new(Kind::Invalid, message).hint("leave out one of the two mounts")
                );
            }
        }
        for volume in volumes {
            let target = target(volume).map_err(|error| {
                let message = format!("image `{image}` has an invalid volume: {}", error.message());
                Error::new(Kind::Corrupt, message)
            })?;
            if seen.insert(target.clone()) {
                list.push(Mount {
                    kind: MountKind::Volume,
                    target,
                    anonymous: true,
                    spec: MountSpec::Image,
                    ..Mount::default()
                });
            }
        }
        Ok(Mounts { list, from: self.from.clone() })
    }

    /// Returns the names of all volumes.
    pub fn volumes(&self) -> impl Iterator<Item = &str> {
        let volumes = self.list.iter().filter(|mount| mount.kind == MountKind::Volume);
        volumes.map(|mount| mount.source.as_str())
    }

    /// Returns the names of the anonymous volumes.
    pub fn anonymous(&self) -> Vec<String> {
        let anonymous = self.list.iter().filter(|mount| mount.anonymous);
        anonymous.map(|mount| mount.source.clone()).collect()
    }
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
    let parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(invalid("has a `..`").hint("write the path without `..`"));
    }
    if parts.is_empty() {
        return Err(Error::new(Kind::Invalid, "invalid specification: destination can't be '/'")
            .hint("mount at a directory below /, such as /data"));
    }
    let clean = format!("/{}", parts.join("/"));
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
        .hint("if you intended to pass a host directory, use absolute path"))
}
