//! Unpacks a tar into a tree that other processes may be changing.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::fs::FileType;

use super::owner::Owner;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::spool;
use crate::image::layer::kernel_view;
use crate::image::tar::error::{corrupt, escaped};
use crate::image::tar::member::{Member, MemberKind};
use crate::image::tar::members::{Members, TarSource};
use crate::image::tar::names;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// An archive that is being unpacked into a directory.
pub(super) struct Unpacking<'a> {
    directory: OwnedFd,
    owner: Owner,
    check: CancelCheck<'a>,
    /// Modes and times of directories, which are set after their content is written.
    modes: HashMap<Vec<u8>, (u32, (i64, u32))>,
    /// The directory of the last entry.
    last: Option<(Vec<u8>, Rc<OwnedFd>)>,
}

impl<'a> Unpacking<'a> {
    pub(super) fn new(directory: OwnedFd, owner: Owner, check: CancelCheck<'a>) -> Self {
        Unpacking { directory, owner, check, modes: HashMap::new(), last: None }
    }

    /// Unpacks one member.
    pub(super) fn apply<R: TarSource>(
        &mut self,
        member: &Member,
        body: &mut Members<R>,
    ) -> Result<()> {
        let parts = names::components(&member.name)?;
        let Some((leaf, parents)) = parts.split_last() else { return Ok(()) };
        let parent = self.parent(parents)?;
        let directory = member.kind == MemberKind::Directory;
        let in_the_way = |what: &str| Err(Error::new(Kind::Invalid, what));
        kernel_view::refuse(&parent, &escaped(&member.name))?;
        let parent = &*parent;
        let present = fs::stat(parent, leaf)?.map(|present| fs::type_of(&present));
        match present {
            Some(FileType::CharacterDevice | FileType::BlockDevice) => {
                return Err(Error::new(Kind::Refused, "cannot overwrite a device")
                    .hint("name another path, such as /tmp"));
            }
            Some(FileType::Directory) if directory => {}
            Some(FileType::Directory) => {
                return in_the_way("cannot overwrite a directory with something else");
            }
            Some(_) if directory => {
                return in_the_way("cannot overwrite something else with a directory");
            }
            Some(_) => fs::unlink(parent, leaf)?,
            None => {}
        }
        match member.kind {
            MemberKind::Directory => self.directory(member, &parts, parent, present.is_some()),
            MemberKind::File => self.file(member, body, parent, leaf),
            MemberKind::Symlink => {
                fs::make_symlink(parent, leaf, &member.link)?;
                let (uid, gid) = self.owner_of(member)?;
                fs::set_owner_at(parent, leaf, uid, gid)
            }
            MemberKind::HardLink => {
                let target = names::components(&member.link)?;
                let Some((name, above)) = target.split_last() else {
                    return Err(corrupt("it is a hard link to nothing"));
                };
                fs::make_link(self.parent(above)?, name, parent, leaf)
            }
            MemberKind::Fifo => {
                fs::make_node(parent, leaf, FileType::Fifo, 0, 0)?;
                let (uid, gid) = self.owner_of(member)?;
                fs::set_owner_at(parent, leaf, uid, gid)?;
                let fifo = fs::open_fifo(parent, leaf)?;
                fs::set_mode(&fifo, self.owner.mode(member))?;
                fs::set_times(&fifo, member.mtime.0, member.mtime.1)
            }
            // A device node in a container's `/dev` could be opened.
            MemberKind::CharDevice | MemberKind::BlockDevice => {
                Err(Error::new(Kind::Unsupported, "device nodes are not copied"))
            }
        }
    }

    fn directory(
        &mut self,
        member: &Member,
        parts: &[&[u8]],
        parent: &OwnedFd,
        exists: bool,
    ) -> Result<()> {
        let Some(leaf) = parts.last() else { return Ok(()) };
        // A directory of the host keeps its owner and mode: a stranger's may open it.
        if exists && self.owner.is_powerless() {
            return Ok(());
        }
        if !exists {
            fs::make_dir(parent, leaf)?;
        }
        let created = fs::open_dir_inside(parent, leaf)?;
        self.set_owner(member, &created)?;
        self.modes.insert(names::join(parts), (self.owner.mode(member), member.mtime));
        Ok(())
    }

