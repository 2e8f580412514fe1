//! The store for its users: find, list, and the locks and directories behind.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use super::contents::entry_at;
use super::document::Document;
use super::index::{Descriptor, Entry, Index, Manifest, has_blobs, write_file};
use crate::image::bytes::compression::decompress;
use crate::image::bytes::spool::digest_of;
use crate::image::bytes::staging::{self, Staging};
use crate::image::layer;
use crate::image::layer::tar_split::{TarAssembler, Verified};
use crate::image::tar::error::corrupt;
use crate::model::error::{Context, credentials};
use crate::model::image::own::OwnImages;
use crate::model::image::{Image, ImageConfig};
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::model::value::suggest::suggest;
use crate::model::{Error, Kind, Result};
use crate::sys::lock::{self, Share};
use crate::sys::{fs, record_file, store_dir};

/// How many images, containers or tags an error names.
pub(super) const MAX_NAMED: usize = 8;

/// The images of one root directory. Cheap to open and to clone; keeps nothing open.
#[derive(Clone, Debug)]
pub struct Store {
    images: PathBuf,
    /// The fence of a run that is not trusted.
    own: Option<Arc<OwnImages>>,
}

impl Store {
    /// Opens `root/images`, and creates it if it is missing. An existing store takes one system
    /// call and no write.
    pub fn open(root: &Path) -> Result<Store> {
        let store = Store { images: root.join("images"), own: None };
        // Written last, so the rest exists too.
        if !store.exists()? {
            store.initialize().map_err(|error| {
                let denied = error.kind() == Kind::Denied;
                let error = error.context(format!("cannot create the store `{}`", root.display()));
                if !denied {
                    return error;
                }
                error.hint("run as root, or choose another directory with --root or LIFEBOX_ROOT")
            })?;
        }
        Ok(store)
    }

    /// Opens `root/images` for reading only. A store that does not exist is an empty one.
    pub fn open_read_only(root: &Path) -> Store {
        Store { images: root.join("images"), own: None }
    }

    /// Returns whether there is a store.
    fn exists(&self) -> Result<bool> {
        let path = self.images.join("oci-layout");
        let exists = path.try_exists().map_err(|error| store_dir::explain(&self.images, error));
        exists.context(|| format!("stat `{}`", path.display()))
    }

    /// Restricts changes of tags and images to those of this run.
    #[must_use]
    pub fn fenced(self, own: Option<Arc<OwnImages>>) -> Store {
        Store { own, ..self }
    }

    pub(super) fn own(&self) -> Option<&OwnImages> {
        self.own.as_deref()
    }

    /// Creates missing directories.
    pub(crate) fn create_directories(&self) -> Result<()> {
        // The store itself may be a link to one on another disk, which is not made here.
        if !self.exists()? {
            store_dir::make(&self.images)?;
        }
        // Each by itself: none is made below what another link leads to.
        let names = ["blobs", "blobs/sha256", "layers", "staging"];
        names.iter().try_for_each(|name| store_dir::make(&self.images.join(name)))
    }

