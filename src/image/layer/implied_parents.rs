//! The parent directories of a layer's entries.
//!
//! A parent in the layer itself is opened; one that it omits is created as the layers below have
//! it, with mode, owner and attributes, because overlayfs shows those of the topmost directory. If
//! there is a link on the way (`lib -> usr/lib`), the entry goes where the link leads inside the
//! root, as in Docker. Links are read and walked here, one component after the other; the kernel
//! follows none.

use std::collections::{BTreeSet, VecDeque};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use once_cell::unsync::OnceCell;
use rustix::fs::FileType;

use super::attributes::copy_xattrs;
use super::lowers::{Deferred, DeferredList, Lowers};
use super::overlay_view::{self, Found, Layer, is_opaque, opaque};
use super::walk::{Form, Tree};
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::spool;
use crate::image::tar::error::{corrupt, escaped};
use crate::image::tar::names::join;
use crate::model::Result;
use crate::sys::fs;

const MAX_LINKS: usize = 40;
/// The deepest directory: its path, of one letter a level, is as long as the kernel takes.
const MAX_DEPTH: usize = 2048;
/// The limit of the list of deferred modes and times, in bytes, and with it of how many directories
/// an entry with a deep name can cost.
const MAX_DEFERRED: usize = 256 << 20;

/// Finds and creates parents, in all layers, this one first.
pub(crate) struct Parents<'a> {
    root: &'a OwnedFd,
    lowers: Lowers<'a>,
    /// The layers below, topmost first, once they are needed.
    below: OnceCell<Rc<[Layer]>>,
    /// The parent of the last entry.
    last: Option<(Vec<u8>, Rc<OwnedFd>)>,
    deferred: DeferredList,
    deferred_bytes: usize,
    lower_seen: bool,
    check: CancelCheck<'a>,
}

/// What a part of a path is.
enum Step {
    /// A directory of this layer.
    Into(OwnedFd),
    /// A link, with its target.
    Link(Vec<u8>),
    /// Another file of this layer.
    Blocked,
}

impl<'a> Parents<'a> {
    pub(crate) fn new(root: &'a OwnedFd, lowers: Lowers<'a>, check: CancelCheck<'a>) -> Self {
        Parents {
            root,
            lowers,
            below: OnceCell::new(),
            last: None,
            deferred: DeferredList::new(),
            deferred_bytes: 0,
            lower_seen: false,
            check,
        }
    }

    /// Returns whether the layers below were needed. The result depends on this layer alone.
    pub(crate) fn lower_seen(&self) -> bool {
        self.lower_seen
    }

    fn below(&self) -> Result<Rc<[Layer]>> {
        self.below.get_or_try_init(|| (self.lowers)().map(Rc::from)).map(Rc::clone)
    }

    /// Looks `path` up in all layers, this one first.
    fn lookup(&self, path: &[Vec<u8>]) -> Result<Found> {
        overlay_view::lookup(self.root, &self.below()?, path)
    }

    /// Records mode and time of a directory, to be set at the end.
    pub(crate) fn defer(&mut self, path: Vec<u8>, deferred: Deferred) -> Result<()> {
        self.deferred_bytes += path.len() + 64;
        if self.deferred_bytes > MAX_DEFERRED {
            return Err(corrupt("the layer has too many directories"));
        }
        self.deferred.insert(path, deferred);
        Ok(())
    }

    /// Returns the recorded modes and times.
    pub(crate) fn take_deferred(&mut self) -> DeferredList {
        std::mem::take(&mut self.deferred)
    }

    /// Drops the records of a directory that is about to be removed, and of all below it.
    pub(crate) fn forget(&mut self, path: &[u8]) {
        self.last = None;
        self.deferred.remove(path);
        // Paths that start with `path/` lie between that and `path0`, the next byte.
        let (first, end) = ([path, b"/"].concat(), [path, b"0"].concat());
        let below: Vec<_> = self.deferred.range(first..end).map(|(path, _)| path.clone()).collect();
        for path in below {
            self.deferred.remove(&path);
        }
    }

    /// Opens the directory `parts` of this layer, and creates it if it is missing. Also returns its
    /// path without links.
    pub(crate) fn open(&mut self, parts: &[&[u8]]) -> Result<(Rc<OwnedFd>, Vec<u8>)> {
        let path = join(parts);
        if let Some((known, directory)) = &self.last
            && *known == path
        {
            return Ok((directory.clone(), path));
        }
        let (directory, resolved) = match fs::open_dir_beneath(self.root, &path) {
            Ok(directory) => (directory, path.clone()),
            Err(error) => match error.errno() {
                Some(libc::ENOENT | libc::ENOTDIR | libc::ELOOP) => {
                    let resolved = self.create_path(parts)?;
                    (fs::open_dir_beneath(self.root, &resolved)?, resolved)
                }
                _ => return Err(error),
            },
        };
        let directory = Rc::new(directory);
        // If links of layers below led elsewhere, a later entry of this layer may replace them.
        self.last = (path == resolved).then(|| (path, directory.clone()));
        Ok((directory, resolved))
    }

