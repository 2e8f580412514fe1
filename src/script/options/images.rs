//! The options of the functions of images.

use jiff::Timestamp;
use rhai::{Dynamic, Map};

use super::convert::texts;
use super::parsed::ParsedOptions;
use crate::model::Result;
use crate::model::image::filter::ImageFilter;
use crate::model::image::usage::PruneOptions;
use crate::model::value::option_spec::{OptionSpec, ValueType, option_spec};
use crate::script::values;
use crate::script::values::handle::Image;

/// The options of `images`.
pub(super) const IMAGES: &[OptionSpec] = &[
    option_spec("all", ValueType::Flag, "Show all images, with intermediate ones"),
    option_spec(
        "name",
        ValueType::StringList,
        "Only references that match a pattern, such as \"alpine:3*\"",
    ),
    option_spec("label", ValueType::Pairs, "Only with these labels: \"key\" or \"key=value\""),
    option_spec(
        "dangling",
        ValueType::Flag,
        "Only images without a tag; false: only those with one",
    ),
    option_spec("before", ValueType::Image, "Only images created before this one"),
    option_spec("since", ValueType::Image, "Only images created after this one"),
];

/// The options of `prune_images`.
pub(super) const PRUNE_IMAGES: &[OptionSpec] = &[
    option_spec("all", ValueType::Flag, "Remove all unused images, not just dangling ones"),
    option_spec("label", ValueType::Pairs, "Only with these labels: \"key\" or \"key=value\""),
    option_spec("before", ValueType::Time, "Only images created before this time"),
    option_spec("of_builds", ValueType::Flag, "Only what builds keep for the next ones"),
    option_spec("dry_run", ValueType::Flag, "List what would be removed, and remove nothing"),
];

/// The options of `check_images`.
pub(super) const CHECK_IMAGES: &[OptionSpec] =
    &[option_spec("repair", ValueType::Flag, "Repair what can be repaired, and remove the rest")];

/// Reads the options of `images`. `created` returns when the image of a reference was built.
pub fn images(
    map: Map,
    created: impl Fn(&str) -> Result<Option<Timestamp>>,
) -> Result<ImageFilter> {
    let given = ParsedOptions::new("images", IMAGES, map)?;
    // An image that does not say when it was built is older than all others.
    let built = |name: &str| -> Result<Option<Timestamp>> {
        let reference = given.get(name, reference)?;
        let time = reference.map(|reference| created(&reference)).transpose()?;
        Ok(time.map(|time| time.unwrap_or(Timestamp::MIN)))
    };
    Ok(ImageFilter {
        all: given.flag("all")?,
        dangling: given.get("dangling", |value| value.as_bool().ok())?,
        labels: given.labels()?,
        without_labels: Vec::new(),
        before: built("before")?,
        since: built("since")?,
        references: given.get("name", texts)?.unwrap_or_default(),
    })
}

/// Reads the options of `prune_images`.
pub fn prune_images(map: Map) -> Result<PruneOptions> {
    let given = ParsedOptions::new("prune_images", PRUNE_IMAGES, map)?;
    let now = Timestamp::now();
    let filter = ImageFilter {
        labels: given.labels()?,
        before: given.get_with("before", |value| values::moment(value, now))?,
        ..ImageFilter::default()
    };
    Ok(PruneOptions {
        all: given.flag("all")?,
        filter,
        of_builds: given.flag("of_builds")?,
        keep: 0,
        dry_run: given.flag("dry_run")?,
    })
}

/// Reads the option of `check_images`: whether to repair.
pub fn check_images(map: Map) -> Result<bool> {
    ParsedOptions::new("check_images", CHECK_IMAGES, map)?.flag("repair")
}

fn reference(value: &Dynamic) -> Option<String> {
    let handle = value.read_lock::<Image>();
    handle.map(|image| image.metadata().id.to_string()).or_else(|| values::text(value))
}
