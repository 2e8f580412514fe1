//! Imports images into the store: configuration, layers, references.
//!
//! Slow work happens in a staging directory without a lock. Then one `syncfs(2)`, and under the
//! lock only renames, links and the new index. So two concurrent imports of the same image both
//! succeed, and the second one drops its copy.

use std::collections::{HashMap, HashSet};
use std::os::fd::OwnedFd;

use jiff::Timestamp;

use super::document::{self, Document};
use super::handle::Store;
use super::index::{Descriptor, Entry, Index, MEDIA_CONFIG, MEDIA_LAYER, MEDIA_MANIFEST, Manifest};
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::compression::Compression;
use crate::image::bytes::source::Source;
use crate::image::bytes::spool::{digest_of, write_all};
use crate::image::bytes::staging::Staging;
use crate::image::layer;
use crate::image::layer::unpack::{Ready, Stack};
use crate::image::tar::error::corrupt;
use crate::model::error::Context;
use crate::model::image::Loaded;
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::tree::remove_any_at;
use crate::sys::{fs, store_dir};

/// How often an import starts over because a removal deleted a layer that it needs.
const ATTEMPTS: usize = 3;

/// An image to import.
pub(crate) struct Incoming<'a> {
    /// The image's configuration. Its digest is the image's id.
    pub(crate) config: &'a [u8],
    /// Its manifest, unchanged; without one, a manifest is written.
    pub(crate) manifest: Option<&'a [u8]>,
    /// Its layers, lowest first.
    pub(crate) layers: Vec<Box<dyn Source + 'a>>,
    /// The tags and digest references of the image.
    pub(crate) references: Vec<Reference>,
    /// The build step that created the image.
    pub(crate) step: Option<Digest>,
    /// The image that it was built from.
    pub(crate) parent: Option<Digest>,
}

impl<'a> Incoming<'a> {
    /// Returns an image without a manifest, and from no build.
    pub(crate) fn new(
        config: &'a [u8],
        layers: Vec<Box<dyn Source + 'a>>,
        references: Vec<Reference>,
    ) -> Self {
        Incoming { config, manifest: None, layers, references, step: None, parent: None }
    }
}

/// Configuration and manifest in the staging directory.
struct Documents {
    manifest: Digest,
    manifest_size: u64,
    /// The names in the staging directory, and the digests that become their names.
    files: Vec<(String, Digest)>,
}

/// An image whose layers are in the staging directory or in the store.
struct StagedImage<'a> {
    incoming: &'a Incoming<'a>,
    id: &'a Digest,
    ready: Vec<Ready>,
    documents: Documents,
}

impl StagedImage<'_> {
    /// Returns the image's entry in the list, without a reference.
    fn entry(&self) -> Entry {
        Entry {
            id: self.id.clone(),
            manifest: self.documents.manifest.clone(),
            manifest_size: self.documents.manifest_size,
            reference: None,
            size: self.ready.iter().map(|layer| layer.size).sum(),
            tagged: Some(Timestamp::now()),
            step: self.incoming.step.clone(),
            is_result: false,
            parent: self.incoming.parent.clone(),
        }
    }
}

impl Store {
    /// Imports one image, which becomes visible when this function returns.
    pub(crate) fn import(
        &self,
        staging: &Staging,
        incoming: &Incoming<'_>,
        check: CancelCheck<'_>,
    ) -> Result<Loaded> {
        let mut loaded = self.import_all(staging, std::slice::from_ref(incoming), check)?;
        loaded.pop().ok_or_else(|| Error::new(Kind::Bug, "an import without an image"))
    }

