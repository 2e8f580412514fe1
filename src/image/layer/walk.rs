//! Walks a tree that another process may be changing: one directory, or layers as overlayfs shows
//! them.
//!
//! Everything is relative to descriptors and follows no link, so a container that changes the tree
//! meanwhile cannot make it read outside its layers. An entry that vanishes meanwhile is skipped,
//! as in a `tar` of a live tree.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::fs::FileType;

use super::overlay_view::{Layer, is_opaque};
use crate::image::tar::error::escaped;
use crate::image::tar::names::join;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// The longest path that the kernel takes, and an archive holds (PATH_MAX, limits.h).
const MAX_PATH: usize = 4096;
/// The most links that are followed, as in the kernel.
const MAX_LINKS: usize = 40;

/// The kind of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A directory of a user: no name in it has a special meaning.
    Plain,
    /// Layers, topmost first, merged: an entry hidden by a whiteout does not exist.
    Merged,
    /// One layer, with its whiteouts.
    Layer,
}

/// A tree to walk.
pub(crate) struct Tree<'a> {
    pub(crate) form: Form,
    /// The layers, topmost first.
    pub(crate) layers: Vec<&'a Layer>,
    /// What was found last. Those who ask go from neighbour to neighbour; without it, each look for
    /// a deep path would look for all directories above it again.
    found: RefCell<FoundPath>,
}

/// A path, and the layers that have each directory on the way.
#[derive(Default)]
struct FoundPath {
    path: Vec<u8>,
    /// Where each part ends in the path, and the layers that have the path up to there.
    parts: Vec<(usize, Vec<usize>)>,
}

/// A node of a tree.
pub(crate) struct Node {
    /// The directory that contains it; the node itself if it is a directory.
    pub(crate) holder: Rc<OwnedFd>,
    /// Its name in `holder`; empty for a directory.
    pub(crate) last_component: Vec<u8>,
    /// The path from the root of the tree; empty is the root.
    pub(crate) path: Vec<u8>,
    pub(crate) attributes: fs::Attributes,
    /// Whether it is a directory that hides the layers below.
    pub(crate) opaque: bool,
}

/// Whether to visit the content of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    Descend,
    Skip,
}

/// A path that is still to be visited, and the layers that have it.
struct Pending {
    path: Vec<u8>,
    layers: Vec<usize>,
}

/// A directory whose entries are being visited.
struct Level {
    path: Vec<u8>,
    /// The names that are left, each with the layers that have it.
    entries: std::vec::IntoIter<(Vec<u8>, Vec<usize>)>,
}

/// The directory that was visited last and the one above it, each with its layer and path: those
/// that come next are mostly in one of them.
#[derive(Default)]
struct Recent(Vec<(usize, Vec<u8>, Rc<OwnedFd>)>);

impl Recent {
    fn find(&self, layer: usize, path: &[u8]) -> Option<Rc<OwnedFd>> {
        let mut known = self.0.iter();
        let found = known.find(|(number, known, _)| *number == layer && known == path);
        found.map(|(.., directory)| Rc::clone(directory))
    }
}

impl FoundPath {
    /// Returns whether part `number` is `name`.
    fn has(&self, number: usize, name: &[u8]) -> bool {
        let start = number.checked_sub(1).map_or(0, |above| self.end(above) + 1);
        number < self.parts.len() && self.path[start..self.end(number)] == *name
    }

    fn end(&self, number: usize) -> usize {
        self.parts[number].0
    }

    /// Forgets all but the first `count` parts.
    fn keep(&mut self, count: usize) {
        self.parts.truncate(count);
        let end = self.parts.last().map_or(0, |(end, _)| *end);
        self.path.truncate(end);
    }

    fn push(&mut self, found: Pending) {
        self.parts.push((found.path.len(), found.layers));
        self.path = found.path;
    }

    /// Returns the first `count` parts.
    fn first(&self, count: usize) -> Option<Pending> {
        let (end, layers) = self.parts.get(count.checked_sub(1)?)?;
        Some(Pending { path: self.path[..*end].to_vec(), layers: layers.clone() })
    }
}

impl<'a> Tree<'a> {
    /// Returns the tree of these layers, topmost first.
    pub(crate) fn new(form: Form, layers: Vec<&'a Layer>) -> Self {
        Tree { form, layers, found: RefCell::default() }
    }

