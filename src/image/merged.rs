//! Layers seen through one another, as overlayfs will show them.
//!
//! Each layer is unpacked into a directory of its own, so an entry whose parent the layer itself
//! does not bring would not see what lies below: whose directory it is in, or that `lib` is a
//! link to `usr/lib`. Docker unpacks onto the assembled layers and sees it. This looks it up.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::FileType;

use super::names::join;
use crate::model::Result;
use crate::sys::fs;

/// The attribute by which overlayfs knows a directory that hides what lies below.
pub(crate) const OPAQUE: &str = "trusted.overlay.opaque";

/// What a path is in the topmost layer that has it. `layer` counts from the top.
#[derive(Debug)]
pub(crate) enum Found {
    Absent,
    Directory {
        layer: usize,
        directory: OwnedFd,
    },
    Symlink {
        layer: usize,
        target: Vec<u8>,
    },
    /// Anything else, and the directory that holds it.
    Other {
        layer: usize,
        parent: OwnedFd,
    },
}

/// Looks `path` up in `layers`, topmost first. No component is followed: the caller resolves
/// links, one component after the other, so every prefix of `path` is a directory here.
pub(crate) fn lookup(layers: &[&OwnedFd], path: &[Vec<u8>]) -> Result<Found> {
    let Some((leaf, parents)) = path.split_last() else {
        return Ok(Found::Absent);
    };
    for (layer, root) in layers.iter().enumerate() {
        let (parent, opaque) = match descend(root, parents)? {
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
            FileType::Directory => {
                Found::Directory { layer, directory: fs::open_dir_beneath(&parent, leaf)? }
            }
            FileType::Symlink => Found::Symlink { layer, target: fs::read_link(&parent, leaf)? },
            _ => Found::Other { layer, parent },
        });
    }
    Ok(Found::Absent)
}

enum Descent {
    /// The directory, and whether it or one above it hides the layers below.
    Reached { directory: OwnedFd, opaque: bool },
    /// This layer does not have it.
    Missing { opaque: bool },
    /// Something that is no directory hides the layers below.
    Blocked,
}

fn descend(root: &OwnedFd, parents: &[Vec<u8>]) -> Result<Descent> {
    let mut opaque = false;
    let mut directory = fs::open_dir_beneath(root, b".")?;
    for depth in 1..=parents.len() {
        match fs::stat(&directory, &parents[depth - 1])? {
            None => return Ok(Descent::Missing { opaque }),
            Some(attributes) if fs::type_of(&attributes) != FileType::Directory => {
                return Ok(Descent::Blocked);
            }
            Some(_) => {}
        }
        directory = fs::open_dir_beneath(root, &join(&parents[..depth]))?;
        opaque |= is_opaque(&directory)?;
    }
    Ok(Descent::Reached { directory, opaque })
}

pub(crate) fn is_opaque(directory: impl AsFd) -> Result<bool> {
    Ok(fs::get_xattr(directory, OPAQUE)?.is_some_and(|value| value == b"y"))
}
