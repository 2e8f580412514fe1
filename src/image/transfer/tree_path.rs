//! Paths in a tree, and copies from one tree to another.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use rustix::fs::FileType;

use super::owner::Owner;
use super::unpacking::Unpacking;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::compression::decompress;
use crate::image::layer::diff_tar;
use crate::image::layer::kernel_view;
use crate::image::layer::overlay_view::Layer;
use crate::image::layer::walk::{Form, Tree, below, split};
use crate::image::tar::error::lossy;
use crate::image::tar::member::MemberKind;
use crate::image::tar::members::Members;
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
        Tree::new(Form::Plain, vec![&self.root])
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
        // Of a whole file system of the kernel, its place is packed.
        let is_below = self.path.contains(&b'/');
        if let Some(node) = self.tree().find(&self.path)?.filter(|_| is_below) {
            kernel_view::refuse(&node.holder, &self.written)?;
        }
        let names = diff_tar::Names { start: &self.path, archive_name: name };
        diff_tar::pack_part(&self.tree(), names, &BTreeSet::new(), out, check)
    }

    /// Unpacks a tar, plain or compressed, into this directory.
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
        self.unpack_into(&self.path, &mut decompress(tar)?.0, owner, check)
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
        let mut unpacking = Unpacking::new(directory, owner, check);
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
    let pack = |out: &mut dyn Write| from.pack_as(&name, out, check);
    piped(pack, |reader| to.unpack_into(&directory, reader, owner, check))
}

/// Unpacks the tar that `pack` writes into the directory `to`.
///
/// # Errors
/// [`Kind::Invalid`] if it is not a directory; as [`copy`].
pub fn unpack_packed(
    to: &TreePath,
    owner: Owner,
    check: CancelCheck<'_>,
    pack: impl FnOnce(&mut dyn Write) -> Result<()> + Send,
) -> Result<()> {
    piped(pack, |reader| to.unpack(reader, owner, check))
}

/// Passes what `pack` writes to `unpack`.
fn piped(
    pack: impl FnOnce(&mut dyn Write) -> Result<()> + Send,
    unpack: impl FnOnce(&mut (dyn Read + Send)) -> Result<()>,
) -> Result<()> {
    let (mut reader, mut writer) = std::io::pipe().context(|| "pipe".to_owned())?;
    std::thread::scope(|scope| {
        let packing = scope.spawn(move || pack(&mut writer));
        let unpacked = unpack(&mut reader);
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