    /// Calls `visit` with `start` and everything below, parents first, names in order. Does nothing
    /// if `start` does not exist. No component of it is followed.
    pub(crate) fn walk(
        &self,
        start: &[u8],
        visit: &mut dyn FnMut(&Node) -> Result<Visit>,
    ) -> Result<()> {
        let Some(mut next) = self.pending(start)? else { return Ok(()) };
        // Names, not paths: a directory with a deep path may have a million entries.
        let mut levels: Vec<Level> = Vec::new();
        let mut recent = Recent::default();
        loop {
            if next.path.len() >= MAX_PATH {
                return Err(self.too_deep(&next.path));
            }
            if let Some(node) = self.node(&next, &mut recent)? {
                let visit_next = visit(&node)?;
                let is_directory = fs::type_of(&node.attributes) == FileType::Directory;
                if is_directory && visit_next == Visit::Descend {
                    let entries = self.names(&next, &node.holder)?.into_iter();
                    levels.push(Level { path: node.path, entries });
                }
            }
            next = loop {
                let Some(level) = levels.last_mut() else { return Ok(()) };
                match level.entries.next() {
                    Some((name, layers)) => {
                        break Pending { path: below(&level.path, &name), layers };
                    }
                    None => drop(levels.pop()),
                }
            };
        }
    }

    fn too_deep(&self, path: &[u8]) -> Error {
        let message = format!("`/{}` is nested too deeply", escaped(path));
        let error = Error::new(Kind::Unsupported, message)
            .cause("a path of more than 4096 bytes can neither be opened nor archived");
        error.hint(match self.form {
            // A directory of the host, or the files of a running container.
            Form::Plain => "leave it out, or remove it: rm -rf DIRECTORY",
            Form::Merged | Form::Layer => {
                "remove it in the running container: lifebox exec CONTAINER rm -rf DIRECTORY"
            }
        })
    }

