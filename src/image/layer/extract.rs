//! Unpacks one layer into a directory that overlayfs can take as a `lowerdir`.
//!
//! The archive is hostile. Every call is relative to a descriptor below the layer's directory, with
//! `openat2(2)` refusing links, `..` and mount points; `tar::unpack` is never used. The promise:
//! nothing outside the directory is created, changed or followed, and the result is that of Docker.
//! The layer's directory is new and 0700, so no other user can enter it.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::fs::FileType;

use super::attributes::is_allowed_xattr;
use super::implied_parents::Parents;
use super::lowers::{Deferred, Lowers};
use super::overlay_view::opaque;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::limits::DiskBudget;
use crate::image::bytes::spool;
use crate::image::tar::error::{corrupt, escaped};
use crate::image::tar::members::{Member, MemberKind, Members, TarSource};
use crate::image::tar::names::{self, LastComponent};
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys::tree::{freed_bytes, remove_tree};
use crate::sys::{fs, userns};

/// The result of unpacking a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extracted {
    /// The size of the files in bytes; hard links count once, as in Docker.
    pub(crate) size: u64,
    /// Whether the result depends on this layer alone. If not, the layers below decided where an
    /// entry went or which parent it has, and the result is right only above those.
    pub(crate) stands_alone: bool,
    /// Whether the unpacked files hold all content of the tar. If not, an entry has replaced
    /// another one of the same layer.
    pub(crate) complete: bool,
    /// Whether the layer has an entry for `/`. If not, `/` is that of the layers below.
    pub(crate) has_root_entry: bool,
}

/// Unpacks the tar stream `layer` into `root`. Calls `check` before each
/// entry.
pub(crate) fn extract(
    layer: &mut impl TarSource,
    root: &OwnedFd,
    lowers: Lowers<'_>,
    check: CancelCheck<'_>,
) -> Result<Extracted> {
    let mut members = Members::new(layer);
    let mut extraction = Extraction {
        root,
        parents: Parents::new(root, lowers, check),
        size: 0,
        root_is_opaque: false,
        replaced: false,
        has_root_entry: false,
        check,
    };
    extraction.parents.defer(Vec::new(), Deferred { mode: 0o755, mtime: (0, 0) })?;
    let mut room = DiskBudget::default();
    while let Some(member) = members.next()? {
        check()?;
        room.take(member.size, root)?;
        extraction
            .apply(&member, &mut members)
            .context(|| format!("cannot unpack `{}`", escaped(&member.name)))?;
    }
    extraction.finish()
}

struct Extraction<'a> {
    root: &'a OwnedFd,
    parents: Parents<'a>,
    size: u64,
    root_is_opaque: bool,
    replaced: bool,
    has_root_entry: bool,
    check: CancelCheck<'a>,
}

/// The target of an entry: its opened directory, that directory's path, and the name.
struct EntryTarget<'a> {
    parent: Rc<OwnedFd>,
    path: Vec<u8>,
    last_component: &'a [u8],
    /// Whether a removed entry hid the layers below, so that a directory in its place must hide
    /// them too.
    hides: bool,
}

