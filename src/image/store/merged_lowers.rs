//! Images with more layers than overlayfs stacks: their lowest layers are merged into one
//! directory.
//!
//! Overlays cannot be nested for this: an entry hidden by an inner overlay is not in it, so its
//! whiteouts would hide nothing in the layers below. So the lowest layers are merged here, into
//! `images/flat/KEY`: directories are created, all else is hard-linked, so this takes no space for
//! content. Below the lowest layer there is nothing to hide, so whiteouts are applied and dropped.
//! A merge is created when a container needs it, and kept only by containers.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::handle::Store;
use crate::image::bytes::spool::digest_of;
use crate::image::bytes::staging::Staging;
use crate::image::layer;
use crate::image::layer::attributes::take_attributes;
use crate::image::layer::overlay_view::is_opaque;
use crate::image::layer::walk::below;
use crate::model::error::Context;
use crate::model::image::ImageUser;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};
use crate::sys::tree::remove_tree;
use crate::sys::{fs, store_dir};

/// The directory of merges, in that of images and in a staging directory.
pub(crate) const DIRECTORY: &str = "flat";
/// The empty lower directory of an image without layers, in the directory of images.
const EMPTY_LOWER: &str = "empty";

impl Store {
    /// Returns the directories that overlayfs stacks for an image with these `layers` (keys, lowest
    /// first), at most `most`, relative to the store.
    pub fn stack(&self, layers: &[Digest], most: usize) -> Result<Vec<PathBuf>> {
        if layers.is_empty() {
            return self.empty_lower().map(|nothing| vec![nothing]);
        }
        let merged = merged_count(layers.len(), most);
        let key = merged.checked_sub(1).and_then(|last| keys(layers).nth(last));
        let lowest = key.map(|key| {
            let path = Path::new(DIRECTORY).join(key.hex());
            if !self.images().join(&path).is_dir() {
                self.merge_lowers(&layers[..merged], &key)
                    .context(|| format!("cannot merge the lowest {merged} layers"))?;
            }
            Ok(path)
        });
        let rest = layers[merged..].iter().map(|key| Ok(Path::new("layers").join(key.hex())));
        lowest.into_iter().chain(rest).collect()
    }

    /// Returns an empty directory: overlayfs needs one below the writable layer.
    fn empty_lower(&self) -> Result<PathBuf> {
        use std::os::unix::fs::DirBuilderExt;
        let path = self.images().join(EMPTY_LOWER);
        match std::fs::DirBuilder::new().mode(0o755).create(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(Error::from_io(format!("mkdir `{}`", path.display()), &error))
            }
            _ => Ok(EMPTY_LOWER.into()),
        }
    }

    /// Returns the layer whose directory has the attributes of `/`, relative to the store: the
    /// topmost with an entry for `/`.
    ///
    /// # Errors
    /// When the record of a layer cannot be read.
    pub fn root_like(&self, layers: &[Digest]) -> Result<Option<PathBuf>> {
        let found = self.topmost_with_root(layers)?.or(layers.last());
        Ok(found.map(|key| Path::new("layers").join(key.hex())))
    }

    fn topmost_with_root<'a>(&self, layers: &'a [Digest]) -> Result<Option<&'a Digest>> {
        for key in layers.iter().rev() {
            if layer::has_root_entry(self.images(), key)? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    fn merge_lowers(&self, layers: &[Digest], key: &Digest) -> Result<()> {
        let staging = self.staging()?;
        self.merge_lowers_into(&staging, layers)?;
        fs::sync_filesystem(staging.directory())?;
        let lock = self.lock()?;
        let holder = self.images().join(DIRECTORY);
        store_dir::make(&holder)?;
        let holder = store_dir::open(&holder)?;
        // False is fine: another process has created the same merge.
        fs::rename_new(staging.directory(), DIRECTORY.as_bytes(), &holder, key.hex().as_bytes())?;
        fs::sync(&holder)?;
        drop(lock);
        Ok(())
    }

    /// Merges layers into a directory [`DIRECTORY`] of `staging`.
    pub(crate) fn merge_lowers_into(
        &self,
        staging: &Staging,
        layers: &[Digest],
    ) -> Result<OwnedFd> {
        let root = staging.make_dir(DIRECTORY)?;
        for layer in layers {
            merge(&fs::open_dir(&layer::path(self.images(), layer))?, &root)?;
        }
        match self.topmost_with_root(layers)? {
            Some(layer) => {
                take_attributes(&fs::open_dir(&layer::path(self.images(), layer))?, &root)?;
            }
            None => {
                fs::set_mode(&root, 0o755)?;
                fs::set_times(&root, 0, 0)?;
            }
        }
        Ok(root)
    }

    /// Returns the existing merges of the lowest of these layers: the number of layers and the
    /// path.
    pub(crate) fn merged_lowers(&self, layers: &[Digest]) -> Vec<(usize, PathBuf)> {
        let paths = keys(layers).map(|key| self.images().join(DIRECTORY).join(key.hex()));
        let counted = paths.enumerate().map(|(below, path)| (below + 1, path));
        counted.filter(|(_, path)| path.is_dir()).collect()
    }

    /// Returns the names of merges that no container of `users` needs. The caller holds the store's
    /// lock.
    pub(crate) fn unreferenced_merged(&self, users: &[ImageUser]) -> Result<Vec<Vec<u8>>> {
        let holder = match store_dir::open(&self.images().join(DIRECTORY)) {
            // No image needed a merge yet.
            Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
            holder => holder?,
        };
        let needed: HashSet<String> =
            users.iter().flat_map(|user| keys(&user.layers)).map(|k| k.hex().to_owned()).collect();
        let mut names = fs::names(&holder)?;
        names.retain(|name| !std::str::from_utf8(name).is_ok_and(|name| needed.contains(name)));
        Ok(names)
    }
}