    /// Finds `path`; `None` if it does not exist.
    fn pending(&self, path: &[u8]) -> Result<Option<Pending>> {
        let mut found = self.found.borrow_mut();
        let mut count = 0;
        for part in path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
            if !found.has(count, part) {
                found.keep(count);
                let above = found.first(count).unwrap_or_else(|| self.root());
                let Some(next) = self.child(&above, part)? else { return Ok(None) };
                found.push(next);
            }
            count += 1;
        }
        Ok(Some(found.first(count).unwrap_or_else(|| self.root())))
    }

    fn root(&self) -> Pending {
        Pending { path: Vec::new(), layers: (0..self.layers.len()).collect() }
    }

    /// Returns the entry `name` of a directory.
    fn child(&self, of: &Pending, name: &[u8]) -> Result<Option<Pending>> {
        let mut visible_names = VisibleNames::default();
        for layer in &of.layers {
            let Some(directory) = not_found(self.open_dir(*layer, &of.path))? else { continue };
            self.lookup(&directory, *layer, name, &mut visible_names)?;
            if visible_names.complete || self.ends_at(of, &directory)? {
                break;
            }
        }
        let path = below(&of.path, name);
        let found = Pending { path, layers: visible_names.layers };
        Ok(Some(found).filter(|found| !found.layers.is_empty()))
    }

    /// Returns the node at `path`, without following its last component.
    pub(crate) fn find(&self, path: &[u8]) -> Result<Option<Node>> {
        match self.pending(path)? {
            Some(found) => self.node(&found, &mut Recent::default()),
            None => Ok(None),
        }
    }

    /// Resolves `path` through all links, including the last component, as a process with this tree
    /// as root would. A missing part stays as written: it may be about to be created.
    pub(crate) fn resolve(&self, path: &[u8]) -> Result<Vec<u8>> {
        let parts = |path: &[u8]| -> Vec<Vec<u8>> {
            let parts = path.split(|byte| *byte == b'/');
            parts.filter(|part| !matches!(*part, b"" | b".")).map(<[u8]>::to_vec).collect()
        };
        let mut todo: VecDeque<Vec<u8>> = parts(path).into();
        let mut done: Vec<Vec<u8>> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            if part == b".." {
                done.pop();
                continue;
            }
            done.push(part);
            let Some(node) = self.find(&join(&done))? else { continue };
            if fs::type_of(&node.attributes) != FileType::Symlink {
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(Error::from_errno(format!("follow `{}`", escaped(path)), libc::ELOOP));
            }
            let target = fs::read_link(&*node.holder, &node.last_component)?;
            done.pop();
            if target.starts_with(b"/") {
                done.clear();
            }
            for part in parts(&target).into_iter().rev() {
                todo.push_front(part);
            }
        }
        Ok(join(&done))
    }

    /// Returns one node; `None` if it has vanished.
    fn node(&self, next: &Pending, recent: &mut Recent) -> Result<Option<Node>> {
        let Some(layer) = next.layers.first().copied() else { return Ok(None) };
        let (parent, leaf) = split(&next.path);
        let holder = match recent.find(layer, parent) {
            Some(holder) => holder,
            None => match not_found(self.open_dir(layer, parent))? {
                Some(holder) => Rc::new(holder),
                None => return Ok(None),
            },
        };
        recent.0 = vec![(layer, parent.to_vec(), holder.clone())];
        let name = if leaf.is_empty() { &b"."[..] } else { leaf };
        let Some(attributes) = not_found(fs::stat(&*holder, name))?.flatten() else {
            return Ok(None);
        };
        let path = next.path.clone();
        if fs::type_of(&attributes) != FileType::Directory {
            let leaf = leaf.to_vec();
            return Ok(Some(Node {
                holder,
                last_component: leaf,
                path,
                attributes,
                opaque: false,
            }));
        }
        let Some(directory) = not_found(self.open_below(&holder, name))? else { return Ok(None) };
        let attributes = fs::stat_fd(&directory)?;
        let opaque = self.form != Form::Plain && is_opaque(&directory)?;
        let holder = Rc::new(directory);
        recent.0.push((layer, path.clone(), holder.clone()));
        Ok(Some(Node { holder, last_component: Vec::new(), path, attributes, opaque }))
    }

    /// Returns the names in a directory, each with the layers that contribute to it, topmost first.
    /// `top` is the directory of the topmost one.
    fn names(&self, of: &Pending, top: &Rc<OwnedFd>) -> Result<Vec<(Vec<u8>, Vec<usize>)>> {
        let mut found: BTreeMap<Vec<u8>, VisibleNames> = BTreeMap::new();
        for (number, layer) in of.layers.iter().enumerate() {
            let directory = match number {
                0 => Some(Rc::clone(top)),
                _ => not_found(self.open_dir(*layer, &of.path))?.map(Rc::new),
            };
            let Some(directory) = directory else { continue };
            for name in fs::names(&*directory)? {
                let visible_names = found.entry(name.clone()).or_default();
                self.lookup(&directory, *layer, &name, visible_names)?;
            }
            if self.ends_at(of, &directory)? {
                break;
            }
        }
        let visible =
            |(_, visible_names): &(Vec<u8>, VisibleNames)| !visible_names.layers.is_empty();
        Ok(found
            .into_iter()
            .filter(visible)
            .map(|(name, visible_names)| (name, visible_names.layers))
            .collect())
    }

    /// Adds one layer's entry of a name to those of the layers above.
    fn lookup(
        &self,
        holder: &OwnedFd,
        layer: usize,
        name: &[u8],
        visible_names: &mut VisibleNames,
    ) -> Result<()> {
        if visible_names.complete {
            return Ok(());
        }
        let Some(attributes) = not_found(fs::stat(holder, name))?.flatten() else { return Ok(()) };
        let whiteout = self.form == Form::Merged && fs::is_whiteout(&attributes);
        let is_directory = fs::type_of(&attributes) == FileType::Directory;
        // An entry that is not a directory hides all layers below, and is itself hidden by a
        // directory above.
        visible_names.complete = !is_directory;
        if !whiteout && (is_directory || visible_names.layers.is_empty()) {
            visible_names.layers.push(layer);
        }
        Ok(())
    }

    /// Returns whether a directory hides those of the layers below. The roots are always merged.
    fn ends_at(&self, of: &Pending, directory: &OwnedFd) -> Result<bool> {
        Ok(self.form == Form::Merged && !of.path.is_empty() && is_opaque(directory)?)
    }

    fn open_dir(&self, layer: usize, path: &[u8]) -> Result<OwnedFd> {
        let opened;
        let root = match self.layers[layer] {
            Layer::Open(directory) => directory,
            layer @ Layer::At(_) => {
                opened = layer.root()?;
                &opened
            }
        };
        self.open_below(root, path)
    }

    fn open_below(&self, directory: &OwnedFd, path: &[u8]) -> Result<OwnedFd> {
        match self.form {
            Form::Plain => fs::open_dir_inside(directory, path),
            Form::Merged | Form::Layer => fs::open_dir_beneath(directory, path),
        }
    }

    /// Opens a file that was found; `None` if it has vanished or changed its type.
    pub(crate) fn open(&self, node: &Node) -> Result<Option<OwnedFd>> {
        let opened = match self.form {
            Form::Plain => fs::open_file_inside(&*node.holder, &node.last_component),
            Form::Merged | Form::Layer => {
                fs::open_file_beneath(&*node.holder, &node.last_component)
            }
        };
        let Some(file) = not_found(opened)? else { return Ok(None) };
        let is_file = fs::type_of(&fs::stat_fd(&file)?) == FileType::RegularFile;
        Ok(is_file.then_some(file))
    }
}

#[derive(Default)]
struct VisibleNames {
    layers: Vec<usize>,
    /// Whether no layer below contributes.
    complete: bool,
}

/// Returns the path of `name` in the directory `path`.
pub(crate) fn below(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { join(&[path, name]) }
}

/// Splits a path into parent and leaf.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    }
}

/// Converts the error of an entry that has vanished, or changed its type, to `None`.
pub(crate) fn not_found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.errno() {
            Some(libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::ENXIO | libc::ESTALE) => {
                Ok(None)
            }
            _ => Err(error),
        },
    }
}
