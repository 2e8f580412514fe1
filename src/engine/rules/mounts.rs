//! The mounts of a new container: relative sources, those of `--volumes-from`, and a check of bind
//! sources.

use std::borrow::Cow;

use super::path::lexical;
use crate::model::container::ContainerSpec;
use crate::model::container::mounts::{Mount, MountKind, MountSpec, volumes_from};
use crate::model::container::options::CreateOptions;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};

/// Returns the options with the mounts of the containers of `--volumes-from`, found by `spec_of`,
/// and with absolute sources: a relative one is relative to the working directory of this process.
pub(in crate::engine) fn resolved<'a>(
    options: &'a CreateOptions,
    spec_of: &dyn Fn(&str) -> Result<ContainerSpec>,
) -> Result<Cow<'a, CreateOptions>> {
    let mut options = Cow::Borrowed(options);
    if options.mounts.list.iter().any(|mount| mount.kind == MountKind::Bind) {
        let mut directory = None;
        for mount in &mut options.to_mut().mounts.list {
            make_absolute(mount, &mut directory)?;
        }
    }
    for text in options.mounts.from.clone() {
        let (container, read_only) = volumes_from(&text)?;
        let inherited = spec_of(container)?.host_config.mounts;
        options.to_mut().mounts.inherit(&inherited, read_only);
    }
    Ok(options)
}

/// Makes the source of a bind absolute, without `.` and `..`. As in Docker, `inspect` shows a `-v`
/// that was absolute as it was written.
fn make_absolute(mount: &mut Mount, directory: &mut Option<String>) -> Result<()> {
    if mount.kind != MountKind::Bind {
        return Ok(());
    }
    let relative = !mount.source.starts_with('/');
    let above = match directory {
        _ if !relative => "",
        Some(directory) => directory,
        None => directory.insert(working_directory()?),
    };
    let clean = lexical(&format!("{above}/{}", mount.source)).display().to_string();
    if let MountSpec::Volume(text) = &mut mount.spec
        && relative
    {
        *text = format!("{clean}{}", &text[mount.source.len()..]);
    }
    mount.source = clean;
    Ok(())
}

fn working_directory() -> Result<String> {
    let directory = std::env::current_dir().context(|| "getcwd".to_owned())?;
    directory.to_str().map(str::to_owned).ok_or_else(|| {
        let message = format!("the working directory `{}` is not UTF-8", directory.display());
        Error::new(Kind::Invalid, message).hint("write the source of the mount as absolute path")
    })
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