impl Extraction<'_> {
    fn apply<R: TarSource>(&mut self, member: &Member, body: &mut Members<R>) -> Result<()> {
        let parts = names::components(&member.name)?;
        if names::is_bookkeeping(&parts) {
            return Ok(());
        }
        if parts.is_empty() {
            return self.root_directory(member);
        }
        let (leaf, parents) = names::split(&parts)?;
        let (parent, resolved) = self.parents.open(parents)?;
        match leaf {
            LastComponent::Opaque => {
                self.root_is_opaque |= resolved.is_empty();
                fs::set_xattr(&*parent, opaque(), b"y")
            }
            LastComponent::Whiteout(hidden) => whiteout(&parent, hidden),
            LastComponent::Plain(leaf) => {
                let path = if resolved.is_empty() {
                    leaf.to_vec()
                } else {
                    names::join(&[&resolved[..], leaf])
                };
                let place = EntryTarget { parent, path, last_component: leaf, hides: false };
                self.place(member, body, place)
            }
        }
    }

    fn root_directory(&mut self, member: &Member) -> Result<()> {
        if member.kind != MemberKind::Directory {
            return Err(corrupt("only a directory can be the root"));
        }
        let (uid, gid) = owner(member)?;
        fs::set_owner(self.root, uid, gid)?;
        set_xattrs(self.root, member)?;
        self.has_root_entry = true;
        self.defer(Vec::new(), member)
    }

    fn defer(&mut self, path: Vec<u8>, member: &Member) -> Result<()> {
        self.parents.defer(path, Deferred { mode: member.mode, mtime: member.mtime })
    }

    fn place<R: TarSource>(
        &mut self,
        member: &Member,
        body: &mut Members<R>,
        mut place: EntryTarget<'_>,
    ) -> Result<()> {
        if member.kind == MemberKind::HardLink {
            return self.hard_link(member, &mut place);
        }
        let exists = self.clear_target(&mut place, member.kind == MemberKind::Directory)?;
        match member.kind {
            MemberKind::Directory => self.directory(member, place, exists),
            MemberKind::File => self.file(member, body, &place),
            MemberKind::Symlink => self.symlink(member, &place),
            MemberKind::Fifo => node(member, &place, FileType::Fifo),
            MemberKind::BlockDevice => node(member, &place, FileType::BlockDevice),
            // A device 0:0 would be a whiteout that no rule has checked.
            MemberKind::CharDevice if member.device == (0, 0) => {
                Err(corrupt("a character device 0:0 is a whiteout of overlayfs"))
            }
            MemberKind::CharDevice => node(member, &place, FileType::CharacterDevice),
            MemberKind::HardLink => Ok(()),
        }
    }

    /// Removes the entry at `place`, unless it is a directory and the new entry is one too. Returns
    /// true if that directory stays.
    fn clear_target(&mut self, place: &mut EntryTarget<'_>, for_directory: bool) -> Result<bool> {
        let Some(present) = fs::stat(&*place.parent, place.last_component)? else {
            return Ok(false);
        };
        if fs::type_of(&present) == FileType::Directory && for_directory {
            return Ok(true);
        }
        self.replaced = true;
        if fs::type_of(&present) == FileType::Directory {
            self.parents.forget(&place.path);
            let freed = remove_tree(&*place.parent, place.last_component)?;
            self.size = self.size.saturating_sub(freed);
        } else {
            self.size = self.size.saturating_sub(freed_bytes(&present));
            fs::unlink(&*place.parent, place.last_component)?;
            place.hides = true;
        }
        Ok(false)
    }

    fn directory(&mut self, member: &Member, place: EntryTarget<'_>, exists: bool) -> Result<()> {
        if !exists {
            fs::make_dir(&*place.parent, place.last_component)?;
        }
        let directory = fs::open_dir_beneath(&*place.parent, place.last_component)?;
        if place.hides {
            fs::set_xattr(&directory, opaque(), b"y")?;
        }
        let (uid, gid) = owner(member)?;
        fs::set_owner(&directory, uid, gid)?;
        set_xattrs(&directory, member)?;
        self.defer(place.path, member)
    }

    fn file<R: TarSource>(
        &mut self,
        member: &Member,
        body: &mut Members<R>,
        place: &EntryTarget<'_>,
    ) -> Result<()> {
        let file = fs::create_file(&*place.parent, place.last_component)?;
        let (uid, gid) = owner(member)?;
        let length = match &member.sparse {
            None => {
                body.claim(&place.path)?;
                spool::copy(body, &file, member.size, self.check)?
            }
            Some(sparse) => spool::copy_sparse(body, &file, sparse, self.check)?,
        };
        // The order matters: chown(2) clears set-id bits and file capabilities.
        fs::set_owner(&file, uid, gid)?;
        fs::set_mode(&file, member.mode)?;
        set_xattrs(&file, member)?;
        fs::set_times(&file, member.mtime.0, member.mtime.1)?;
        self.size = self.size.saturating_add(length);
        Ok(())
    }

    fn symlink(&mut self, member: &Member, place: &EntryTarget<'_>) -> Result<()> {
        let target = &member.link;
        if target.is_empty() || target.contains(&0) || target.len() > 4095 {
            return Err(corrupt("the target of the link is empty, too long or contains a NUL"));
        }
        fs::make_symlink(&*place.parent, place.last_component, target)?;
        let (uid, gid) = owner(member)?;
        fs::set_owner_at(&*place.parent, place.last_component, uid, gid)?;
        fs::set_times_at(&*place.parent, place.last_component, member.mtime.0, member.mtime.1)?;
        self.size += target.len() as u64;
        Ok(())
    }

    /// Creates a hard link. It may only lead to an entry of this layer, or to a file of a layer
    /// below, which is copied up first: overlayfs did that when the link was created.
    fn hard_link(&mut self, member: &Member, place: &mut EntryTarget<'_>) -> Result<()> {
        let parts = names::components(&member.link)?;
        let target = escaped(&member.link);
        let (LastComponent::Plain(leaf), parents) = names::split(&parts)? else {
            return Err(corrupt(format!("it is a hard link to the whiteout `{target}`")));
        };
        let (parent, resolved) = self.parents.open(parents)?;
        let mut path: Vec<Vec<u8>> = split_path(&resolved);
        path.push(leaf.to_vec());
        let present = fs::stat(&*parent, leaf)?;
        if names::join(&path) == place.path && present.is_some() {
            return Ok(());
        }
        match present {
            Some(present) if fs::type_of(&present) == FileType::Directory => {
                return Err(corrupt(format!("it is a hard link to the directory `{target}`")));
            }
            Some(present) if !fs::is_whiteout(&present) => {}
            _ => {
                let copied = self.parents.copy_up(&path, &parent, self.check)?;
                let copied = copied.ok_or_else(|| {
                    corrupt(format!("it is a hard link to `{target}`, which does not exist"))
                })?;
                self.size = self.size.saturating_add(copied);
            }
        }
        self.clear_target(place, false)?;
        fs::make_link(&*parent, leaf, &*place.parent, place.last_component)
    }

    /// Sets the deferred modes and times, the deepest directory first. Each is opened again without
    /// following links: an entry may have replaced the directory (CVE-2026-33056).
    fn finish(mut self) -> Result<Extracted> {
        // overlayfs merges the roots of all layers, opaque or not, so each name is hidden
        // individually.
        if self.root_is_opaque {
            for name in self.parents.names_below()? {
                whiteout(self.root, &name)?;
            }
        }
        for (path, deferred) in self.parents.take_deferred().iter().rev() {
            let directory = match fs::open_dir_beneath(self.root, path) {
                // An entry has replaced it.
                Err(error) if fs::is_replaced(&error) => continue,
                directory => directory.context(|| format!("cannot unpack `{}`", escaped(path)))?,
            };
            fs::set_mode(&directory, deferred.mode)?;
            fs::set_times(&directory, deferred.mtime.0, deferred.mtime.1)?;
        }
        Ok(Extracted {
            size: self.size,
            stands_alone: !self.parents.lower_seen(),
            complete: !self.replaced,
            has_root_entry: self.has_root_entry,
        })
    }
}

