//! `COPY` and `ADD`: files of a directory or of another image become a layer.
//!
//! Sources and destinations are untrusted: both are walked by descriptor, and links are followed as
//! if the tree were the whole file system. The copied files are identified by a digest of names,
//! modes, owners and contents; times do not count, because a checkout sets them anew.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::os::fd::OwnedFd;

use rustix::fs::FileType;
use sha2::{Digest as _, Sha256};

use super::find::Source;
use super::ignore::Ignore;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::spool;
use crate::image::layer::diff_tar::{entry, xattrs};
use crate::image::layer::walk::{Node, Tree, Visit, below, not_found, split};
use crate::image::tar::error::{escaped, lossy};
use crate::image::tar::member::MemberKind;
use crate::image::tar::names;
use crate::image::tar::pack::{Entry, Packer};
use crate::model::error::Context;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// How many bytes of a file one read takes.
const BUFFER: usize = 128 * 1024;

/// A layer in the making, or only its digest.
pub(crate) struct Copying<'a, 'p> {
    /// The image so far; `None` if it is empty.
    base: Option<&'a Tree<'a>>,
    packer: Option<Packer<'p>>,
    hash: Sha256,
    pub(super) owner: Owner,
    pub(super) mode: Option<u32>,
    /// The time of entries without one.
    now: i64,
    /// The directories that this layer creates.
    created: BTreeSet<Vec<u8>>,
    /// Files with several names, by device and inode: the written names.
    written: HashMap<(u64, u64), Vec<u8>>,
    check: CancelCheck<'a>,
}

/// The owner of the copied files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This user and group.
    Is(u32, u32),
    /// Root; the members of an archive keep their owner.
    Archives,
    /// The owner of the source, for files of another image.
    Sources,
}

impl Owner {
    /// Returns the owner of entries without a source.
    fn of_new(self) -> (u32, u32) {
        match self {
            Owner::Is(uid, gid) => (uid, gid),
            Owner::Archives | Owner::Sources => (0, 0),
        }
    }
}

impl<'a, 'p> Copying<'a, 'p> {
    pub(crate) fn new(
        base: Option<&'a Tree<'a>>,
        packer: Option<Packer<'p>>,
        owner: Owner,
        mode: Option<u32>,
        now: i64,
        check: CancelCheck<'a>,
    ) -> Self {
        let (created, written) = (BTreeSet::new(), HashMap::new());
        Copying { base, packer, hash: Sha256::new(), owner, mode, now, created, written, check }
    }

    /// Returns the digest of all entries, and completes the archive.
    pub(crate) fn finish(self) -> Result<Digest> {
        if let Some(packer) = self.packer {
            packer.finish()?;
        }
        Ok(Digest::from_bytes(&self.hash.finalize().into()))
    }

    /// Resolves `path` in the image so far.
    pub(crate) fn resolve(&self, path: &str) -> Result<Vec<u8>> {
        match self.base {
            Some(base) => base.resolve(path.as_bytes()),
            None => Ok(names::join(&names::components(path.as_bytes())?)),
        }
    }

    fn present(&self, path: &[u8]) -> Result<Option<FileType>> {
        if self.created.contains(path) || path.is_empty() {
            return Ok(Some(FileType::Directory));
        }
        // A new directory is empty.
        let base = self.base.filter(|_| !self.created.contains(split(path).0));
        let found = base.map(|base| base.find(path)).transpose()?.flatten();
        Ok(found.map(|node| fs::type_of(&node.attributes)))
    }

    /// Returns whether `path` is a directory of the image so far or of this layer.
    pub(crate) fn is_directory(&self, path: &[u8]) -> Result<bool> {
        Ok(self.present(path)? == Some(FileType::Directory))
    }

    /// Creates the missing parents of `path`.
    fn parents(&mut self, path: &[u8]) -> Result<()> {
        let parent = split(path).0.to_vec();
        if !parent.is_empty() { self.missing_directory(&parent) } else { Ok(()) }
    }

