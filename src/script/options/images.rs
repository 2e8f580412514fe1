//! From option maps to which images are meant.

use jiff::Timestamp;
use rhai::{Dynamic, Map};

use super::super::values;
use super::ParsedOptions;
use super::read::{pairs, texts};
use crate::model::Result;
use crate::model::image::filter::ImageFilter;
use crate::model::image::usage::PruneOptions;
use crate::script::values::handle::Image;

/// The options of `images`. `created` tells when the image of a reference was built.
pub fn images(
    map: Map,
    created: impl Fn(&str) -> Result<Option<Timestamp>>,
) -> Result<ImageFilter> {
    let given = ParsedOptions::new("images", map)?;
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

/// The options of `prune_images`.
pub fn prune_images(map: Map) -> Result<PruneOptions> {
    let given = ParsedOptions::new("prune_images", map)?;
    let now = Timestamp::now();
    let filter = ImageFilter {
        labels: given.labels()?,
        before: given.get_with("before", |value| values::moment(value, now))?,
        ..ImageFilter::default()
    };
    Ok(PruneOptions { all: given.flag("all")?, filter, dry_run: given.flag("dry_run")? })
}

/// The option of `check_images`: whether to repair.
pub fn check_images(map: Map) -> Result<bool> {
    ParsedOptions::new("check_images", map)?.flag("repair")
}

pub(crate) fn reference(value: &Dynamic) -> Option<String> {
    let handle = value.read_lock::<Image>();
    handle.map(|image| image.metadata().id.to_string()).or_else(|| values::text(value))
}

impl ParsedOptions<'_> {
    /// `key` or `key=value`.
    pub(super) fn labels(&self) -> Result<Vec<String>> {
        let labels = self.get("label", pairs)?.unwrap_or_default();
        let text = |(key, value): (String, String)| match value.is_empty() {
            true => key,
            false => format!("{key}={value}"),
        };
        Ok(labels.into_iter().map(text).collect())
    }
}