fn split_path(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Hides `hidden` of the layers below. An entry of this layer of that name stays, as in Docker.
fn whiteout(parent: &OwnedFd, hidden: &[u8]) -> Result<()> {
    match fs::stat(parent, hidden)? {
        None => fs::make_node(parent, hidden, FileType::CharacterDevice, 0, 0),
        Some(present) if fs::type_of(&present) == FileType::Directory => {
            fs::set_xattr(fs::open_dir_beneath(parent, hidden)?, opaque(), b"y")
        }
        Some(_) => Ok(()),
    }
}

/// Creates a device node or a fifo. Devices are harmless on disk: containers mount their root file
/// system `nodev`.
fn node(member: &Member, place: &EntryTarget<'_>, kind: FileType) -> Result<()> {
    if kind != FileType::Fifo && userns::in_user_namespace() {
        // Only the host's root may create devices. No container can use one of an image anyway.
        return Ok(());
    }
    let (major, minor) = if kind == FileType::Fifo { (0, 0) } else { member.device };
    fs::make_node(&*place.parent, place.last_component, kind, major, minor)?;
    let (uid, gid) = owner(member)?;
    fs::set_owner_at(&*place.parent, place.last_component, uid, gid)?;
    fs::set_mode_at(&*place.parent, place.last_component, member.mode)?;
    fs::set_times_at(&*place.parent, place.last_component, member.mtime.0, member.mtime.1)
}

/// Returns the owner. Refuses the highest number, for which chown(2) would leave root in place.
fn owner(member: &Member) -> Result<(u32, u32)> {
    let id = |id: u64| u32::try_from(id).ok().filter(|id| *id != u32::MAX);
    match (id(member.uid), id(member.gid)) {
        (Some(uid), Some(gid)) => present(uid, gid),
        _ => Err(corrupt(format!("its owner {}:{} is out of range", member.uid, member.gid))),
    }
}

/// Returns the owner, if the user namespace maps it.
fn present(uid: u32, gid: u32) -> Result<(u32, u32)> {
    let identity = userns::identity();
    if !identity.in_user_namespace() || (identity.has_user(uid) && identity.has_group(gid)) {
        return Ok((uid, gid));
    }
    let message = format!("its owner {uid}:{gid} is not one of this user's subordinate ids");
    Err(Error::new(Kind::Denied, message)
        .hint("see the available ids, and the command for more: lifebox info"))
}

/// Sets the extended attributes that images may have. `trusted.overlay.*` would be instructions to
/// the kernel; `system.*` and the rest of `security.*` belong to the host.
fn set_xattrs(file: &OwnedFd, member: &Member) -> Result<()> {
    for (key, value) in member.xattrs.iter().filter(|(key, _)| is_allowed_xattr(key)) {
        match fs::set_xattr(file, key, value) {
            // Docker ignores a file system without extended attributes.
            Err(error) if error.errno() == Some(libc::EOPNOTSUPP) => {}
            result => result?,
        }
    }
    Ok(())
}

/// Adds a hint to errors of the kernel while unpacking.
pub(crate) fn explain(error: Error, images: &std::path::Path) -> Error {
    match error.errno() {
        Some(libc::EOPNOTSUPP) if userns::in_user_namespace() => error.hint(format!(
            "choose another file system with --root: that of `{}` has no extended attributes of \
             users (tmpfs has them from Linux 6.6 on)",
            images.display()
        )),
        Some(libc::ENOSPC | libc::EDQUOT) => error.hint(format!(
            "free space on the file system of `{}`, or choose another with --root",
            images.display()
        )),
        _ => error,
    }
}

#[cfg(test)]
#[path = "tests/extract.rs"]
mod tests;
