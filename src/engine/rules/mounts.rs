//! The mounts of a new container: those of `--volumes-from`, and a check of bind sources.

use std::borrow::Cow;

use crate::model::container::ContainerSpec;
use crate::model::container::mounts::{Mount, MountKind, MountSpec, volumes_from};
use crate::model::container::options::CreateOptions;
use crate::model::{Error, Kind, Result};

/// Returns the options with the mounts of the containers of `--volumes-from`, found by `spec_of`.
pub(in crate::engine) fn with_mounts_of_others<'a>(
    options: &'a CreateOptions,
    spec_of: &dyn Fn(&str) -> Result<ContainerSpec>,
) -> Result<Cow<'a, CreateOptions>> {
    let mut options = Cow::Borrowed(options);
    for text in options.mounts.from.clone() {
        let (container, read_only) = volumes_from(&text)?;
        let inherited = spec_of(container)?.host_config.mounts;
        options.to_mut().mounts.inherit(&inherited, read_only);
    }
    Ok(options)
}

/// Refuses a missing source of a `--mount` bind.
pub(in crate::engine) fn check_binds(list: &[Mount]) -> Result<()> {
    let missing = list.iter().find(|mount| {
        let bound = mount.kind == MountKind::Bind && mount.spec == MountSpec::Mount;
        bound && std::fs::symlink_metadata(&mount.source).is_err()
    });
    let Some(mount) = missing else { return Ok(()) };
    let message = format!(
        "invalid mount config for type \"bind\": bind source path does not exist: {}",
        mount.source
    );
    Err(Error::new(Kind::NotFound, message)
        .hint("create it first, or use -v, which creates a directory"))
}
