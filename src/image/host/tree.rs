//! The files of the host image, and their layer.
//!
//! A path is added as on the host: each link on the way is kept and followed, so that
//! `/lib64/ld-linux-x86-64.so.2`, `/bin/awk -> /etc/alternatives/awk` and busybox's applets resolve
//! inside as they do outside, and a file is stored once however many names lead to it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::presence;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};

const MAX_LINKS: usize = 40;

/// A file of the image.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Directory { mode: u32 },
    Link { target: PathBuf },
    Text { content: String },
    HostFile { size: u64, mtime: i64, executable: bool, inode: (u64, u64) },
}

/// The files by path, parents before children.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<PathBuf, Node>,
}

impl Tree {
    /// Adds a path of the host and all links that lead to its file or directory. Returns the
    /// resolved path; `None` if it is neither, or missing.
    ///
    /// # Errors
    /// When something on the way cannot be looked at.
    pub(super) fn add(&mut self, path: &Path) -> Result<Option<PathBuf>> {
        let mut todo: VecDeque<OsString> = names(path).map(OsStr::to_owned).collect();
        let mut current = PathBuf::from("/");
        let mut links = 0;
        let mut nodes = Vec::new();
        while let Some(name) = todo.pop_front() {
            if name == ".." {
                current.pop();
                continue;
            }
            let next = current.join(&name);
            let Some(found) = presence::own_attributes(&next)? else { return Ok(None) };
            if found.is_symlink() {
                links += 1;
                let read = || format!("readlink `{}`", next.display());
                if links > MAX_LINKS {
                    return Err(Error::from_errno(read(), libc::ELOOP));
                }
                let target = std::fs::read_link(&next).context(read)?;
                if target.is_absolute() {
                    current = PathBuf::from("/");
                }
                for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                    todo.push_front(name.to_owned());
                }
                nodes.push((next, Node::Link { target }));
                continue;
            }
            current = next;
            if found.is_dir() {
                nodes.push((current.clone(), Node::Directory { mode: 0o755 }));
            } else if found.is_file() && todo.is_empty() {
                let node = Node::HostFile {
                    size: found.len(),
                    mtime: found.mtime(),
                    // Set-id bits are dropped: in a container, root started the program.
                    executable: found.mode() & 0o111 != 0,
                    inode: (found.dev(), found.ino()),
                };
                nodes.push((current.clone(), node));
            } else {
                return Ok(None);
            }
        }
        for (path, node) in nodes {
            self.nodes.entry(path).or_insert(node);
        }
        Ok(Some(current))
    }

    /// Adds a file that the host need not have, through the existing links. An existing file stays,
    /// but a directory gets the mode.
    pub(super) fn put(&mut self, path: &str, node: Node) {
        let path = Path::new(path);
        let parent = path.parent().unwrap_or(path);
        let parent = self.resolve(parent).unwrap_or_else(|| parent.to_owned());
        let path = parent.join(path.file_name().unwrap_or_default());
        match (self.nodes.get_mut(&path), node) {
            // A directory that was added as part of a path has only a default mode.
            (Some(Node::Directory { mode }), Node::Directory { mode: new_mode }) => {
                *mode = new_mode
            }
            (Some(_), _) => {}
            (None, node) => drop(self.nodes.insert(path, node)),
        }
    }

    /// Resolves `path` inside the image; `None` if it does not exist.
    pub(super) fn resolve(&self, path: &Path) -> Option<PathBuf> {
        let mut todo: VecDeque<OsString> = names(path).map(OsStr::to_owned).collect();
        let mut current = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = todo.pop_front() {
            if name == ".." {
                current.pop();
                continue;
            }
            match self.nodes.get(&current.join(&name))? {
                Node::Link { target } => {
                    links += 1;
                    if links > MAX_LINKS {
                        return None;
                    }
                    if target.is_absolute() {
                        current = PathBuf::from("/");
                    }
                    for name in names(target).collect::<Vec<_>>().into_iter().rev() {
                        todo.push_front(name.to_owned());
                    }
                }
                _ => current.push(name),
            }
        }
        Some(current)
    }

    /// Returns the paths of the host's files.
    pub(super) fn host_files(&self) -> impl Iterator<Item = PathBuf> {
        let file = |(path, node): (&PathBuf, &Node)| {
            matches!(node, Node::HostFile { .. }).then(|| path.clone())
        };
        self.nodes.iter().filter_map(file)
    }

    /// Returns the time of the newest file of the host.
    pub(super) fn newest(&self) -> i64 {
        let time = |node: &Node| match node {
            Node::HostFile { mtime, .. } => *mtime,
            _ => 0,
        };
        self.nodes.values().map(time).max().unwrap_or(0).max(0)
    }

    /// Writes the tree as a tar, always in the same order. A node without a time gets that of the
    /// newest file, so the same host gives the same layer.
    pub(super) fn write(&self, out: impl Write, check: CancelCheck<'_>) -> Result<()> {
        let mut tar = Builder::new(out);
        let mut written: HashMap<(u64, u64), &Path> = HashMap::new();
        let newest = self.newest();
        for (path, node) in &self.nodes {
            check()?;
            let name = path.strip_prefix("/").unwrap_or(path);
            let append = |tar: &mut Builder<_>| match node {
                Node::Directory { mode } => {
                    let mut header = header(EntryType::Directory, *mode, newest, 0);
                    tar.append_data(&mut header, name, std::io::empty())
                }
                Node::Link { target } => {
                    let mut header = header(EntryType::Symlink, 0o777, newest, 0);
                    tar.append_link(&mut header, name, target)
                }
                Node::Text { content } => {
                    let mut header = header(EntryType::Regular, 0o644, newest, content.len());
                    tar.append_data(&mut header, name, content.as_bytes())
                }
                Node::HostFile { size, mtime, executable, inode } => {
                    if let Some(first) = written.insert(*inode, name) {
                        written.insert(*inode, first);
                        let mut header = header(EntryType::Link, 0o755, *mtime, 0);
                        return tar.append_link(&mut header, name, first);
                    }
                    let mode = if *executable { 0o755 } else { 0o644 };
                    let length = usize::try_from(*size).unwrap_or(usize::MAX);
                    let mut header = header(EntryType::Regular, mode, *mtime, length);
                    tar.append_data(&mut header, name, whole(path, *size)?)
                }
            };
            let mut append = append;
            append(&mut tar).context(|| format!("cannot copy `{}`", path.display()))?;
        }
        tar.into_inner().context(|| "cannot write the layer".to_owned()).map(drop)
    }
}