    fn initialize(&self) -> Result<()> {
        self.create_directories()?;
        let lock = self.lock()?;
        // From now on, a missing list was lost.
        if !self.images.join("index.json").exists() && !has_blobs(&self.images) {
            Index::default().write(&self.images)?;
        }
        write_file(&self.images, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        drop(lock);
        Ok(())
    }

    /// Finds the image that `query` names: a reference, its id, or the unique beginning of its id.
    pub fn find(&self, query: &str) -> Result<Image> {
        let index = Index::read(&self.images)?;
        self.find_in(&index, query)
    }

    /// Returns the id that each name stands for, of those that [`Store::find`] takes; `None` where
    /// there is no such image.
    pub fn ids_of(&self, names: &[&str]) -> Result<Vec<Option<Digest>>> {
        let index = Index::read(&self.images)?;
        Ok(names.iter().map(|name| resolve(&index, name).ok()).collect())
    }

    /// As [`Store::find`], in an index that was read.
    pub(crate) fn find_in(&self, index: &Index, query: &str) -> Result<Image> {
        let id = resolve(index, query)?;
        let entries: Vec<_> = index.of(&id).collect();
        self.read_found(&entries, &id, query)
    }

    /// Reads an image whose entries were found.
    pub(super) fn read_found(&self, entries: &[&Entry], id: &Digest, query: &str) -> Result<Image> {
        self.read(entries, id).map_err(|error| {
            error
                .with_kind(Kind::Corrupt)
                .context(format!("the image `{query}` is damaged"))
                .hint("load it again, or remove it with `rmi`")
        })
    }

    /// Returns all images, newest first. A damaged one is listed without its details, so that it
    /// can be seen and removed.
    pub fn list(&self) -> Result<Vec<Image>> {
        Ok(self.list_of(&Index::read(&self.images)?))
    }

    /// As [`Store::list`], of an index that was read.
    pub(crate) fn list_of(&self, index: &Index) -> Vec<Image> {
        let image = |(id, entries): (&Digest, Vec<&Entry>)| {
            self.read(&entries, id).unwrap_or_else(|_| described(&entries, id))
        };
        let mut images: Vec<Image> = index.by_id().into_iter().map(image).collect();
        images.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        images
    }

    /// Returns the directory of the layer with this key: one of [`Image::layers`], usable as a
    /// `lowerdir` of overlayfs.
    pub fn layer_dir(&self, diff_id: &Digest) -> PathBuf {
        layer::path(&self.images, diff_id)
    }

    /// Opens the tar of layer `number` of an image, uncompressed. Reading its end fails with the
    /// kind `corrupt` if its digest is not that of the image's configuration.
    pub(crate) fn layer_tar(&self, image: &Image, number: usize) -> Result<Box<dyn Read + Send>> {
        let diff_ids = image.diff_ids();
        let (Some(diff_id), Some(key)) = (diff_ids.get(number), image.layers.get(number)) else {
            return Err(corrupt(format!("the image has no layer {number}")));
        };
        let blob = image.manifest.as_ref().and_then(|manifest| {
            let layer = self.read_manifest(manifest).ok()?.layers.into_iter().nth(number)?;
            self.open_blob_file(&layer.digest).ok()
        });
        let stream = match blob {
            Some(blob) => decompress(blob)?.0,
            None => self.unpacked_tar(key)?,
        };
        Ok(Box::new(Verified::new(stream, diff_id.clone())))
    }

    /// Rebuilds the tar of the unpacked layer with this key.
    pub(crate) fn unpacked_tar(&self, key: &Digest) -> Result<Box<dyn Read + Send>> {
        let tar_split = self.images.join("layers").join(layer::tar_split_name(key));
        let tar_split = record_file::open(&tar_split, OpenOptions::new().read(true))
            .context(|| format!("cannot rebuild the layer `{}`", key.short()))?;
        let layer = fs::open_dir(&self.layer_dir(key))?;
        Ok(Box::new(TarAssembler::new(tar_split, layer)?))
    }

    /// Opens a layer blob that the manifest of `image` names. Returns it with its length.
    pub(crate) fn open_blob(
        &self,
        image: &Image,
        number: usize,
    ) -> Result<(Descriptor, Box<dyn Read + Send>)> {
        let missing = || corrupt(format!("the image has no layer {number}"));
        let manifest = self.read_manifest(image.manifest.as_ref().ok_or_else(missing)?)?;
        let layer = manifest.layers.into_iter().nth(number).ok_or_else(missing)?;
        let stream: Box<dyn Read + Send> = match self.open_blob_file(&layer.digest) {
            Ok(file) => Box::new(file),
            Err(_) => self.unpacked_tar(image.layers.get(number).ok_or_else(missing)?)?,
        };
        Ok((layer.clone(), Box::new(Verified::new(stream, layer.digest))))
    }

    /// Returns the directory of the store.
    pub(crate) fn images(&self) -> &Path {
        &self.images
    }

    /// Waits for the lock for changes of the index, the blobs and the layers. It is held briefly:
    /// never while unpacking or deleting.
    pub(crate) fn lock(&self) -> Result<OwnedFd> {
        let path = self.images.join("lock");
        let file = record_file::open_or_create_lock(&path);
        let file = file.context(|| format!("open `{}`", path.display()))?;
        lock::acquire(&file, Share::Alone, "the images")?;
        Ok(file.into())
    }

    /// Creates a staging directory, and removes those of dead imports.
    pub(crate) fn staging(&self) -> Result<Staging> {
        let parent = self.images.join("staging");
        let lock = self.lock()?;
        let abandoned = staging::abandoned(&parent)?;
        let staging = Staging::create(&parent);
        drop(lock);
        drop(abandoned);
        staging
    }

    /// Returns the path of a blob.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        layer::blob(&self.images, digest)
    }

    /// Opens a blob.
    pub(crate) fn open_blob_file(&self, digest: &Digest) -> std::io::Result<File> {
        record_file::open(&self.blob(digest), OpenOptions::new().read(true))
    }

    /// Reads a small blob and checks its digest.
    pub(crate) fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        let path = self.blob(digest);
        let bytes = record_file::read(&path);
        let bytes = bytes.context(|| format!("read `{}`", path.display()))?;
        if digest_of(&bytes) == *digest {
            Ok(bytes)
        } else {
            Err(corrupt(format!("the content of `{}` has changed", path.display())))
        }
    }

    /// Reads the manifest with this digest.
    pub(crate) fn read_manifest(&self, digest: &Digest) -> Result<Manifest> {
        super::document::parse(&self.read_blob(digest)?)
    }

    fn read(&self, entries: &[&Entry], id: &Digest) -> Result<Image> {
        let document = Document::parse(&self.read_blob(id)?)?;
        let layers = layer::keys(&self.images, &document.diff_ids)?;
        Ok(Image {
            created: document.created,
            layers,
            architecture: document.architecture,
            os: document.os,
            config: document.config,
            document: document.value,
            ..described(entries, id)
        })
    }
}