    /// Walks down `parts` through all layers, follows the links of those below and creates what
    /// this layer lacks. Each part is looked up in the directory reached: from the root, the time
    /// would grow with the square of the depth.
    fn create_path(&mut self, parts: &[&[u8]]) -> Result<Vec<u8>> {
        let below = self.below()?;
        let lower = Tree::new(Form::Merged, below.iter().collect());
        let mut todo: VecDeque<Vec<u8>> = parts.iter().map(|part| part.to_vec()).collect();
        let mut here = self.reached(b"")?;
        let mut path: Vec<u8> = Vec::new();
        // For each part, the length of the path above it, and whether a directory up to it hides
        // the layers below.
        let mut done: Vec<(usize, bool)> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            (self.check)()?;
            if part == b".." {
                path.truncate(done.pop().map_or(0, |(above, _)| above));
                here = self.reached(&path)?;
                continue;
            }
            if done.len() >= MAX_DEPTH {
                return Err(corrupt(
                    "its parent leads through links more than 2048 directories deep",
                ));
            }
            let above = path.len();
            path.extend((above > 0).then_some(b'/'));
            path.extend_from_slice(&part);
            let blocked =
                |what: &str| Err(corrupt(format!("its parent `{}` is {what}", escaped(&path))));
            let hidden = done.last().is_some_and(|(_, hides)| *hides);
            let target = match self.step(&here, &part, hidden, &lower, &path)? {
                Step::Into(directory) => {
                    done.push((above, hidden || is_opaque(&directory)?));
                    here = directory;
                    continue;
                }
                Step::Blocked => return blocked("not a directory"),
                Step::Link(target) => target,
            };
            links += 1;
            if links > MAX_LINKS {
                return blocked("a link that leads through too many links");
            }
            path.truncate(above);
            if target.starts_with(b"/") {
                path.clear();
                done.clear();
                here = self.reached(b"")?;
            }
            let steps = target.split(|byte| *byte == b'/');
            for step in steps.filter(|step| !matches!(*step, b"" | b".")).rev() {
                todo.push_front(step.to_vec());
            }
        }
        Ok(path)
    }

    /// Opens a directory of this layer again.
    fn reached(&self, path: &[u8]) -> Result<OwnedFd> {
        fs::open_dir_beneath(self.root, if path.is_empty() { b"." } else { path })
    }

    /// Looks up `part` in the directory `here` of this layer, then as `path` in those below, unless
    /// they are hidden. Creates a directory that this layer lacks.
    fn step(
        &mut self,
        here: &OwnedFd,
        part: &[u8],
        hidden: bool,
        lower: &Tree<'_>,
        path: &[u8],
    ) -> Result<Step> {
        match fs::stat(here, part)? {
            Some(found) if fs::is_whiteout(&found) => {}
            Some(found) => match fs::type_of(&found) {
                FileType::Directory => {
                    return fs::open_dir_beneath(here, part).map(Step::Into);
                }
                FileType::Symlink => return fs::read_link(here, part).map(Step::Link),
                _ => return Ok(Step::Blocked),
            },
            None if hidden => {}
            None => {
                if let Some(node) = lower.find(path)? {
                    match fs::type_of(&node.attributes) {
                        FileType::Directory => {
                            return self
                                .create_like(here, part, path, &node.holder)
                                .map(Step::Into);
                        }
                        FileType::Symlink => {
                            self.lower_seen = true;
                            let target = fs::read_link(&*node.holder, &node.last_component)?;
                            return Ok(Step::Link(target));
                        }
                        _ => {}
                    }
                }
            }
        }
        let directory = self.create_new(here, part)?;
        self.defer(path.to_vec(), Deferred { mode: 0o755, mtime: (0, 0) })?;
        Ok(Step::Into(directory))
    }

    /// Returns the names in the roots of the layers below.
    pub(crate) fn names_below(&mut self) -> Result<BTreeSet<Vec<u8>>> {
        self.lower_seen = true;
        let mut all = BTreeSet::new();
        for layer in &*self.below()? {
            all.extend(fs::names(layer.root()?)?);
        }
        Ok(all)
    }

    /// Creates the directory `leaf` in `parent`. In place of a whiteout, it hides the layers below.
    fn create_new(&mut self, parent: &OwnedFd, leaf: &[u8]) -> Result<OwnedFd> {
        self.lower_seen = true;
        let hides = fs::stat(parent, leaf)?.is_some();
        if hides {
            fs::unlink(parent, leaf)?;
        }
        fs::make_dir(parent, leaf)?;
        let directory = fs::open_dir_beneath(parent, leaf)?;
        if hides {
            fs::set_xattr(&directory, opaque(), b"y")?;
        }
        Ok(directory)
    }

    /// Creates the directory `leaf` in `parent` with the owner, mode, time and attributes of
    /// `model`; its path is `path`.
    fn create_like(
        &mut self,
        parent: &OwnedFd,
        leaf: &[u8],
        path: &[u8],
        model: &OwnedFd,
    ) -> Result<OwnedFd> {
        let directory = self.create_new(parent, leaf)?;
        let attributes = fs::stat_fd(model)?;
        fs::set_owner(&directory, attributes.st_uid, attributes.st_gid)?;
        copy_xattrs(model, &directory)?;
        let mode = attributes.st_mode & 0o7777;
        self.defer(path.to_vec(), Deferred { mode, mtime: mtime(&attributes) })?;
        Ok(directory)
    }

    /// Copies `path` of a layer below, which must not be a directory, into `parent`, the same
    /// directory in this layer. Returns its length, or `None` if no layer has it.
    pub(crate) fn copy_up(
        &mut self,
        path: &[Vec<u8>],
        parent: &OwnedFd,
        check: CancelCheck<'_>,
    ) -> Result<Option<u64>> {
        self.lower_seen = true;
        let Some(leaf) = path.last() else { return Ok(None) };
        let lower = match self.lookup(path)? {
            Found::Other(parent) => parent,
            Found::Directory | Found::Absent => return Ok(None),
        };
        let Some(found) = fs::stat(&lower, leaf)? else { return Ok(None) };
        copy_entry(&lower, parent, leaf, &found, check).map(Some)
    }
}

