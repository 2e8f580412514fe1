//! Volumes: directories of the engine, which outlive the containers that use them.

use crate::model::container::mounts::{DriverOptions, Mount};
use crate::model::value::name::ContainerName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The version of a volume's record.
pub const VERSION: u32 = 1;
/// The label by which Docker marks an anonymous volume.
const ANONYMOUS: &str = "com.docker.volume.anonymous";

/// A volume. `volume.json`: written at creation, never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    /// [`VERSION`].
    pub version: u32,
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Whether the volume is anonymous.
    pub anonymous: bool,
    /// What it mounts; empty for a directory of the engine's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: DriverOptions,
}

/// The options of `create_volume`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeOptions {
    /// The name; random where unset.
    pub name: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// What it mounts: the options of Docker's driver `local`.
    pub options: DriverOptions,
}

/// A volume, its directory and its users.
#[derive(Clone, Debug)]
pub struct VolumeUse {
    /// The volume.
    pub volume: Volume,
    /// The directory of the content, on the host.
    pub mountpoint: String,
    /// The containers of the volume, running or not.
    pub users: Vec<ContainerName>,
    /// What is wrong with its record; then only name, directory and users are known.
    pub damaged: Option<String>,
}

/// A filter of volumes. All set fields must match.
#[derive(Clone, Debug, Default)]
pub struct VolumeFilter {
    /// Whether the volume is unused (`dangling`).
    pub dangling: Option<bool>,
    /// Parts of the name; one must match.
    pub names: Vec<String>,
    /// `key` or `key=value`.
    pub labels: Vec<String>,
    /// `key` or `key=value` that the volume must not have.
    pub without_labels: Vec<String>,
    /// Names and times of creation; one pair must match.
    pub only: Option<BTreeSet<(String, Timestamp)>>,
}

/// How to remove a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoveVolumeOptions {
    /// Whether a missing volume is not an error, and one with a damaged record is removed.
    pub force: bool,
    /// Only the volume that was created at this time; another of its name counts as missing.
    pub created: Option<Timestamp>,
}

impl RemoveVolumeOptions {
    /// Returns whether the options mean this volume.
    pub fn means(&self, volume: &Volume) -> bool {
        self.created.is_none_or(|created| created == volume.created)
    }
}

/// The options of `volume prune`.
#[derive(Clone, Debug, Default)]
pub struct PruneVolumesOptions {
    /// Whether named volumes are removed too.
    pub all: bool,
    /// The filter; only volumes that match are removed.
    pub filter: VolumeFilter,
    /// Whether to report without removing.
    pub dry_run: bool,
}

/// The result of a prune.
#[derive(Clone, Debug, Default)]
pub struct PrunedVolumes {
    /// The names of the removed volumes.
    pub names: Vec<String>,
    /// The bytes freed.
    pub bytes: u64,
}

impl Volume {
    /// Returns a new volume with these options, under the chosen name.
    pub fn new(name: String, created: Timestamp, options: &VolumeOptions) -> Self {
        let (labels, anonymous) = (options.labels.clone(), options.name.is_none());
        let options = options.options.clone();
        Volume { version: VERSION, name, created, labels, anonymous, options }
    }

    /// Returns the new volume that a mount of a new container names.
    pub fn from_mount(mount: &Mount, created: Timestamp) -> Self {
        let (name, anonymous) = (mount.source.clone(), mount.anonymous);
        let (labels, options) = (mount.labels.clone(), mount.options.clone());
        Volume { version: VERSION, name, created, labels, anonymous, options }
    }

    /// Returns the labels, with Docker's mark of an anonymous volume.
    pub fn all_labels(&self) -> BTreeMap<String, String> {
        let mark = self.anonymous.then(|| (ANONYMOUS.to_owned(), String::new()));
        self.labels.clone().into_iter().chain(mark).collect()
    }

    fn has_label(&self, label: &str) -> bool {
        let labels = self.all_labels();
        match label.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
            None => labels.contains_key(label),
        }
    }
}

impl VolumeFilter {
    /// Returns whether the filter matches a volume.
    pub fn matches(&self, one: &VolumeUse) -> bool {
        let volume = &one.volume;
        let is_one = |only: &BTreeSet<_>| only.contains(&(volume.name.clone(), volume.created));
        self.only.as_ref().is_none_or(is_one)
            && self.dangling.is_none_or(|dangling| dangling == one.users.is_empty())
            && (self.names.is_empty() || self.names.iter().any(|part| volume.name.contains(part)))
            && self.labels.iter().all(|label| volume.has_label(label))
            && !self.without_labels.iter().any(|label| volume.has_label(label))
    }
}

/// Returns what `volume inspect` prints, in Docker's keys.
pub fn inspect(one: &VolumeUse) -> Value {
    let labels = one.volume.all_labels();
    let mut shown = json!({
        "CreatedAt": one.volume.created.to_string(),
        "Driver": "local",
        "Labels": Some(labels).filter(|labels| !labels.is_empty()),
        "Mountpoint": one.mountpoint,
        "Name": one.volume.name,
        "Options": Some(&one.volume.options).filter(|options| !options.is_empty()),
        "Scope": "local",
    });
    if let Some(why) = &one.damaged {
        shown["CreatedAt"] = Value::Null;
        // Docker's key for what a driver has to say of a volume.
        shown["Status"] = json!({ "damaged": why });
    }
    shown
}
