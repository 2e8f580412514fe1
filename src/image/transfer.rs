//! Copies files between two trees that other processes may be changing: the host's and a
//! container's.
//!
//! A container is a descriptor of its root, and everything is done relative to it, following no
//! link: links are resolved as if the tree were the whole file system, and a path that is swapped
//! meanwhile makes an open fail and never leads out of the tree (CVE-2018-15664). Nothing of the
//! image is executed or loaded (CVE-2019-14271).

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use rustix::fs::FileType;

use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::spool;
use crate::image::layer::attributes::is_allowed_xattr;
use crate::image::layer::diff_tar;
use crate::image::layer::kernel_view;
use crate::image::layer::overlay_view::Layer;
use crate::image::layer::walk::{Form, Tree, below, split};
use crate::image::tar::error::{corrupt, escaped, lossy};
use crate::image::tar::member::{Member, MemberKind};
use crate::image::tar::members::{Members, TarSource};
use crate::image::tar::names;
use crate::image::tar::pack::{Entry, Packer};
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// A path in a tree, with its links resolved.
#[derive(Debug)]
pub struct TreePath {
    root: Layer,
    /// The path from the root, without a slash at either end; empty is the root.
    path: Vec<u8>,
    /// The path as written, for messages.
    written: String,
    /// Whether it ends in `/`, so that it must be a directory.
    directory: bool,
    /// Whether it ends in `/.`, which names the content without the directory.
    content: bool,
}

/// The kind of file at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Directory,
    Other,
}

/// The owner of the copied files, and whether they keep what gives power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This user and group.
    Is(u32, u32),
    /// The owner of the source.
    Same,
    /// This user and group, and no power: for files that leave a container. A set-id file of an
    /// image would give each local user the rights of its new owner.
    Powerless(u32, u32),
}

impl Owner {
    /// Returns the mode of a copy. A directory that loses its sticky bit, which kept its writers
    /// apart, is written by its owner only.
    fn mode(self, member: &Member) -> u32 {
        let kept = match member.kind {
            MemberKind::Directory if member.mode & 0o1000 != 0 => 0o755,
            _ => 0o777,
        };
        if self.is_powerless() { member.mode & kept } else { member.mode }
    }

    fn is_powerless(self) -> bool {
        matches!(self, Owner::Powerless(..))
    }

    /// Whether a copy keeps an extended attribute.
    fn keeps(self, key: &str) -> bool {
        is_allowed_xattr(key) && !(self.is_powerless() && key == "security.capability")
    }
}

/// What a path names that ends in a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalLink {
    /// The target of the link.
    Follow,
    /// The link, unless a slash comes after it.
    Keep,
}

impl TreePath {
    /// Resolves `path` in the tree below `root`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a path with a NUL; when the tree cannot be read.
    pub fn new(root: OwnedFd, path: &str, link: FinalLink) -> Result<Self> {
        if path.contains('\0') {
            return Err(Error::new(Kind::Invalid, "a path contains a NUL byte"));
        }
        let content = path == "." || path.ends_with("/.");
        let directory = content || path.ends_with('/') || path.ends_with("/..");
        let root = Layer::Open(root);
        let mut place =
            TreePath { root, path: Vec::new(), written: path.to_owned(), directory, content };
        let bytes = path.trim_end_matches("/.").trim_end_matches('/').as_bytes();
        let (parent, leaf) = split(bytes);
        let follow = link == FinalLink::Follow || directory;
        place.path = if follow || matches!(leaf, b"." | b".." | b"") {
            place.tree().resolve(bytes)?
        } else {
            below(&place.tree().resolve(parent)?, leaf)
        };
        Ok(place)
    }

