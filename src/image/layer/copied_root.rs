//! A container's root as a copy of its layers (storage driver `vfs`): creates it, and lists what
//! has changed in it since.
//!
//! There is no directory of changes, so the whole copy is compared with the layers. Mode, owner,
//! size and time reveal most changes, as in Docker's own comparison. A file whose content was
//! changed and whose time was set back is recognised by its ctime, which no process can set
//! (inode(7)), and then compared in full.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::os::fd::OwnedFd;

use rustix::fs::FileType;

use super::attributes::take_attributes;
use super::changes::add_with_parents;
use super::diff_tar::xattrs;
use super::implied_parents::copy_entry;
use super::walk::{Node, Tree, Visit, split};
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::limits::DiskBudget;
use crate::image::tar::error::lossy;
use crate::model::Result;
use crate::model::error::Context;
use crate::model::image::build::ChangeKind;
use crate::sys::fs;

/// Copies the merged `layers` into the empty directory `target`, except the attributes of `/`
/// itself, which the caller sets.
pub(crate) fn copy(layers: &Tree<'_>, target: &OwnedFd, check: CancelCheck<'_>) -> Result<()> {
    let mut directories = Vec::new();
    let mut links: HashMap<(u64, u64), Vec<u8>> = HashMap::new();
    let mut room = DiskBudget::default();
    layers.walk(b"", &mut |node| {
        check()?;
        let (parent, leaf) = split(&node.path);
        if leaf.is_empty() || fs::type_of(&node.attributes) == FileType::Socket {
            return Ok(Visit::Descend);
        }
        let mut copy_node = || {
            let parent = fs::open_dir_beneath(target, parent)?;
            if fs::type_of(&node.attributes) == FileType::Directory {
                directories.push(node.path.clone());
                return fs::make_dir(&parent, leaf);
            }
            let inode = inode(&node.attributes);
            if let Some(first) = links.get(&inode) {
                let (holder, first) = split(first);
                return fs::make_link(fs::open_dir_beneath(target, holder)?, first, parent, leaf);
            }
            if node.attributes.st_nlink > 1 {
                links.insert(inode, node.path.clone());
            }
            let bytes = copy_entry(&node.holder, &parent, leaf, &node.attributes, check)?;
            room.take(bytes, target)
        };
        copy_node().context(|| format!("cannot copy `/{}`", lossy(&node.path)))?;
        Ok(Visit::Descend)
    })?;
    // A new entry changes its directory's time.
    for path in directories.iter().rev() {
        if let Some(node) = layers.find(path)? {
            take_attributes(&node.holder, &fs::open_dir_beneath(target, path)?)?;
        }
    }
    Ok(())
}

/// The changes in a copy.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    /// By path.
    pub(crate) found: BTreeMap<Vec<u8>, ChangeKind>,
    /// The files with several names, of which one is new or changed, by device and inode.
    linked: HashSet<(u64, u64)>,
    /// The total length of the new and changed files.
    pub(crate) bytes: u64,
}

impl Delta {
    /// Returns whether a layer of the changes contains the node. All names of a file go together.
    pub(crate) fn holds(&self, node: &Node) -> bool {
        let is_directory = fs::type_of(&node.attributes) == FileType::Directory;
        self.found.contains_key(&node.path)
            || (!is_directory && self.linked.contains(&inode(&node.attributes)))
    }

    /// Returns the deleted paths.
    pub(crate) fn deleted(&self) -> Vec<&[u8]> {
        let all = self.found.iter().filter(|(_, kind)| **kind == ChangeKind::Deleted);
        all.map(|(path, _)| path.as_slice()).collect()
    }

    fn add(&mut self, node: &Node, kind: ChangeKind) {
        add_with_parents(&mut self.found, &node.path, kind);
        let attributes = &node.attributes;
        if fs::type_of(attributes) == FileType::Directory {
            return;
        }
        let new = attributes.st_nlink < 2 || self.linked.insert(inode(attributes));
        if new {
            self.bytes += u64::try_from(attributes.st_size).unwrap_or(0);
        }
    }
}

fn inode(attributes: &fs::Attributes) -> (u64, u64) {
    (attributes.st_dev, attributes.st_ino)
}