/// Returns how many of the lowest of `count` layers are merged, so that at most `most` are left.
/// Many, so that an image that grows layer by layer does not need another merge each time.
fn merged_count(count: usize, most: usize) -> usize {
    let step = (most / 2).max(2);
    match count.checked_sub(most) {
        None | Some(0) => 0,
        // One directory replaces the merged layers.
        Some(surplus) => (surplus + 1).next_multiple_of(step).min(count),
    }
}

/// Returns the keys of the lowest layer, of the lowest two merged, of the lowest three, and so on.
fn keys(layers: &[Digest]) -> impl Iterator<Item = Digest> {
    layers.iter().scan(String::new(), |below, layer| {
        let key = digest_of(format!("lifebox flat {below} {layer}").as_bytes());
        *below = key.to_string();
        Some(key)
    })
}

/// Applies `layer` to `target`, the merge of the layers below, as overlayfs would show it
/// (overlayfs.rst, "whiteouts and opaque directories").
///
/// Works through a list of paths: a tree may be deeper than the limit of open files.
fn merge(layer: &OwnedFd, target: &OwnedFd) -> Result<()> {
    let mut todo = vec![Part::Content(Vec::new())];
    while let Some(part) = todo.pop() {
        let path = match &part {
            Part::Content(path) | Part::Attributes(path) => path,
        };
        let upper = fs::open_dir_beneath(layer, path)?;
        let directory = fs::open_dir_beneath(target, path)?;
        match part {
            Part::Attributes(_) => take_attributes(&upper, &directory)?,
            Part::Content(path) => {
                let subdirectories = merge_entries(&upper, &directory)?;
                // The caller sets the attributes of the root.
                if !path.is_empty() {
                    todo.push(Part::Attributes(path.clone()));
                }
                todo.extend(subdirectories.iter().map(|name| Part::Content(below(&path, name))));
            }
        }
    }
    Ok(())
}

/// What is left to do for the directory of this path. Attributes come last: a new entry changes the
/// directory's time.
enum Part {
    Content(Vec<u8>),
    Attributes(Vec<u8>),
}

/// Applies the entries of one directory, and returns its subdirectories.
fn merge_entries(layer: &OwnedFd, target: &OwnedFd) -> Result<Vec<Vec<u8>>> {
    let mut subdirectories = Vec::new();
    for name in fs::names(layer)? {
        let Some(found) = fs::stat(layer, &name)? else { continue };
        let present = fs::stat(target, &name)?.map(|present| fs::type_of(&present));
        if fs::type_of(&found) == FileType::Directory {
            let upper = fs::open_dir_beneath(layer, &name)?;
            let keep = present == Some(FileType::Directory) && !is_opaque(&upper)?;
            if !keep {
                remove(target, &name, present)?;
                fs::make_dir(target, &name)?;
            }
            subdirectories.push(name);
        } else {
            remove(target, &name, present)?;
            if !fs::is_whiteout(&found) {
                link(layer, target, &name)?;
            }
        }
    }
    Ok(subdirectories)
}

fn remove(directory: &OwnedFd, name: &[u8], present: Option<fs::Type>) -> Result<()> {
    match present {
        None => Ok(()),
        Some(FileType::Directory) => remove_tree(directory, name).map(drop),
        Some(_) => fs::unlink(directory, name),
    }
}

fn link(layer: &OwnedFd, target: &OwnedFd, name: &[u8]) -> Result<()> {
    fs::make_link(layer, name, target, name).map_err(|error| match error.errno() {
        Some(libc::EMLINK) => error
            .with_kind(Kind::Unsupported)
            .hint("use a file system that allows more hard links, with --root"),
        _ => error,
    })
}

#[cfg(test)]
#[path = "tests/merged_lowers.rs"]
mod tests;