    fn tree(&self) -> Tree<'_> {
        Tree { form: Form::Plain, layers: vec![&self.root] }
    }

    fn found(&self) -> Result<Found> {
        let node = self.tree().find(&self.path)?;
        Ok(match node.map(|node| fs::type_of(&node.attributes)) {
            None => Found::Nothing,
            Some(FileType::Directory) => Found::Directory,
            Some(_) => Found::Other,
        })
    }

    /// Returns the name of the copy; empty for a root, or its content.
    fn base(&self) -> Vec<u8> {
        if self.content { Vec::new() } else { split(&self.path).1.to_vec() }
    }

    fn missing(&self) -> Error {
        Error::new(Kind::NotFound, format!("could not find `{}`", self.written))
    }

    fn source(&self) -> Result<Found> {
        match self.found()? {
            Found::Nothing => Err(self.missing()),
            Found::Other if self.directory => {
                Err(Error::new(Kind::Invalid, format!("`{}` is not a directory", self.written)))
            }
            found => Ok(found),
        }
    }

    /// Writes the file or directory as a tar whose entries begin with its name.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if it does not exist.
    pub fn pack(&self, out: &mut dyn Write, check: CancelCheck<'_>) -> Result<()> {
        self.source()?;
        self.pack_as(&self.base(), out, check)
    }

    fn pack_as(&self, name: &[u8], out: &mut dyn Write, check: CancelCheck<'_>) -> Result<()> {
        if let Some(node) = self.tree().find(&self.path)? {
            kernel_view::refuse(&node.holder, &self.written)?;
        }
        let names = diff_tar::Names { start: &self.path, archive_name: name };
        diff_tar::pack_part(&self.tree(), names, &BTreeSet::new(), out, check)
    }

    /// Unpacks a tar into this directory.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if it does not exist.
    pub fn unpack(
        &self,
        tar: &mut (dyn Read + Send),
        owner: Owner,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        if self.found()? != Found::Directory {
            let message = format!("`{}` is not a directory", self.written);
            return Err(Error::new(Kind::Invalid, message)
                .hint("name a directory to unpack the archive into"));
        }
        self.unpack_into(&self.path, tar, owner, check)
    }

    fn unpack_into(
        &self,
        path: &[u8],
        tar: &mut (dyn Read + Send),
        owner: Owner,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        let directory = fs::open_dir_inside(self.root.root()?, path)
            .map_err(|error| error.context(format!("open `{}`", self.written)))?;
        let tar: Box<dyn Read + Send> = Box::new(tar);
        let mut members = Members::new(tar);
        let mut unpacking = Unpacking { directory, owner, check, modes: HashMap::new() };
        while let Some(member) = members.next()? {
            check()?;
            let name = lossy(&member.name);
            unpacking.apply(&member, &mut members).context(|| format!("cannot copy `{name}`"))?;
        }
        unpacking.finish()
    }

    /// Reads the file, if it has no more than `most` bytes.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::Invalid`] if it is not a file or too large.
    pub fn read(&self, most: u64) -> Result<Vec<u8>> {
        let node = self.tree().find(&self.path)?.ok_or_else(|| self.missing())?;
        let no_file = || Error::new(Kind::Invalid, format!("`{}` is not a file", self.written));
        if fs::type_of(&node.attributes) != FileType::RegularFile {
            return Err(no_file());
        }
        let file = self.tree().open(&node)?.ok_or_else(no_file)?;
        kernel_view::refuse(&file, &self.written)?;
        let mut content = Vec::new();
        let read = std::fs::File::from(file).take(most + 1).read_to_end(&mut content);
        read.context(|| format!("read `{}`", self.written))?;
        if content.len() as u64 > most {
            let message = format!("`{}` has more than {most} bytes", self.written);
            return Err(Error::new(Kind::Invalid, message).hint("copy it with cp_from"));
        }
        Ok(content)
    }

    /// Writes the file, owned by root and with mode 0644.
    ///
    /// # Errors
    /// When its directory is missing, or it is a directory.
    pub fn write(&self, content: &[u8], check: CancelCheck<'_>) -> Result<()> {
        let (parent, leaf) = self.target(Found::Other, b"file")?;
        let mut entry = Entry::new(&leaf, MemberKind::File, 0o644);
        entry.size = content.len() as u64;
        entry.mtime = jiff::Timestamp::now().as_second();
        let mut tar = Vec::new();
        let mut packer = Packer::new(&mut tar, check);
        packer.append_file(&entry, content)?;
        packer.finish()?;
        self.unpack_into(&parent, &mut tar.as_slice(), Owner::Same, check)
    }

    /// Returns the directory to copy into and the name there, by Docker's rules (`docker cp`).
    fn target(&self, what: Found, base: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
        let invalid = |message: String| Err(Error::new(Kind::Invalid, message));
        let written = &self.written;
        let (parent, leaf) = split(&self.path);
        match (what, self.found()?) {
            (Found::Directory, Found::Other) => {
                invalid(format!("cannot copy a directory to the file `{written}`"))
            }
            (_, Found::Other) if self.directory => {
                invalid(format!("`{written}` is not a directory"))
            }
            (_, Found::Directory) => Ok((self.path.clone(), base.to_vec())),
            (Found::Other, Found::Nothing) if self.directory => {
                invalid(format!("the destination directory `{written}` must exist"))
            }
            _ => Ok((parent.to_vec(), leaf.to_vec())),
        }
    }
}

