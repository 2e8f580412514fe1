//! Writes the changes of a container as a layer, and its whole root as one archive.
//!
//! The container may be running, and hostile: changes to its files meanwhile can damage the content
//! of the archive, never its format. Only those extended attributes are written that unpacking
//! accepts; overlayfs's own never leave the host.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::os::fd::OwnedFd;

use rustix::fs::FileType;

use super::attributes::is_allowed_xattr;
use super::kernel_view;
use super::walk::{Form, Node, Tree, Visit, below, not_found, split};
use crate::image::tar::error::escaped;
use crate::image::tar::members::MemberKind;
use crate::image::tar::pack::{Entry, Packer};
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;
use crate::sys::kernel_files::is_kernel_file;

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE_MARK: &[u8] = b".wh..wh..opq";

/// Writes a tree as a tar, without the paths in `skip` and everything below them.
pub(crate) fn pack(
    tree: &Tree<'_>,
    skip: &BTreeSet<Vec<u8>>,
    out: &mut dyn Write,
    check: &dyn Fn() -> Result<()>,
) -> Result<()> {
    pack_part(tree, Names { start: b"", archive_name: b"" }, skip, out, check)
}

/// The part of a tree to pack, and its name in the archive.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) start: &'a [u8],
    pub(crate) archive_name: &'a [u8],
}

/// Writes a part of a tree as a tar.
pub(crate) fn pack_part(
    tree: &Tree<'_>,
    names: Names<'_>,
    skip: &BTreeSet<Vec<u8>>,
    out: &mut dyn Write,
    check: &dyn Fn() -> Result<()>,
) -> Result<()> {
    let mut capture = DiffTar::new(tree, Packer::new(out, check));
    let whole = tree.find(b"")?.map(|root| root.attributes.st_dev);
    tree.walk(names.start, &mut |node| {
        check()?;
        if skip.contains(&node.path) {
            return Ok(Visit::Skip);
        }
        let rest = node.path.get(names.start.len()..).unwrap_or_default();
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        let path = match (rest.is_empty(), names.archive_name.is_empty()) {
            (true, _) => names.archive_name.to_vec(),
            (false, true) => rest.to_vec(),
            (false, false) => below(names.archive_name, rest),
        };
        let named = Node {
            path,
            holder: node.holder.clone(),
            last_component: node.last_component.clone(),
            attributes: node.attributes,
            opaque: node.opaque,
        };
        capture.add(&named).context(|| format!("cannot read `/{}`", escaped(&node.path)))?;
        // `/proc` of a running container: the kernel would answer with the rights of the engine.
        // And `/dev`, which the engine mounts: Docker copies neither.
        let is_directory = fs::type_of(&node.attributes) == FileType::Directory;
        let is_plain = tree.form == Form::Plain;
        let is_devices = node.path == b"dev" && Some(node.attributes.st_dev) != whole;
        let is_view = is_directory && is_plain && (is_devices || is_kernel_file(&node.holder)?);
        Ok(if is_view { Visit::Skip } else { Visit::Descend })
    })?;
    capture.packer.finish()
}

/// Writes the nodes of a whole root for which `is_changed` holds as a layer, and whiteouts for the
/// paths in `deleted`.
pub(crate) fn pack_changed(
    tree: &Tree<'_>,
    is_changed: &dyn Fn(&Node) -> bool,
    deleted: &[&[u8]],
    out: &mut dyn Write,
    check: &dyn Fn() -> Result<()>,
) -> Result<()> {
    let mut capture = DiffTar { layer: true, ..DiffTar::new(tree, Packer::new(out, check)) };
    tree.walk(b"", &mut |node| {
        check()?;
        if is_changed(node) {
            capture.add(node).context(|| format!("cannot read `/{}`", escaped(&node.path)))?;
        }
        Ok(Visit::Descend)
    })?;
    for path in deleted {
        capture.whiteout(path)?;
    }
    capture.packer.finish()
}

struct DiffTar<'a> {
    tree: &'a Tree<'a>,
    /// Whether the archive is a layer, in which some names have a meaning.
    layer: bool,
    packer: Packer<'a>,
    /// The first name of each file with several names, by device and inode.
    written: HashMap<(u64, u64), Vec<u8>>,
}

impl<'a> DiffTar<'a> {
    fn new(tree: &'a Tree<'a>, packer: Packer<'a>) -> Self {
        DiffTar { tree, layer: tree.form == Form::Layer, packer, written: HashMap::new() }
    }

    fn whiteout(&mut self, path: &[u8]) -> Result<()> {
        let (parent, leaf) = split(path);
        let name = below(parent, &[WHITEOUT, leaf].concat());
        self.packer.append(&Entry::new(&name, MemberKind::File, 0))
    }