    /// Opens the directory of an entry, and creates it if it is missing.
    fn parent(&mut self, parts: &[&[u8]]) -> Result<Rc<OwnedFd>> {
        let path = names::join(parts);
        let below = |known: &[u8]| path.strip_prefix(known).is_some_and(|r| r.starts_with(b"/"));
        // The entries of one directory, and those of a directory in it, follow each other.
        let (start, rest) = match &self.last {
            Some((known, directory)) if *known == path => return Ok(Rc::clone(directory)),
            Some((known, directory)) if below(known) => {
                let count = known.iter().filter(|byte| **byte == b'/').count() + 1;
                (Rc::clone(directory), &parts[count..])
            }
            _ => (Rc::new(fs::open_dir_inside(&self.directory, b".")?), parts),
        };
        let directory = match fs::open_dir_inside(&*start, &names::join(rest)) {
            Err(error) if error.errno() == Some(libc::ENOENT) => create_below(&start, rest)?,
            opened => opened?,
        };
        let directory = Rc::new(directory);
        self.last = Some((path, Rc::clone(&directory)));
        Ok(directory)
    }

    fn file<R: TarSource>(
        &self,
        member: &Member,
        body: &mut Members<R>,
        parent: &OwnedFd,
        leaf: &[u8],
    ) -> Result<()> {
        let file = fs::create_file(parent, leaf)?;
        let copied = match &member.sparse {
            None => spool::copy(body, &file, member.size, self.check),
            Some(sparse) => spool::copy_sparse(body, &file, sparse, self.check),
        };
        // A partial file is removed.
        copied.inspect_err(|_| drop(fs::unlink(parent, leaf)))?;
        self.set_owner(member, &file)?;
        fs::set_mode(&file, self.owner.mode(member))?;
        fs::set_times(&file, member.mtime.0, member.mtime.1)
    }

    fn owner_of(&self, member: &Member) -> Result<(u32, u32)> {
        if let Owner::Is(uid, gid) | Owner::Powerless(uid, gid) = self.owner {
            return Ok((uid, gid));
        }
        let id = |id: u64| u32::try_from(id).ok().filter(|id| *id != u32::MAX);
        match (id(member.uid), id(member.gid)) {
            (Some(uid), Some(gid)) => Ok((uid, gid)),
            _ => Err(corrupt(format!("its owner {}:{} is out of range", member.uid, member.gid))),
        }
    }

    fn set_owner(&self, member: &Member, file: &OwnedFd) -> Result<()> {
        let (uid, gid) = self.owner_of(member)?;
        fs::set_owner(file, uid, gid)?;
        for (key, value) in member.xattrs.iter().filter(|(key, _)| self.owner.keeps(key)) {
            match fs::set_xattr(file, key, value) {
                Err(error) if error.errno() == Some(libc::EOPNOTSUPP) => {}
                result => result?,
            }
        }
        Ok(())
    }

    /// Sets modes and times of the directories.
    pub(super) fn finish(self) -> Result<()> {
        for (path, (mode, mtime)) in &self.modes {
            let directory = match fs::open_dir_inside(&self.directory, path) {
                // The container has put something else in its place.
                Err(error) if fs::is_replaced(&error) => continue,
                directory => directory?,
            };
            fs::set_mode(&directory, *mode)?;
            fs::set_times(&directory, mtime.0, mtime.1)?;
        }
        Ok(())
    }
}

/// Opens a directory, and creates what is missing on the way.
fn create_below(start: &OwnedFd, parts: &[&[u8]]) -> Result<OwnedFd> {
    let mut directory = fs::open_dir_inside(start, b".")?;
    for part in parts {
        directory = match fs::open_dir_inside(&directory, part) {
            Err(error) if error.errno() == Some(libc::ENOENT) => {
                fs::make_dir(&directory, part)?;
                let created = fs::open_dir_inside(&directory, part)?;
                fs::set_mode(&created, 0o755)?;
                created
            }
            result => result?,
        };
    }
    Ok(directory)
}