/// Copies the entry `found` in the directory `lower`, which must not be a directory itself, into
/// `parent`, with all its attributes. Returns its length.
pub(crate) fn copy_entry(
    lower: &OwnedFd,
    parent: &OwnedFd,
    leaf: &[u8],
    found: &fs::Attributes,
    check: CancelCheck<'_>,
) -> Result<u64> {
    match fs::type_of(found) {
        FileType::RegularFile => copy_file(lower, parent, leaf, check),
        FileType::Symlink => {
            let target = fs::read_link(lower, leaf)?;
            fs::make_symlink(parent, leaf, &target)?;
            set_attributes_at(parent, leaf, found)?;
            Ok(target.len() as u64)
        }
        kind => {
            let (major, minor) =
                (rustix::fs::major(found.st_rdev), rustix::fs::minor(found.st_rdev));
            fs::make_node(parent, leaf, kind, major, minor)?;
            set_attributes_at(parent, leaf, found)?;
            fs::set_mode_at(parent, leaf, found.st_mode & 0o7777)?;
            Ok(0)
        }
    }
}

fn copy_file(
    lower: &OwnedFd,
    parent: &OwnedFd,
    leaf: &[u8],
    check: CancelCheck<'_>,
) -> Result<u64> {
    let source = std::fs::File::from(fs::open_file_beneath(lower, leaf)?);
    let attributes = fs::stat_fd(&source)?;
    let length = u64::try_from(attributes.st_size).unwrap_or(0);
    let copy = fs::create_file(parent, leaf)?;
    let parts = if fs::share_content(&source, &copy) { Vec::new() } else { fs::extents(&source)? };
    for (offset, part) in parts {
        fs::seek(&source, offset)?;
        fs::seek(&copy, offset)?;
        spool::copy(&source, &copy, part, check)?;
    }
    fs::set_length(&copy, length)?;
    fs::set_owner(&copy, attributes.st_uid, attributes.st_gid)?;
    fs::set_mode(&copy, attributes.st_mode & 0o7777)?;
    copy_xattrs(&OwnedFd::from(source), &copy)?;
    let (seconds, nanoseconds) = mtime(&attributes);
    fs::set_times(&copy, seconds, nanoseconds)?;
    Ok(length)
}

fn set_attributes_at(parent: &OwnedFd, leaf: &[u8], from: &fs::Attributes) -> Result<()> {
    fs::set_owner_at(parent, leaf, from.st_uid, from.st_gid)?;
    let (seconds, nanoseconds) = mtime(from);
    fs::set_times_at(parent, leaf, seconds, nanoseconds)
}

fn mtime(attributes: &fs::Attributes) -> (i64, u32) {
    (attributes.st_mtime, u32::try_from(attributes.st_mtime_nsec).unwrap_or(0))
}