/// Returns the changes in `root`, a copy of `layers` that was complete at `since` (seconds and
/// nanoseconds); without `skip` and everything below it.
pub(crate) fn changes(
    root: &Tree<'_>,
    layers: &Tree<'_>,
    skip: &BTreeSet<Vec<u8>>,
    since: (i64, i64),
) -> Result<Delta> {
    let mut before = BTreeMap::new();
    layers.walk(b"", &mut |node| {
        if fs::type_of(&node.attributes) != FileType::Socket {
            before.insert(node.path.clone(), node.attributes);
        }
        Ok(Visit::Descend)
    })?;
    let mut delta = Delta::default();
    // Changes below these are not listed.
    let mut covered: HashSet<Vec<u8>> = HashSet::new();
    root.walk(b"", &mut |node| {
        let below = before.remove(&node.path);
        if skip.contains(&node.path) {
            return Ok(Visit::Skip);
        }
        if node.path.is_empty() {
            return Ok(Visit::Descend);
        }
        let is_directory = |attributes| fs::type_of(attributes) == FileType::Directory;
        match &below {
            None => delta.add(node, ChangeKind::Added),
            Some(below) => {
                if is_directory(below) && !is_directory(&node.attributes) {
                    covered.insert(node.path.clone());
                }
                if !is_same(root, node, layers, below, since)? {
                    delta.add(node, ChangeKind::Changed);
                }
            }
        }
        Ok(Visit::Descend)
    })?;
    for path in before.into_keys() {
        if !ancestors(&path).any(|parent| covered.contains(parent)) {
            add_with_parents(&mut delta.found, &path, ChangeKind::Deleted);
            covered.insert(path);
        }
    }
    forget_touched(&mut delta.found, root, layers, skip)?;
    Ok(delta)
}

/// Returns the directories above `path`, nearest first, without the root.
fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let parts = std::iter::successors(Some(split(path).0), |path| Some(split(path).0));
    parts.take_while(|parent| !parent.is_empty())
}

/// Removes directories that were only touched when a mount point (`skip`) was created in them.
fn forget_touched(
    found: &mut BTreeMap<Vec<u8>, ChangeKind>,
    root: &Tree<'_>,
    layers: &Tree<'_>,
    skip: &BTreeSet<Vec<u8>>,
) -> Result<()> {
    let parents: BTreeSet<&[u8]> = skip.iter().flat_map(|path| ancestors(path)).collect();
    for path in parents.into_iter().rev() {
        let first = [path, b"/"].concat();
        let has_more =
            found.range(first.clone()..).next().is_some_and(|(p, _)| p.starts_with(&first));
        let (Some(now), Some(before)) = (root.find(path)?, layers.find(path)?) else { continue };
        let facts = |a: &fs::Attributes| (a.st_mode, a.st_uid, a.st_gid);
        if !has_more && facts(&now.attributes) == facts(&before.attributes) {
            found.remove(path);
        }
    }
    Ok(())
}

/// Returns whether a node is unchanged since it was copied.
fn is_same(
    root: &Tree<'_>,
    node: &Node,
    layers: &Tree<'_>,
    below: &fs::Attributes,
    since: (i64, i64),
) -> Result<bool> {
    let facts = |a: &fs::Attributes| {
        let size = if fs::type_of(a) == FileType::Directory { 0 } else { a.st_size };
        (a.st_mode, a.st_uid, a.st_gid, a.st_rdev, size, a.st_mtime, a.st_mtime_nsec)
    };
    let now = &node.attributes;
    if facts(now) != facts(below) {
        return Ok(false);
    }
    if (now.st_ctime, i64::try_from(now.st_ctime_nsec).unwrap_or(0)) < since {
        return Ok(true);
    }
    let Some(before) = layers.find(&node.path)? else { return Ok(false) };
    match fs::type_of(now) {
        FileType::Directory => Ok(xattrs(&node.holder)? == xattrs(&before.holder)?),
        FileType::Symlink => {
            let target = |node: &Node| fs::read_link(&*node.holder, &node.last_component);
            Ok(target(node)? == target(&before)?)
        }
        FileType::RegularFile => match (root.open(node)?, layers.open(&before)?) {
            (Some(now), Some(before)) => {
                Ok(xattrs(&now)? == xattrs(&before)? && have_same_content(now, before)?)
            }
            _ => Ok(false),
        },
        _ => Ok(true),
    }
}

fn have_same_content(one: OwnedFd, other: OwnedFd) -> Result<bool> {
    let (one, other) = (std::fs::File::from(one), std::fs::File::from(other));
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let portion = |file: &std::fs::File, bytes: &mut Vec<u8>| {
        bytes.clear();
        file.take(128 * 1024).read_to_end(bytes).context(|| "read to compare".to_owned())
    };
    loop {
        portion(&one, &mut a)?;
        portion(&other, &mut b)?;
        if a != b || a.is_empty() {
            return Ok(a == b);
        }
    }
}
