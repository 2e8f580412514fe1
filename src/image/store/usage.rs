//! Disk usage of images: of each, of all, and of each step.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::document;
use super::handle::{Store, described};
use super::index::Index;
use crate::image::layer;
use crate::model::image::history::{self, Ancestor, History};
use crate::model::image::usage::{ImageUsage, PruneOptions, Usage};
use crate::model::image::{Image, ImageUser};
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};
use crate::sys::{fs, store_dir};

/// How many ancestors of an image are followed: more than any image has layers.
const MAX_ANCESTORS: usize = 1000;

impl Store {
    /// Returns the history of an image, latest step first.
    pub fn history(&self, query: &str) -> Result<Vec<History>> {
        let index = Index::read(self.images())?;
        let image = self.find_in(&index, query)?;
        let sizes: Vec<u64> =
            image.layers.iter().map(|key| layer::size(self.images(), key)).collect();
        let mut ancestors: Vec<Ancestor> = Vec::new();
        let entries = index.by_id();
        let mut parent = image.parent.clone();
        // The chain also ends at an image that was removed or is damaged.
        while let Some(id) = parent.filter(|_| ancestors.len() < MAX_ANCESTORS) {
            let Some(known) = entries.get(&id) else { break };
            let Ok(steps) = self.read_blob(&id).and_then(|bytes| document::count_steps(&bytes))
            else {
                break;
            };
            let named = described(known, &id);
            parent = named.parent;
            ancestors.push(Ancestor { id, tags: named.tags, steps });
        }
        Ok(history::history(&image, &sizes, &ancestors))
    }

    /// Returns the disk usage of each image, newest first.
    pub fn image_usage(&self, users: &[ImageUser]) -> Result<Vec<ImageUsage>> {
        let images = self.list()?;
        let mut having: HashMap<&Digest, u64> = HashMap::new();
        for image in &images {
            // An image may contain a layer twice, which is stored once.
            for key in image.layers.iter().collect::<HashSet<_>>() {
                *having.entry(key).or_default() += 1;
            }
        }
        // The size of a shared layer is read once, not for each image.
        having.retain(|_, count| *count > 1);
        let shared: HashMap<&Digest, u64> =
            having.into_keys().map(|key| (key, layer::size(self.images(), key))).collect();
        let mut containers: HashMap<&Digest, u64> = HashMap::new();
        for user in users {
            *containers.entry(&user.image).or_default() += 1;
        }
        let usage = |image: &Image| {
            let keys: HashSet<_> = image.layers.iter().collect();
            ImageUsage {
                id: image.id.clone(),
                size: image.size,
                shared: keys.iter().filter_map(|key| shared.get(*key)).sum(),
                containers: containers.get(&image.id).copied().unwrap_or_default(),
            }
        };
        Ok(images.iter().map(usage).collect())
    }

    /// Returns the disk usage of all images, and what removing unused ones would free. The caller
    /// adds that of containers.
    pub fn usage(&self, users: &[ImageUser]) -> Result<Usage> {
        let unused = PruneOptions { all: true, dry_run: true, ..PruneOptions::default() };
        Ok(Usage {
            images: self.image_usage(users)?,
            image_bytes: self.bytes()?,
            reclaimable: self.prune(&unused, users)?.bytes,
            ..Usage::default()
        })
    }

    /// Returns the bytes of all blobs and layers.
    fn bytes(&self) -> Result<u64> {
        let mut total = 0;
        for kind in ["blobs/sha256", "layers"] {
            let holder = self.images().join(kind);
            let directory = match store_dir::open(&holder) {
                // A store that no command has written to yet.
                Err(error) if error.kind() == Kind::NotFound => continue,
                directory => directory?,
            };
            for name in fs::names(directory)? {
                total += bytes_of(self.images(), &holder, &name);
            }
        }
        Ok(total)
    }
}

/// Returns the size of an entry of `blobs/sha256` or `layers`: the length of a file, or that of the
/// files of an unpacked layer.
pub(crate) fn bytes_of(images: &Path, holder: &Path, name: &[u8]) -> u64 {
    use std::os::unix::ffi::OsStrExt;
    let path = holder.join(std::ffi::OsStr::from_bytes(name));
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => digest(name).map_or(0, |key| layer::size(images, &key)),
        Ok(found) => found.len(),
        Err(_) => 0,
    }
}

/// Returns the digest of a name in `blobs/sha256` or `layers`.
pub(crate) fn digest(hex: &[u8]) -> Option<Digest> {
    let text = std::str::from_utf8(hex).ok()?;
    let parsed: Result<Digest, Error> = format!("sha256:{text}").parse();
    parsed.ok()
}