    /// Creates the directory `path` and its parents, if they are missing.
    pub(crate) fn missing_directory(&mut self, path: &[u8]) -> Result<()> {
        match self.present(path)? {
            Some(FileType::Directory) => return Ok(()),
            // A link is followed when the layer is unpacked, as in the image.
            Some(FileType::Symlink) => return Ok(()),
            Some(_) => {
                let message =
                    format!("cannot create `/{}`: it exists and is not a directory", escaped(path));
                return Err(Error::new(Kind::Invalid, message));
            }
            None => {}
        }
        self.parents(path)?;
        let mut entry = Entry::new(path, MemberKind::Directory, 0o755);
        entry.mtime = self.now;
        (entry.uid, entry.gid) = self.owner.of_new();
        self.created.insert(path.to_vec());
        self.put(&entry, None)
    }

    /// Adds a file with this content.
    pub(crate) fn text(&mut self, path: &[u8], content: &[u8], mode: u32) -> Result<()> {
        let mut entry = Entry::new(path, MemberKind::File, self.mode.unwrap_or(mode));
        (entry.size, entry.mtime) = (content.len() as u64, self.now);
        (entry.uid, entry.gid) = self.owner.of_new();
        self.check_overwrite(&entry)?;
        self.put(&entry, Some(&mut &*content))
    }

    /// Refuses to replace a directory by a file, or a file by a directory.
    pub(super) fn check_overwrite(&mut self, entry: &Entry) -> Result<()> {
        self.parents(&entry.name)?;
        let directory = entry.kind == MemberKind::Directory;
        let problem = match self.present(&entry.name)? {
            Some(FileType::Directory) if !directory => "copy a file over the directory",
            Some(FileType::Directory) | None => return Ok(()),
            Some(_) if directory => "copy a directory over",
            Some(_) => return Ok(()),
        };
        let message = format!("cannot {problem} `/{}`", escaped(&entry.name));
        Err(Error::new(Kind::Invalid, message))
    }

    /// Writes an entry, with its content if it has one.
    pub(super) fn put(&mut self, entry: &Entry, content: Option<&mut dyn Read>) -> Result<()> {
        let facts = (entry.kind as u8, entry.mode, entry.uid, entry.gid, entry.size, entry.device);
        self.hash.update(format!("{facts:?} {}\n", entry.xattrs.len()));
        let xattrs = entry.xattrs.iter().flat_map(|(key, value)| [key.as_bytes(), value]);
        // Each with its length, so that no two entries are written alike.
        for text in [&entry.name[..], &entry.link].into_iter().chain(xattrs) {
            self.hash.update(text.len().to_le_bytes());
            self.hash.update(text);
        }
        let Some(content) = content else {
            return self.packer.as_mut().map_or(Ok(()), |packer| packer.append(entry));
        };
        let mut hashing = Hashing { inner: content.take(entry.size), hash: &mut self.hash };
        match &mut self.packer {
            Some(packer) => packer.append_file(entry, hashing),
            None => {
                let mut buffer = vec![0; BUFFER];
                let failed = || format!("read `{}`", escaped(&entry.name));
                while spool::read(&mut hashing, &mut buffer).context(failed)? > 0 {
                    (self.check)()?;
                }
                Ok(())
            }
        }
    }

    /// Copies `source` of `tree` to `to`: a directory's content, or a file. Of `left_out`, each
    /// has the path that its patterns know the source by.
    pub(crate) fn copy(
        &mut self,
        tree: &Tree<'_>,
        left_out: [(&Ignore, &[u8]); 2],
        source: &Source,
        to: &[u8],
        check: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        if source.is_directory {
            self.missing_directory(to)?;
        }
        // Ignored directories, until one of their entries is not ignored.
        let mut waiting: Vec<Entry> = Vec::new();
        let mut ignored = left_out.map(|(ignore, base)| (ignore, ignore.paths(), base));
        tree.walk(&source.path, &mut |node| {
            check()?;
            if node.path == source.path && source.is_directory {
                return Ok(Visit::Descend);
            }
            let rest = &node.path[source.path.len()..];
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            let name = if rest.is_empty() { to.to_vec() } else { below(to, rest) };
            let directory = fs::type_of(&node.attributes) == FileType::Directory;
            while waiting.last().is_some_and(|entry| !is_below(&name, &entry.name)) {
                waiting.pop();
            }
            let (mut leaves_out, mut takes_back) = (false, true);
            for (ignore, paths, base) in &mut ignored {
                let path = if rest.is_empty() { base.to_vec() } else { below(base, rest) };
                if paths.leaves_out(&lossy(&path)) {
                    leaves_out = true;
                    takes_back &= ignore.takes_back();
                }
            }
            if leaves_out {
                if directory && takes_back {
                    waiting.push(self.directory_entry(node, &name)?);
                    return Ok(Visit::Descend);
                }
                return Ok(Visit::Skip);
            }
            for entry in std::mem::take(&mut waiting) {
                self.directory(&entry)?;
            }
            if directory {
                let entry = self.directory_entry(node, &name)?;
                self.directory(&entry)?;
            } else {
                self.other(tree, node, &name)
                    .context(|| format!("cannot copy `{}`", escaped(&node.path)))?;
            }
            Ok(Visit::Descend)
        })
    }