/// Opens a file of the host whose length must not change while it is read: the header is already
/// written.
fn whole(path: &Path, size: u64) -> std::io::Result<impl Read> {
    let file = File::open(path)?;
    if file.metadata()?.len() == size {
        Ok(file.take(size))
    } else {
        Err(std::io::Error::other("its length changed during the copy"))
    }
}

fn header(kind: EntryType, mode: u32, mtime: i64, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(mtime).unwrap_or(0));
    header.set_size(size as u64);
    header
}

/// Returns the components of a path without `.`, but with `..`.
fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

/// Returns the error of a host without a shell.
pub(super) fn no_program(name: &str, dirs: &[PathBuf]) -> Error {
    let dirs: Vec<_> = dirs.iter().map(|dir| format!("`{}`", dir.display())).collect();
    let message = format!("cannot create an image from the host: it has no `{name}`");
    Error::new(Kind::NotFound, message)
        .cause(format!("looked in {}", dirs.join(", ")))
        .hint("install busybox or dash, or load an image: lifebox load -i FILE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_on_the_way_are_kept_and_files_come_once() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::create_dir_all(at("usr/bin")).unwrap();
        std::fs::write(at("usr/bin/busybox"), "x").unwrap();
        std::fs::hard_link(at("usr/bin/busybox"), at("usr/bin/cat")).unwrap();
        std::os::unix::fs::symlink("usr/bin", at("bin")).unwrap();
        std::os::unix::fs::symlink(at("bin/busybox"), at("usr/bin/sh")).unwrap();
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        let mut tree = Tree::default();
        assert_eq!(tree.add(&at("bin/sh")).unwrap(), Some(at("usr/bin/busybox")));
        tree.add(&at("bin/cat")).unwrap().unwrap();
        let error = tree.add(&at("loop")).unwrap_err();
        assert!(error.message().contains(at("loop").to_str().unwrap()), "{error}");
        assert_eq!(tree.add(&at("none")).unwrap(), None);
        assert_eq!(tree.add(&at("usr/bin/busybox/none")).unwrap(), None);
        assert_eq!(tree.resolve(&at("bin/sh")), Some(at("usr/bin/busybox")));
        assert_eq!(tree.resolve(&at("bin/ls")), None);

        let mut bytes = Vec::new();
        tree.write(&mut bytes, &|| Ok(())).unwrap();
        let mut again = Vec::new();
        tree.write(&mut again, &|| Ok(())).unwrap();
        assert_eq!(bytes, again);
        let mut archive = tar::Archive::new(&bytes[..]);
        let entries = archive.entries().unwrap().map(|entry| entry.unwrap().header().entry_type());
        let count = |kind: EntryType, all: &[EntryType]| all.iter().filter(|k| **k == kind).count();
        let kinds: Vec<_> = entries.collect();
        assert_eq!(count(EntryType::Regular, &kinds), 1);
        assert_eq!(count(EntryType::Link, &kinds), 1);
        assert_eq!(count(EntryType::Symlink, &kinds), 2);
    }
}