    /// Imports several images, which become visible together when this function returns, or not at
    /// all. The list of images is written once.
    pub(crate) fn import_all(
        &self,
        staging: &Staging,
        images: &[Incoming<'_>],
        check: CancelCheck<'_>,
    ) -> Result<Vec<Loaded>> {
        let parse = |incoming: &Incoming<'_>| {
            let document = Document::parse(incoming.config)?;
            document.check_size()?;
            check_documents(&document, incoming)?;
            // No more of it: an archive may bring a thousand.
            Ok((document.id, layer::ids(&document.diff_ids)))
        };
        let identities = images.iter().map(parse).collect::<Result<Vec<_>>>()?;
        for attempt in 0..ATTEMPTS {
            let mut earlier = HashMap::new();
            let mut staged = Vec::with_capacity(images.len());
            for (number, (incoming, (id, ids))) in images.iter().zip(&identities).enumerate() {
                let stack = Stack {
                    images: self.images().to_owned(),
                    staging,
                    sources: &incoming.layers,
                    ids: ids.clone(),
                    earlier: &earlier,
                    prefix: format!("layer-{number}-{attempt}"),
                };
                let ready = stack.unpack(check)?;
                let documents = stage_documents(staging, incoming, id, &ready)?;
                let new = ready.iter().filter(|layer| layer.staged.is_some());
                earlier.extend(new.map(|layer| (layer.key.clone(), layer.clone())));
                staged.push(StagedImage { incoming, id, ready, documents });
            }
            fs::sync_filesystem(staging.directory())?;
            check()?;
            if let Some(loaded) = self.publish(staging, &staged)? {
                return Ok(loaded);
            }
        }
        Err(Error::new(Kind::Refused, "another command keeps removing the layers of this image")
            .hint("load it again while no `rmi` runs"))
    }

    /// Publishes the images. `None` if a layer that existed was removed meanwhile.
    fn publish(
        &self,
        staging: &Staging,
        images: &[StagedImage<'_>],
    ) -> Result<Option<Vec<Loaded>>> {
        let lock = self.lock()?;
        // Before anything is added: if the list is lost, no new one may be started.
        let mut index = Index::read(self.images())?;
        for image in images {
            self.may_take(&index, &image.incoming.references)?;
        }
        let ready = || images.iter().flat_map(|image| &image.ready);
        if ready().any(|layer| self.is_missing(layer)) {
            return Ok(None);
        }
        let blobs = store_dir::open(&self.images().join("blobs/sha256"))?;
        for (name, digest) in images.iter().flat_map(|image| &image.documents.files) {
            // Loading an image again repairs it.
            if self.read_blob(digest).is_err() && self.blob(digest).exists() {
                fs::unlink(&blobs, digest.hex().as_bytes())?;
            }
            link_blob(staging, name, &blobs, digest)?;
        }
        for layer in ready() {
            if let Some(name) = &layer.blob.staged {
                link_blob(staging, name, &blobs, &layer.blob.digest)?;
            }
        }
        fs::sync(&blobs)?;
        self.publish_layers(staging, ready())?;

        let mut loaded = Vec::with_capacity(images.len());
        let mut added = Vec::with_capacity(images.len());
        for image in images {
            let entry = image.entry();
            let is_new = index.of(&entry.id).next().is_none();
            let moved = index.put(&entry, &image.incoming.references);
            let tags = image.incoming.references.iter().filter(|known| known.digest().is_none());
            loaded.push(Loaded { id: entry.id.clone(), tags: tags.cloned().collect(), moved });
            added.push((entry, is_new));
        }
        index.write(self.images())?;
        for (entry, is_new) in &added {
            self.note_own(entry, *is_new);
        }
        drop(lock);
        Ok(Some(loaded))
    }

    /// Returns whether a layer or blob was removed from the store.
    fn is_missing(&self, layer: &Ready) -> bool {
        let unpacked = layer.staged.is_some() || layer::path(self.images(), &layer.key).is_dir();
        let rebuilds = layer.blob.compression.is_none();
        let blob =
            rebuilds || layer.blob.staged.is_some() || self.blob(&layer.blob.digest).exists();
        !unpacked || !blob
    }

    fn publish_layers<'a>(
        &self,
        staging: &Staging,
        ready: impl Iterator<Item = &'a Ready>,
    ) -> Result<()> {
        let holder = store_dir::open(&self.images().join("layers"))?;
        let mut published = HashSet::new();
        for layer in ready {
            let Some(staged) = layer.staged.as_ref().filter(|name| published.insert(*name)) else {
                continue;
            };
            let files = [
                (format!("{staged}.json"), layer::record_name(&layer.key)),
                (format!("{staged}.recipe"), layer::tar_split_name(&layer.key)),
            ];
            for (from, to) in files {
                if fs::stat(staging.directory(), from.as_bytes())?.is_some() {
                    fs::rename(staging.directory(), from.as_bytes(), &holder, to.as_bytes())?;
                }
            }
            let hex = layer.key.hex().as_bytes();
            let renamed = || fs::rename_new(staging.directory(), staged.as_bytes(), &holder, hex);
            let path = layer::path(self.images(), &layer.key);
            // A directory is the same layer, which another process has imported.
            if !renamed()? && !path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                remove_any_at(&path)?;
                renamed()?;
            }
        }
        fs::sync(&holder)
    }
}

