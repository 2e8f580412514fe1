//! `cp`: files into containers and out of them.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use super::backend::Native;
use crate::engine::backend::CancelToken;
use crate::image::transfer::{self, Owner, TreePath};
use crate::model::container::Container;
use crate::model::container::mounts::Mount;
use crate::model::error::Context;
use crate::model::observe::event::Action;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// The most that scripts read of a file at once, in bytes.
const MOST: u64 = 8 << 20;

/// How files are copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Keep owners.
    pub archive: bool,
    /// Copy what a link at the source leads to, and not the link.
    pub follow: bool,
}

/// What is copied where. A `path` is one inside the container.
pub enum Transfer<'a> {
    /// From this machine, by the rules of `docker cp`.
    In {
        /// A file or directory.
        from: &'a Path,
        /// Where to.
        path: &'a str,
    },
    /// To this machine, by the same rules.
    Out {
        /// A file or directory.
        path: &'a str,
        /// Where to.
        to: &'a Path,
    },
    /// As a tar.
    Pack {
        /// A file or directory.
        path: &'a str,
        /// Gets the tar.
        out: &'a mut dyn Write,
    },
    /// From a tar.
    Unpack {
        /// The tar.
        tar: &'a mut (dyn Read + Send),
        /// A directory.
        path: &'a str,
    },
    /// The content of a file, up to 8 MiB.
    Read {
        /// The file.
        path: &'a str,
        /// Gets it.
        content: &'a mut Vec<u8>,
    },
    /// A new content of a file.
    Write {
        /// The file.
        path: &'a str,
        /// Its content.
        content: &'a [u8],
    },
}

impl Transfer<'_> {
    /// The path inside.
    fn path(&self) -> &str {
        match self {
            Transfer::In { path, .. }
            | Transfer::Out { path, .. }
            | Transfer::Pack { path, .. }
            | Transfer::Unpack { path, .. }
            | Transfer::Read { path, .. }
            | Transfer::Write { path, .. } => path,
        }
    }
}

impl std::fmt::Debug for Transfer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transfer").finish_non_exhaustive()
    }
}

impl Native {
    pub(crate) fn transfer(
        &self,
        id: &ContainerId,
        what: Transfer<'_>,
        options: CopyOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        if let Transfer::Out { to, .. } = &what {
            check_target(to)?;
        }
        // Kept until all is copied: nobody starts a container that rests meanwhile.
        let root = self.runtime.root(id)?;
        let container = self.runtime.inspect(id)?;
        check_mounts(&container, &what)?;
        let action = match what {
            Transfer::In { .. } | Transfer::Unpack { .. } | Transfer::Write { .. } => {
                Action::ExtractToDir
            }
            Transfer::Out { .. } | Transfer::Pack { .. } | Transfer::Read { .. } => {
                Action::ArchivePath
            }
        };
        let of_many = matches!(what, Transfer::Out { .. } | Transfer::Pack { .. });
        let done = copy(&root.directory, what, options, cancel);
        // One that goes when it ends may have gone.
        match done {
            Ok(()) if !of_many => {}
            done => self.unless_removed(id, container.state.name.as_str(), done)?,
        }
        self.runtime.event(id, action, &[]);
        Ok(())
    }
}

/// Copies from or to a container whose root is `root`.
fn copy(
    root: &OwnedFd,
    what: Transfer<'_>,
    options: CopyOptions,
    cancel: &CancelToken,
) -> Result<()> {
    let inside = |path: &str, follow: bool| {
        let directory = root.try_clone().context(|| "dup".to_owned())?;
        TreePath::new(directory, path, follow)
    };
    let owner = |uid: u32, gid: u32| match options.archive {
        true => Owner::Same,
        false => Owner::Is(uid, gid),
    };
    let check = || cancel.check();
    match what {
        Transfer::In { from, path } => {
            let from = host_path(from, options.follow)?;
            transfer::copy(&from, &inside(path, true)?, owner(0, 0), &check)
        }
        Transfer::Out { path, to } => {
            let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
            let owner = owner(uid.as_raw(), gid.as_raw());
            transfer::copy(&inside(path, options.follow)?, &host_path(to, true)?, owner, &check)
        }
        Transfer::Pack { path, out } => inside(path, options.follow)?.pack(out, &check),
        Transfer::Unpack { tar, path } => inside(path, true)?.unpack(tar, Owner::Same, &check),
        Transfer::Read { path, content } => {
            *content = inside(path, true)?.read(MOST)?;
            Ok(())
        }
        Transfer::Write { path, content } => inside(path, true)?.write(content, &check),
    }
}

/// Refuses what would miss a mount: those of a container that rests are not there, and what was
/// copied below would be hidden once it runs.
fn check_mounts(container: &Container, what: &Transfer<'_>) -> Result<()> {
    if container.state.status.is_live() {
        return Ok(());
    }
    let path = lexical(what.path());
    let hidden = |mount: &&Mount| path.starts_with(&mount.target);
    let Some(mount) = container.spec.host.mounts.list.iter().find(hidden) else { return Ok(()) };
    let name = container.state.name.as_str();
    let message = format!("`{}` of `{name}` is a mount, and `{name}` does not run", mount.target);
    Err(Error::new(Kind::Unsupported, message)
        .hint("start the container first")
        .container(name, Some(container.state.status.as_str())))
}

/// Refuses to put a file in the place of a device of this machine, or of what programs talk over.
fn check_target(to: &Path) -> Result<()> {
    match std::fs::metadata(to) {
        Ok(there) if !there.is_file() && !there.is_dir() => {
            let message =
                format!("destination `{}` must be a directory or a regular file", to.display());
            Err(Error::new(Kind::Refused, message).hint("with `-` as destination, pipe the tar"))
        }
        _ => Ok(()),
    }
}

/// An absolute path without `.` and `..`, as it reads.
pub(crate) fn lexical(path: &str) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    clean
}

/// A place on this machine.
fn host_path(path: &Path, follow: bool) -> Result<TreePath> {
    let root = std::fs::File::open("/").context(|| "open `/`".to_owned())?;
    let shown = path
        .to_str()
        .ok_or_else(|| Error::new(Kind::Invalid, format!("`{}` is not UTF-8", path.display())))?;
    if path.is_absolute() {
        return TreePath::new(root.into(), shown, follow);
    }
    let current = std::env::current_dir().context(|| "getcwd".to_owned())?;
    TreePath::new(root.into(), &format!("{}/{shown}", current.display()), follow)
}
