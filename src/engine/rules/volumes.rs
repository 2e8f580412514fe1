//! The errors of volumes that are in use or missing.

use crate::model::container::mounts::check_volume_name;
use crate::model::container::mounts::driver_options::check_options;
use crate::model::observe::volume::{RemoveVolumeOptions, VolumeOptions, VolumeUse};
use crate::model::{Error, Kind, Result};

/// How many containers an error names.
const MAX_NAMED: usize = 8;

/// Returns the error of removing a volume that a container uses.
pub(in crate::engine) fn in_use(found: &VolumeUse) -> Error {
    let users: Vec<&str> = found.users.iter().take(MAX_NAMED).map(|name| name.as_str()).collect();
    let more = if found.users.len() > MAX_NAMED { ", ..." } else { "" };
    let named = users.join(", ");
    let message = format!("remove {}: volume is in use - [{named}{more}]", found.volume.name);
    Error::new(Kind::Refused, message)
        .hint(format!("remove the containers first: rm {}", users.join(" ")))
}

/// Refuses to remove a volume with a damaged record without `force`.
pub(in crate::engine) fn check_force(
    found: &VolumeUse,
    options: &RemoveVolumeOptions,
) -> Result<()> {
    let Some(why) = found.damaged.as_ref().filter(|_| !options.force) else { return Ok(()) };
    let name = &found.volume.name;
    Err(Error::new(Kind::Refused, format!("remove {name}: {why}")).hint(format!(
        "remove it with its content: lifebox volume rm -f {name}; \
         or keep the content: lifebox system check --repair"
    )))
}

/// Refuses wrong options of a new volume, in Docker's words.
pub(in crate::engine) fn check_new(name: &str, options: &VolumeOptions) -> Result<()> {
    check_volume_name(name)?;
    check_options(&options.options).map_err(|error| error.context(format!("create {name}")))
}

/// Returns the error of a missing volume.
pub(in crate::engine) fn missing(name: &str) -> Error {
    Error::new(Kind::NotFound, format!("get {name}: no such volume"))
        .hint("list the volumes: lifebox volume ls")
}