/// Writes configuration and manifest into the staging directory.
fn stage_documents(
    staging: &Staging,
    incoming: &Incoming<'_>,
    id: &Digest,
    ready: &[Ready],
) -> Result<Documents> {
    let config_size = incoming.config.len() as u64;
    let written;
    let manifest = match incoming.manifest {
        Some(manifest) => {
            check_manifest(manifest, ready)?;
            manifest
        }
        None => {
            written = write_manifest(id, config_size, ready)?;
            &written
        }
    };
    let digest = digest_of(manifest);
    let mut files = Vec::new();
    for (bytes, digest) in [(incoming.config, id), (manifest, &digest)] {
        let name = format!("document-{}", digest.hex());
        // Another image of the archive, or an earlier attempt, may have written it.
        if fs::stat(staging.directory(), name.as_bytes())?.is_none() {
            write_all(fs::create_file(staging.directory(), name.as_bytes())?, bytes)?;
        }
        files.push((name, digest.clone()));
    }
    Ok(Documents { manifest: digest, manifest_size: manifest.len() as u64, files })
}

/// Returns the manifest of an image that came without one.
pub(crate) fn write_manifest(id: &Digest, config_size: u64, ready: &[Ready]) -> Result<Vec<u8>> {
    let descriptor = |media: &str, digest: &Digest, size: u64| Descriptor {
        media_type: media.to_owned(),
        digest: digest.clone(),
        size,
        annotations: std::collections::BTreeMap::new(),
    };
    let layer = |layer: &Ready| {
        descriptor(&media_type(layer.blob.compression), &layer.blob.digest, layer.blob.size)
    };
    let manifest = Manifest {
        schema_version: 2,
        media_type: MEDIA_MANIFEST.to_owned(),
        config: descriptor(MEDIA_CONFIG, id, config_size),
        layers: ready.iter().map(layer).collect(),
    };
    serde_json::to_vec(&manifest).map_err(|error| corrupt(error.to_string()))
}

/// Returns the media type of a layer (OCI image specification, layer.md).
pub(crate) fn media_type(compression: Option<Compression>) -> String {
    let suffix = match compression {
        None => "",
        Some(Compression::Gzip) => "+gzip",
        Some(Compression::Zstd) => "+zstd",
    };
    format!("{MEDIA_LAYER}{suffix}")
}

/// Links a staged file into the blobs. A link, so that the next image of the same archive finds the
/// file still there.
fn link_blob(staging: &Staging, name: &str, blobs: &OwnedFd, digest: &Digest) -> Result<()> {
    let hex = digest.hex().as_bytes();
    match fs::make_link(staging.directory(), name.as_bytes(), blobs, hex) {
        Err(error) if error.errno() == Some(libc::EEXIST) => Ok(()),
        result => result,
    }
}

/// Checks that configuration and manifest are of one image.
fn check_documents(document: &Document, incoming: &Incoming<'_>) -> Result<()> {
    let (expected, found) = (document.diff_ids.len(), incoming.layers.len());
    if expected != found {
        return Err(corrupt(format!("its configuration has {expected} layers, the image {found}")));
    }
    let Some(bytes) = incoming.manifest else { return Ok(()) };
    let manifest: Manifest = document::parse(bytes).context(|| "its manifest".to_owned())?;
    if manifest.config.digest != document.id || manifest.layers.len() != found {
        return Err(corrupt("its manifest is of another image"));
    }
    Ok(())
}

/// Checks the layers against the manifest, in size and content.
fn check_manifest(bytes: &[u8], ready: &[Ready]) -> Result<()> {
    let manifest: Manifest = document::parse(bytes)?;
    for (number, (promised, layer)) in manifest.layers.iter().zip(ready).enumerate() {
        if promised.digest != layer.blob.digest || promised.size != layer.blob.size {
            return Err(corrupt(format!(
                "layer {} is not what its manifest says: {} bytes of `{}` instead of {} of `{}`",
                number + 1,
                layer.blob.size,
                layer.blob.digest,
                promised.size,
                promised.digest
            )));
        }
    }
    Ok(())
}
