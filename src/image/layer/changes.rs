//! The changes of a container: its upper directory compared with the layers below.

use std::collections::{BTreeMap, BTreeSet};

use rustix::fs::FileType;

use super::overlay_view::Layer;
use super::walk::{self, Form, Node, Tree, Visit, split};
use crate::image::tar::error::lossy;
use crate::model::Result;
use crate::model::container::marks::{IN_CONTAINER, MOUNTS_LINK};
use crate::model::image::build::{Change, ChangeKind};
use crate::sys::fs;

/// Returns the changes of `upper` to `lowers` (topmost first), sorted by path, as `docker diff`
/// prints them; without `skip` and everything below it.
pub(crate) fn changes(
    upper: &Layer,
    lowers: &[Layer],
    skip: &BTreeSet<Vec<u8>>,
) -> Result<Vec<Change>> {
    let lowers = Tree::new(Form::Merged, lowers.iter().collect());
    let mut found: BTreeMap<Vec<u8>, ChangeKind> = BTreeMap::new();
    let tree = Tree::new(Form::Layer, vec![upper]);
    tree.walk(b"", &mut |node| {
        if skip.contains(&node.path) {
            return Ok(Visit::Skip);
        }
        if node.path.is_empty() {
            return Ok(Visit::Descend);
        }
        let below = lowers.find(&node.path)?;
        let kind = match (&below, fs::is_whiteout(&node.attributes)) {
            (None, true) => return Ok(Visit::Skip),
            (Some(_), true) => Some(ChangeKind::Deleted),
            (None, false) => Some(ChangeKind::Added),
            (Some(below), false) if is_same(node, below) => None,
            _ => Some(ChangeKind::Changed),
        };
        if let Some(kind) = kind {
            add_with_parents(&mut found, &node.path, kind);
        }
        if node.opaque {
            for name in names_below(&lowers, &node.path)? {
                let path = walk::below(&node.path, &name);
                if fs::stat(&*node.holder, &name)?.is_none() {
                    add_with_parents(&mut found, &path, ChangeKind::Deleted);
                }
            }
        }
        Ok(Visit::Descend)
    })?;
    Ok(to_changes(found))
}

/// Converts changes to those of the contract.
pub(crate) fn to_changes(found: BTreeMap<Vec<u8>, ChangeKind>) -> Vec<Change> {
    let change =
        |(path, kind): (Vec<u8>, ChangeKind)| Change { kind, path: format!("/{}", lossy(&path)) };
    found.into_iter().map(change).collect()
}

/// Adds a change and its parents: a directory with a change counts as changed, even if its time is
/// the same.
pub(crate) fn add_with_parents(
    found: &mut BTreeMap<Vec<u8>, ChangeKind>,
    path: &[u8],
    kind: ChangeKind,
) {
    found.insert(path.to_vec(), kind);
    let mut parent = split(path).0;
    // A path that is known has its parents there too.
    while !parent.is_empty() && !found.contains_key(parent) {
        found.insert(parent.to_vec(), ChangeKind::Changed);
        parent = split(parent).0;
    }
}

/// Returns whether a directory was only copied up: mode, owner and time are as below.
fn is_same(node: &Node, below: &Node) -> bool {
    let (one, other) = (&node.attributes, &below.attributes);
    let facts = |a: &fs::Attributes| (a.st_mode, a.st_uid, a.st_gid, a.st_mtime, a.st_mtime_nsec);
    fs::type_of(one) == FileType::Directory && facts(one) == facts(other)
}

/// Returns the names in a directory of the merged layers below.
fn names_below(lowers: &Tree<'_>, path: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    lowers.walk(path, &mut |node| {
        if node.path == path {
            return Ok(Visit::Descend);
        }
        names.push(split(&node.path).1.to_vec());
        Ok(Visit::Skip)
    })?;
    Ok(names)
}

/// Returns the paths in `upper` that a start created and that are not changes of the container:
/// empty files and directories as mount points (`mounts`, absolute paths) that the layers below
/// lack; the marks that init makes; and directories that were only touched for these.
pub(crate) fn mount_points(
    upper: &Layer,
    lowers: &[Layer],
    mounts: &[String],
) -> Result<BTreeSet<Vec<u8>>> {
    let lowers = Tree::new(Form::Merged, lowers.iter().collect());
    let all = std::iter::once(upper).chain(lowers.layers.iter().copied()).collect();
    let all = Tree::new(Form::Merged, all);
    let mut skip: BTreeSet<Vec<u8>> = BTreeSet::new();
    // The deepest first: a directory that contains only mount points is one itself.
    let mut paths: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mounts = mounts.iter().map(|mount| all.resolve(mount.as_bytes()));
    let marks = [IN_CONTAINER.to_bytes(), MOUNTS_LINK.path].map(|path| Ok(path.to_vec()));
    for path in mounts.chain(marks) {
        let path = path?;
        paths.insert(path.clone());
        let mut parent = split(&path).0;
        while !parent.is_empty() {
            paths.insert(parent.to_vec());
            parent = split(parent).0;
        }
    }
    let tree = Tree::new(Form::Layer, vec![upper]);
    for path in paths.iter().rev() {
        let below = lowers.find(path)?;
        let mut only_points = false;
        tree.walk(path, &mut |node| {
            if node.path != *path {
                only_points &= skip.contains(&node.path);
                return Ok(Visit::Skip);
            }
            let attributes = &node.attributes;
            let facts = |a: &fs::Attributes| (a.st_mode, a.st_uid, a.st_gid);
            only_points = match (&below, fs::type_of(attributes)) {
                (None, FileType::Directory) => is_plain_directory(attributes),
                (None, FileType::RegularFile) => attributes.st_size == 0,
                (None, FileType::Symlink) => {
                    *path == MOUNTS_LINK.path
                        && fs::read_link(&*node.holder, &node.last_component)?
                            == MOUNTS_LINK.target.to_bytes()
                }
                (Some(below), FileType::Directory) => {
                    !node.opaque && facts(attributes) == facts(&below.attributes)
                }
                _ => false,
            };
            Ok(if only_points { Visit::Descend } else { Visit::Skip })
        })?;
        if only_points {
            skip.insert(path.clone());
        }
    }
    Ok(skip)
}

/// Returns whether a directory looks like one that was created as a parent of a mount point.
fn is_plain_directory(attributes: &fs::Attributes) -> bool {
    (attributes.st_mode & 0o7777, attributes.st_uid, attributes.st_gid) == (0o755, 0, 0)
}