/// Copies one path to another, by the rules of `docker cp`.
///
/// # Errors
/// When something cannot be read or written; what was copied before stays.
pub fn copy(from: &TreePath, to: &TreePath, owner: Owner, check: CancelCheck<'_>) -> Result<()> {
    let (directory, name) = to.target(from.source()?, &from.base())?;
    let (mut reader, mut writer) = std::io::pipe().context(|| "pipe".to_owned())?;
    std::thread::scope(|scope| {
        let packing = scope.spawn(move || from.pack_as(&name, &mut writer, check));
        let unpacked = to.unpack_into(&directory, &mut reader, owner, check);
        // The reader is dropped, so that the packing thread ends.
        drop(reader);
        let packed = packing.join().map_err(|_| Error::new(Kind::Bug, "a thread panicked"))?;
        match (packed, unpacked) {
            // The cause of a broken archive is the error of the packing thread.
            (Err(error), Err(other)) if error.errno() == Some(libc::EPIPE) => Err(other),
            (Err(error), _) | (Ok(()), Err(error)) => Err(error),
            (Ok(()), Ok(())) => Ok(()),
        }
    })
}

struct Unpacking<'a> {
    directory: OwnedFd,
    owner: Owner,
    check: CancelCheck<'a>,
    /// Modes and times of directories, which are set after their content is written.
    modes: HashMap<Vec<u8>, (u32, (i64, u32))>,
}

impl Unpacking<'_> {
    fn apply<R: TarSource>(&mut self, member: &Member, body: &mut Members<R>) -> Result<()> {
        let parts = names::components(&member.name)?;
        let Some((leaf, parents)) = parts.split_last() else { return Ok(()) };
        let parent = self.parent(parents)?;
        let directory = member.kind == MemberKind::Directory;
        let in_the_way = |what: &str| Err(Error::new(Kind::Invalid, what));
        kernel_view::refuse(&parent, &escaped(&member.name))?;
        let present = fs::stat(&parent, leaf)?.map(|present| fs::type_of(&present));
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
            Some(_) => fs::unlink(&parent, leaf)?,
            None => {}
        }
        match member.kind {
            MemberKind::Directory => self.directory(member, &parts, &parent, present.is_some()),
            MemberKind::File => self.file(member, body, &parent, leaf),
            MemberKind::Symlink => {
                fs::make_symlink(&parent, leaf, &member.link)?;
                let (uid, gid) = self.owner_of(member)?;
                fs::set_owner_at(&parent, leaf, uid, gid)
            }
            MemberKind::HardLink => {
                let target = names::components(&member.link)?;
                let Some((name, above)) = target.split_last() else {
                    return Err(corrupt("it is a hard link to nothing"));
                };
                fs::make_link(self.parent(above)?, name, &parent, leaf)
            }
            MemberKind::Fifo => {
                fs::make_node(&parent, leaf, FileType::Fifo, 0, 0)?;
                let (uid, gid) = self.owner_of(member)?;
                fs::set_owner_at(&parent, leaf, uid, gid)
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
    fn parent(&self, parts: &[&[u8]]) -> Result<OwnedFd> {
        let mut directory = fs::open_dir_inside(&self.directory, b".")?;
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

    fn finish(self) -> Result<()> {
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
