//! `cp`: files into containers and out of them.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

use crate::engine::backend::{CancelToken, CopyOptions, Transfer};
use crate::engine::rules::path::lexical;
use crate::image::transfer::{self, FinalLink, Owner, TreePath};
use crate::model::container::Container;
use crate::model::container::mounts::MountKind;
use crate::model::container::mounts::driver_options::is_memory;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};

/// The largest file that a script can read, in bytes.
const MAX_READ: u64 = 8 << 20;

/// Copies from or to a container whose root is `root`.
pub(super) fn copy_between(
    root: &OwnedFd,
    what: Transfer<'_>,
    options: CopyOptions,
    cancel: &CancelToken,
) -> Result<()> {
    let source_link = if options.follow { FinalLink::Follow } else { FinalLink::Keep };
    let inside = |path: &str, link: FinalLink| {
        let directory = root.try_clone().context(|| "dup".to_owned())?;
        TreePath::new(directory, path, link)
    };
    let check = || cancel.check();
    match what {
        Transfer::In { from, path } => {
            let from = host_path(from, source_link)?;
            let owner = if options.archive { Owner::Same } else { Owner::Is(0, 0) };
            transfer::copy(&from, &inside(path, FinalLink::Follow)?, owner, &check)
        }
        Transfer::Out { path, to } => {
            let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
            let owner = match options.archive {
                true => Owner::Same,
                false => Owner::Powerless(uid.as_raw(), gid.as_raw()),
            };
            transfer::copy(
                &inside(path, source_link)?,
                &host_path(to, FinalLink::Follow)?,
                owner,
                &check,
            )
        }
        Transfer::Pack { path, out } => inside(path, source_link)?.pack(out, &check),
        Transfer::Unpack { tar, path } => {
            inside(path, FinalLink::Follow)?.unpack(tar, Owner::Same, &check)
        }
        Transfer::Read { path, content } => {
            *content = inside(path, FinalLink::Follow)?.read(MAX_READ)?;
            Ok(())
        }
        Transfer::Write { path, content } => {
            inside(path, FinalLink::Follow)?.write(content, &check)
        }
    }
}

/// Unpacks what `pack` writes into a directory of the host.
pub(super) fn unpack_root(
    to: &Path,
    check: &(dyn Fn() -> Result<()> + Sync),
    pack: impl FnOnce(&mut dyn Write) -> Result<()> + Send,
) -> Result<()> {
    std::fs::create_dir_all(to).context(|| format!("create `{}`", to.display()))?;
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let owner = Owner::Powerless(uid.as_raw(), gid.as_raw());
    transfer::unpack_packed(&host_path(to, FinalLink::Follow)?, owner, check, pack)
}

/// Refuses a path of a stopped container below a tmpfs, which does not exist, or below a bind whose
/// source is missing: a copied file would be hidden once the container runs.
pub(super) fn check_mounts(container: &Container, what: &Transfer<'_>) -> Result<()> {
    let path = lexical(what.path()?);
    if container.state.status.is_live() {
        return Ok(());
    }
    let above = container.spec.host_config.mounts.list.iter();
    let above = above.filter(|mount| path.starts_with(&mount.target));
    let Some(mount) = above.max_by_key(|mount| mount.target.len()) else { return Ok(()) };
    let name = container.state.name.as_str();
    let error = match mount.kind {
        MountKind::Tmpfs => {
            let message =
                format!("`{}` of `{name}` is a tmpfs, and `{name}` is not running", mount.target);
            Error::new(Kind::Unsupported, message).hint(format!("start it: lifebox start {name}"))
        }
        MountKind::Bind if std::fs::symlink_metadata(&mount.source).is_err() => {
            let message = format!("bind source path does not exist: {}", mount.source);
            Error::new(Kind::NotFound, message).hint("create it first")
        }
        MountKind::Volume if is_memory(&mount.device) => {
            let message = format!(
                "`{}` of `{name}` is a volume in memory, and `{name}` is not running",
                mount.target
            );
            Error::new(Kind::Unsupported, message).hint(format!("start it: lifebox start {name}"))
        }
        MountKind::Bind | MountKind::Volume | MountKind::Image => return Ok(()),
    };
    Err(error.container(name, Some(container.state.status.as_str())))
}

/// Refuses a destination that is a device, a socket or a pipe.
pub(super) fn check_target(to: &Path) -> Result<()> {
    match std::fs::metadata(to) {
        Ok(there) if !there.is_file() && !there.is_dir() => {
            let message =
                format!("destination `{}` must be a directory or a regular file", to.display());
            Err(Error::new(Kind::Refused, message).hint("use `-` as destination, and pipe the tar"))
        }
        _ => Ok(()),
    }
}

/// Returns a path of the host.
fn host_path(path: &Path, link: FinalLink) -> Result<TreePath> {
    let root = std::fs::File::open("/").context(|| "open `/`".to_owned())?;
    let text = path
        .to_str()
        .ok_or_else(|| Error::new(Kind::Invalid, format!("`{}` is not UTF-8", path.display())))?;
    if path.is_absolute() {
        return TreePath::new(root.into(), text, link);
    }
    let current = std::env::current_dir().context(|| "getcwd".to_owned())?;
    TreePath::new(root.into(), &format!("{}/{text}", current.display()), link)
}