/// Describes an image by its entries in the index alone.
pub(super) fn described(entries: &[&Entry], id: &Digest) -> Image {
    let references: BTreeSet<Reference> =
        entries.iter().filter_map(|entry| entry.reference.clone()).collect();
    let (digests, tags): (Vec<_>, Vec<_>) =
        references.into_iter().partition(|reference| reference.digest().is_some());
    let first = entries.first();
    Image {
        id: id.clone(),
        manifest: first.map(|entry| entry.manifest.clone()),
        parent: first.and_then(|entry| entry.parent.clone()),
        intermediate: tags.is_empty()
            && first.is_some_and(|entry| entry.step.is_some() && !entry.is_result),
        tags,
        digests,
        created: None,
        tagged: entries.iter().filter_map(|entry| entry.tagged).max(),
        size: first.map_or(0, |entry| entry.size),
        layers: Vec::new(),
        architecture: String::new(),
        os: String::new(),
        config: ImageConfig::default(),
        document: serde_json::Value::Null,
    }
}

/// Parses `query` as a reference. A text that looks like an id is not one: otherwise an archive
/// could bring a tag that reads as the id of another image, and take its place.
pub fn as_reference(query: &str) -> Option<Reference> {
    let whole_id = query.len() == 64 && query.bytes().all(|byte| byte.is_ascii_hexdigit());
    if whole_id || query.starts_with("sha256:") {
        return None;
    }
    query.parse().ok()
}

/// Resolves `query` to an id, in Docker's order: a reference, then an id or the unique beginning of
/// one.
pub(crate) fn resolve(index: &Index, query: &str) -> Result<Digest> {
    let reference = as_reference(query);
    if let Some(found) = reference.as_ref().and_then(|reference| by_reference(index, reference)) {
        return Ok(found.id.clone());
    }
    let digits = query.strip_prefix("sha256:").unwrap_or(query);
    let hexadecimal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let matching: Vec<_> = if hexadecimal && !digits.is_empty() {
        index.ids().into_iter().filter(|id| id.hex().starts_with(digits)).collect()
    } else {
        Vec::new()
    };
    match matching[..] {
        [id] => Ok(id.clone()),
        [] => {
            let names = index.entries.iter().filter_map(|entry| entry.reference.as_ref());
            Err(no_such(query, names))
        }
        _ => Err(ambiguous(query, &matching)),
    }
}

/// Returns the error for a name without an image, with the nearest of the names that there are; or
/// for what cannot be a name of one.
pub(super) fn no_such<'a>(query: &str, names: impl Iterator<Item = &'a Reference>) -> Error {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_id = query.starts_with("sha256:") || query.bytes().all(is_digit) && !query.is_empty();
    if let (Err(error), false) = (query.parse::<Reference>(), is_id) {
        return error;
    }
    let has_tag = query.rsplit('/').next().is_some_and(|name| name.contains(':'));
    let names: Vec<String> = names
        .map(|name| match name.familiar() {
            whole if has_tag => whole,
            whole => whole.rsplit_once(':').map_or(whole.clone(), |(name, _)| name.to_owned()),
        })
        .collect();
    let near = suggest(query, names.iter().map(String::as_str));
    let all = "list local images with `images`, or load an archive with `load -i FILE`".to_owned();
    let query = credentials::mask_reference(query);
    Error::new(Kind::NotFound, format!("no such image: `{query}`"))
        .hint(near.map_or(all, |near| format!("did you mean `{near}`?")))
}

/// Returns the error for the beginning of several ids.
pub(super) fn ambiguous(query: &str, matching: &[&Digest]) -> Error {
    let ids: Vec<_> = matching.iter().take(MAX_NAMED).map(|id| id.short()).collect();
    let more = if matching.len() > MAX_NAMED { ", ..." } else { "" };
    Error::new(Kind::Invalid, format!("`{query}` is the beginning of several image ids"))
        .hint(format!("write more of the id: {}{more}", ids.join(", ")))
}

/// Returns the entry of a tag, or with a digest the image of that repository with this manifest or
/// id.
pub(crate) fn by_reference<'a>(index: &'a Index, requested: &Reference) -> Option<&'a Entry> {
    index.entries.iter().find(|entry| {
        let Some(known) = &entry.reference else { return false };
        match requested.digest() {
            None => known == requested,
            Some(digest) => {
                known.repository() == requested.repository()
                    && (known.digest() == Some(digest)
                        || entry.manifest == *digest
                        || entry.id == *digest)
            }
        }
    })
}

/// Returns a staging directory for a reader: outside of a store that is read-only, or has something
/// else in its place.
pub(crate) fn scratch(staging: Result<Staging>) -> Result<Staging> {
    match staging {
        Err(error) if error.errno() == Some(libc::EROFS) || error.kind() == Kind::Corrupt => {
            Staging::create(&std::env::temp_dir())
        }
        staging => staging,
    }
}

#[cfg(test)]
#[path = "tests/store.rs"]
mod tests;