    fn add(&mut self, node: &Node) -> Result<()> {
        let layer = self.layer;
        if layer && split(&node.path).1.starts_with(WHITEOUT) {
            let message = format!("cannot store `/{}` in a layer", escaped(&node.path));
            return Err(Error::new(Kind::Unsupported, message).hint(
                "rename it: a name that begins with `.wh.` marks a removed file in a layer",
            ));
        }
        if self.tree.form == Form::Layer && fs::is_whiteout(&node.attributes) {
            return self.whiteout(&node.path);
        }
        match fs::type_of(&node.attributes) {
            FileType::Directory => self.directory(node, layer),
            FileType::RegularFile => self.file(node),
            FileType::Symlink => {
                let Some(link) = not_found(fs::read_link(&*node.holder, &node.last_component))?
                else {
                    return Ok(());
                };
                let mut entry = entry(node, MemberKind::Symlink);
                entry.link = link;
                self.append(node, entry)
            }
            FileType::Fifo => self.append(node, entry(node, MemberKind::Fifo)),
            FileType::CharacterDevice => self.append(node, device(node, MemberKind::CharDevice)),
            FileType::BlockDevice => self.append(node, device(node, MemberKind::BlockDevice)),
            // A socket is useless without its process: Docker omits it as well.
            _ => Ok(()),
        }
    }

    fn directory(&mut self, node: &Node, layer: bool) -> Result<()> {
        let mut entry = entry(node, MemberKind::Directory);
        entry.xattrs = xattrs(&node.holder)?;
        // A root that is not in the archive gets these attributes when it is unpacked.
        let usual = (entry.mode, entry.uid, entry.gid) == (0o755, 0, 0) && entry.xattrs.is_empty();
        if !(layer && node.path.is_empty() && usual) {
            self.packer.append(&entry)?;
        }
        if layer && node.opaque {
            let name = below(&node.path, OPAQUE_MARK);
            self.packer.append(&Entry::new(&name, MemberKind::File, 0))?;
        }
        Ok(())
    }

    fn file(&mut self, node: &Node) -> Result<()> {
        let Some(file) = self.tree.open(node)? else { return Ok(()) };
        if self.tree.form == Form::Plain {
            kernel_view::refuse(&file, &format!("/{}", escaped(&node.path)))?;
        }
        // The attributes of the open file, because its name may refer to another one now.
        let node = Node {
            attributes: fs::stat_fd(&file)?,
            holder: node.holder.clone(),
            last_component: node.last_component.clone(),
            path: node.path.clone(),
            opaque: false,
        };
        if let Some(first) = self.first_name(&node) {
            let mut link = entry(&node, MemberKind::HardLink);
            link.link = first;
            return self.packer.append(&link);
        }
        let mut entry = entry(&node, MemberKind::File);
        entry.size = u64::try_from(node.attributes.st_size).unwrap_or(0);
        entry.xattrs = xattrs(&file)?;
        self.packer.append_file(&entry, std::fs::File::from(file))
    }

    /// Appends a node without content, once for all its names.
    fn append(&mut self, node: &Node, mut entry: Entry) -> Result<()> {
        if let Some(first) = self.first_name(node) {
            (entry.kind, entry.link) = (MemberKind::HardLink, first);
        }
        self.packer.append(&entry)
    }

    /// Returns the name under which a file with several names was written; this name if there is
    /// none.
    fn first_name(&mut self, node: &Node) -> Option<Vec<u8>> {
        if node.attributes.st_nlink < 2 {
            return None;
        }
        let inode = (node.attributes.st_dev, node.attributes.st_ino);
        let first = self.written.get(&inode).cloned();
        if first.is_none() {
            self.written.insert(inode, node.path.clone());
        }
        first
    }
}

/// Returns the entry of a node, without content and attributes.
pub(crate) fn entry(node: &Node, kind: MemberKind) -> Entry {
    Entry {
        uid: node.attributes.st_uid,
        gid: node.attributes.st_gid,
        mtime: node.attributes.st_mtime,
        ..Entry::new(&node.path, kind, node.attributes.st_mode & 0o7777)
    }
}

fn device(node: &Node, kind: MemberKind) -> Entry {
    let number = node.attributes.st_rdev;
    let device = (rustix::fs::major(number), rustix::fs::minor(number));
    Entry { device, ..entry(node, kind) }
}

/// Returns the attributes that images may have, sorted.
pub(crate) fn xattrs(file: &OwnedFd) -> Result<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    let mut keys = fs::list_xattrs(file)?;
    keys.sort();
    for key in keys.into_iter().filter(|key| is_allowed_xattr(key)) {
        if let Some(value) = fs::get_xattr(file, &key)? {
            all.push((key, value));
        }
    }
    Ok(all)
}

#[cfg(test)]
#[path = "tests/diff_tar.rs"]
mod tests;
