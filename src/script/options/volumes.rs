//! The options of the functions of volumes.

use super::convert::{pairs, texts};
use super::parsed::ParsedOptions;
use crate::model::observe::volume::{PruneVolumesOptions, VolumeFilter, VolumeOptions};
use crate::model::value::option_spec::{OptionSpec, ValueType, option_spec};
use crate::model::{Error, Kind, Result};
use rhai::Map;
use std::collections::BTreeMap;

/// The options of `create_volume`.
pub(super) const VOLUME: &[OptionSpec] = &[
    option_spec("labels", ValueType::Pairs, "Set metadata"),
    option_spec(
        "options",
        ValueType::Pairs,
        "Set driver specific options: type, device and o, as mount(8) takes them",
    ),
];

/// The options of `volumes`.
pub(super) const VOLUMES: &[OptionSpec] = &[
    option_spec(
        "dangling",
        ValueType::Flag,
        "Only volumes without a container; false: only those with one",
    ),
    option_spec("name", ValueType::StringList, "Only names that contain this text"),
    option_spec("label", ValueType::Pairs, "Only with these labels: \"key\" or \"key=value\""),
];

/// The options of `prune_volumes`.
pub(super) const PRUNE_VOLUMES: &[OptionSpec] = &[
    option_spec("all", ValueType::Flag, "Remove all unused volumes, not just anonymous ones"),
    option_spec("label", ValueType::Pairs, "Only with these labels: \"key\" or \"key=value\""),
    option_spec("dry_run", ValueType::Flag, "List what would be removed, and remove nothing"),
];

/// Reads the options of `create_volume`.
pub fn new_volume(name: &str, map: Map) -> Result<VolumeOptions> {
    let given = ParsedOptions::new("create_volume", VOLUME, map)?;
    let read = |key| Ok(given.get(key, pairs)?.unwrap_or_default().into_iter().collect());
    let labels: BTreeMap<_, _> = read("labels")?;
    match labels.contains_key("") {
        true => Err(Error::new(Kind::Invalid, "create_volume(): a label needs a key")),
        false => {
            let name = Some(name.to_owned());
            Ok(VolumeOptions { name, labels, options: read("options")? })
        }
    }
}

/// Reads the options of `volumes`.
pub fn volumes(map: Map) -> Result<VolumeFilter> {
    let given = ParsedOptions::new("volumes", VOLUMES, map)?;
    Ok(VolumeFilter {
        dangling: given.get("dangling", |value| value.as_bool().ok())?,
        names: given.get("name", texts)?.unwrap_or_default(),
        labels: given.labels()?,
        ..VolumeFilter::default()
    })
}

/// Reads the options of `prune_volumes`.
pub fn prune_volumes(map: Map) -> Result<PruneVolumesOptions> {
    let given = ParsedOptions::new("prune_volumes", PRUNE_VOLUMES, map)?;
    let filter = VolumeFilter { labels: given.labels()?, ..VolumeFilter::default() };
    Ok(PruneVolumesOptions { all: given.flag("all")?, filter, dry_run: given.flag("dry_run")? })
}