    fn directory_entry(&self, node: &Node, name: &[u8]) -> Result<Entry> {
        let mut entry = self.with_owner(entry(node, MemberKind::Directory), name);
        entry.xattrs = xattrs(&node.holder)?;
        Ok(entry)
    }

    /// Adds a directory.
    pub(super) fn directory(&mut self, entry: &Entry) -> Result<()> {
        self.check_overwrite(entry)?;
        self.created.insert(entry.name.clone());
        self.put(entry, None)
    }

    /// Converts an entry of the source to one of the target.
    fn with_owner(&self, mut entry: Entry, name: &[u8]) -> Entry {
        entry.name = name.to_vec();
        if self.owner != Owner::Sources {
            (entry.uid, entry.gid) = self.owner.of_new();
        }
        if entry.kind != MemberKind::Symlink {
            entry.mode = self.mode.unwrap_or(entry.mode);
        }
        entry
    }

    fn other(&mut self, tree: &Tree<'_>, node: &Node, name: &[u8]) -> Result<()> {
        let inode = (node.attributes.st_dev, node.attributes.st_ino);
        let first = self.written.get(&inode).filter(|_| node.attributes.st_nlink > 1);
        if let Some(first) = first {
            let mut link = Entry::new(name, MemberKind::HardLink, 0o644);
            link.link.clone_from(first);
            self.check_overwrite(&link)?;
            return self.put(&link, None);
        }
        self.written.insert(inode, name.to_vec());
        let kind = match fs::type_of(&node.attributes) {
            FileType::RegularFile => {
                let Some(file) = tree.open(node)? else { return Ok(()) };
                return self.file(node, name, file);
            }
            FileType::Symlink => MemberKind::Symlink,
            FileType::Fifo => MemberKind::Fifo,
            FileType::CharacterDevice => MemberKind::CharDevice,
            FileType::BlockDevice => MemberKind::BlockDevice,
            // A socket is useless without its process.
            _ => return Ok(()),
        };
        let mut entry = self.with_owner(entry(node, kind), name);
        let number = node.attributes.st_rdev;
        match kind {
            MemberKind::Symlink => {
                match not_found(fs::read_link(&*node.holder, &node.last_component))? {
                    Some(link) => entry.link = link,
                    None => return Ok(()),
                }
            }
            MemberKind::Fifo => {}
            _ => entry.device = (rustix::fs::major(number), rustix::fs::minor(number)),
        }
        self.check_overwrite(&entry)?;
        self.put(&entry, None)
    }

    fn file(&mut self, node: &Node, name: &[u8], file: OwnedFd) -> Result<()> {
        let mut entry = self.with_owner(entry(node, MemberKind::File), name);
        let found = fs::stat_fd(&file)?;
        entry.size = u64::try_from(found.st_size).unwrap_or(0);
        entry.xattrs = xattrs(&file)?;
        self.check_overwrite(&entry)?;
        self.put(&entry, Some(&mut std::fs::File::from(file)))
    }
}

fn is_below(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with(b"/"))
}

/// A reader that computes the digest.
struct Hashing<'a, R> {
    inner: R,
    hash: &'a mut Sha256,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}
