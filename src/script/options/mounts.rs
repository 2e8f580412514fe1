//! Options that say what a container sees of the host and of volumes: binds, named volumes, tmpfs.

use super::convert::{pairs, texts};
use super::key::{OptionSpec, ValueType, option_spec};
use super::parsed::ParsedOptions;
use crate::model::container::mounts::{Mount, Mounts};
use crate::model::observe::volume::{PruneVolumesOptions, VolumeFilter};
use crate::model::{Error, Kind, Result};
use crate::script::values;
use rhai::{Array, Dynamic, Map};
use std::collections::BTreeMap;

/// The options.
pub const KEYS: &[OptionSpec] = &[
    option_spec("volumes", ValueType::Mounts, "paths of the host and volumes to be seen inside"),
    option_spec(
        "mounts",
        ValueType::StringList,
        "the same as \"type=bind|volume|tmpfs,source=...,target=...\"",
    ),
    option_spec("tmpfs", ValueType::Mounts, "memory as directories, such as \"/run:size=64m\""),
    option_spec(
        "volumes_from",
        ValueType::StringList,
        "containers whose mounts it has too: \"NAME[:ro|rw]\"",
    ),
];

/// What `create_volume` takes.
pub(super) const VOLUME: &[OptionSpec] = &[option_spec("labels", ValueType::Pairs, "labels")];

/// What `volumes` takes.
pub(super) const VOLUMES: &[OptionSpec] = &[
    option_spec("dangling", ValueType::Flag, "used by no container, or by one"),
    option_spec("name", ValueType::StringList, "a part of the name"),
    option_spec("label", ValueType::Pairs, "has these labels; \"key\" or \"key=value\""),
];

/// What `prune_volumes` takes.
pub(super) const PRUNE_VOLUMES: &[OptionSpec] = &[
    option_spec("all", ValueType::Flag, "also those that have a name"),
    option_spec("label", ValueType::Pairs, "only with these labels; \"key\" or \"key=value\""),
    option_spec("dry_run", ValueType::Flag, "only tell what would go"),
];

/// Reads them.
pub fn read(given: &ParsedOptions<'_>) -> Result<Mounts> {
    let mut list = Vec::new();
    for text in
        given.get_with("volumes", |value| joined(value, Order::SourceFirst))?.unwrap_or_default()
    {
        list.push(Mount::from_volume(&text)?);
    }
    for text in given.get("mounts", texts)?.unwrap_or_default() {
        list.push(Mount::from_mount(&text)?);
    }
    for text in
        given.get_with("tmpfs", |value| joined(value, Order::TargetFirst))?.unwrap_or_default()
    {
        list.push(Mount::from_tmpfs(&text)?);
    }
    let from = given.get("volumes_from", texts)?.unwrap_or_default();
    Ok(Mounts { list, from })
}

/// What a key of a map is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// `#{ "/srv": "/data:ro" }`
    SourceFirst,
    /// `#{ "/run": "size=64m" }`
    TargetFirst,
}

/// The texts of an array, or keys and values of a map as Docker writes them.
fn joined(value: &Dynamic, order: Order) -> Result<Vec<String>> {
    let wrong = |value: &Dynamic| {
        let kind = values::type_of(value);
        Error::new(Kind::Invalid, format!("a string is wanted, not {kind}"))
            .hint("write [\"/srv:/data:ro\", \"name:/db\"] or #{ \"/srv\": \"/data:ro\" }")
    };
    let text = |value: &Dynamic| values::text(value).ok_or_else(|| wrong(value));
    if let Some(map) = value.read_lock::<Map>() {
        return map
            .iter()
            .map(|(key, value)| {
                let value = text(value)?;
                Ok(match value.is_empty() && order == Order::TargetFirst {
                    true => key.to_string(),
                    false => format!("{key}:{value}"),
                })
            })
            .collect();
    }
    match value.read_lock::<Array>() {
        Some(items) => items.iter().map(text).collect(),
        None => Ok(vec![text(value)?]),
    }
}

/// The options of `create_volume`: labels.
pub fn new_volume(map: Map) -> Result<BTreeMap<String, String>> {
    let labels = ParsedOptions::new("create_volume", VOLUME, map)?.get("labels", pairs)?;
    Ok(labels.unwrap_or_default().into_iter().collect())
}

/// The options of `volumes`.
pub fn volumes(map: Map) -> Result<VolumeFilter> {
    let given = ParsedOptions::new("volumes", VOLUMES, map)?;
    Ok(VolumeFilter {
        dangling: given.get("dangling", |value| value.as_bool().ok())?,
        names: given.get("name", texts)?.unwrap_or_default(),
        labels: given.labels()?,
        without_labels: Vec::new(),
    })
}

/// The options of `prune_volumes`: whether all, which, and whether only to tell.
pub fn prune_volumes(map: Map) -> Result<PruneVolumesOptions> {
    let given = ParsedOptions::new("prune_volumes", PRUNE_VOLUMES, map)?;
    let filter = VolumeFilter { labels: given.labels()?, ..VolumeFilter::default() };
    Ok(PruneVolumesOptions { all: given.flag("all")?, filter, dry_run: given.flag("dry_run")? })
}
