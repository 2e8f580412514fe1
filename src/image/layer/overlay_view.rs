//! The merged view of layers, as overlayfs shows them.
//!
//! Each layer is unpacked into its own directory, so an entry whose parent is missing in the layer
//! itself would not see the layers below: the attributes of its directory, or that `lib` is a link
//! to `usr/lib`. Docker unpacks onto the assembled layers and sees them. This module looks them up.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::FileType;

use crate::model::{Error, Kind, Result};
use crate::sys::{fs, userns};

/// The attribute that makes a directory hide the layers below in overlayfs.
pub(crate) const OPAQUE: &str = "trusted.overlay.opaque";
/// The attribute in a user namespace, whose root may not set `trusted.*` (overlayfs.rst,
/// "userxattr").
const OPAQUE_OF_USER: &str = "user.overlay.opaque";

/// Returns the attribute that overlayfs reads when this process mounts it.
pub(crate) fn opaque() -> &'static str {
    if userns::in_user_namespace() { OPAQUE_OF_USER } else { OPAQUE }
}

/// How many layers of an image are kept open on each thread: the number of open files is limited.
const HELD: usize = 100;

/// The directory of an unpacked layer.
#[derive(Debug)]
pub(crate) enum Layer {
    /// Kept open, so that its files stay after a removal.
    Open(OwnedFd),
    /// Opened when it is used.
    At(PathBuf),
}

/// Opens the layers at these paths.
pub(crate) fn layers(paths: impl IntoIterator<Item = PathBuf>) -> Result<Vec<Layer>> {
    let layer = |(number, path): (usize, PathBuf)| {
        Ok(if number < HELD { Layer::Open(fs::open_dir(&path)?) } else { Layer::At(path) })
    };
    paths.into_iter().enumerate().map(layer).collect()
}

impl Layer {
    /// Returns its directory.
    pub(crate) fn root(&self) -> Result<OwnedFd> {
        match self {
            Layer::Open(directory) => fs::open_dir_beneath(directory, b"."),
            Layer::At(path) => fs::open_dir(path).map_err(|error| match error.errno() {
                Some(libc::ENOENT) => {
                    Error::new(Kind::Refused, "a layer below was removed meanwhile")
                        .hint("load or pull the image again while no `rmi` runs")
                }
                _ => error,
            }),
        }
    }
}

/// The entry of a path in the topmost layer that has one.
#[derive(Debug)]
pub(crate) enum Found {
    Absent,
    Directory,
    /// Anything else, and its directory.
    Other(OwnedFd),
}

/// Looks `path` up in the layer `top` and in those `below` it, topmost first. No component is
/// followed: the caller resolves links, one component after the other, so every prefix of `path` is
/// a directory.
pub(crate) fn lookup(top: &OwnedFd, below: &[Layer], path: &[Vec<u8>]) -> Result<Found> {
    let Some((leaf, parents)) = path.split_last() else {
        return Ok(Found::Absent);
    };
    let roots = std::iter::once_with(|| fs::open_dir_beneath(top, b"."));
    for root in roots.chain(below.iter().map(Layer::root)) {
        let (parent, opaque) = match descend(root?, parents)? {
            Descent::Reached { directory, opaque } => (directory, opaque),
            Descent::Missing { opaque: false } => continue,
            Descent::Missing { opaque: true } | Descent::Blocked => return Ok(Found::Absent),
        };
        let Some(attributes) = fs::stat(&parent, leaf)? else {
            if opaque {
                return Ok(Found::Absent);
            }
            continue;
        };
        if fs::is_whiteout(&attributes) {
            return Ok(Found::Absent);
        }
        return Ok(match fs::type_of(&attributes) {
            FileType::Directory => Found::Directory,
            _ => Found::Other(parent),
        });
    }
    Ok(Found::Absent)
}

enum Descent {
    /// The directory, and whether it or a parent hides the layers below.
    Reached { directory: OwnedFd, opaque: bool },
    /// This layer does not have it.
    Missing { opaque: bool },
    /// An entry that is not a directory hides the layers below.
    Blocked,
}

fn descend(root: OwnedFd, parents: &[Vec<u8>]) -> Result<Descent> {
    let mut opaque = false;
    let mut directory = root;
    for parent in parents {
        match fs::stat(&directory, parent)? {
            None => return Ok(Descent::Missing { opaque }),
            Some(attributes) if fs::type_of(&attributes) != FileType::Directory => {
                return Ok(Descent::Blocked);
            }
            Some(_) => {}
        }
        directory = fs::open_dir_beneath(&directory, parent)?;
        opaque |= is_opaque(&directory)?;
    }
    Ok(Descent::Reached { directory, opaque })
}

/// Returns whether a directory hides the layers below.
pub(crate) fn is_opaque(directory: impl AsFd) -> Result<bool> {
    Ok(fs::get_xattr(directory, opaque())?.is_some_and(|value| value == b"y"))
}
