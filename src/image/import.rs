//! Brings one image into the store: its configuration, its layers, its tags.
//!
//! All that takes long happens in a staging directory without a lock. Then one `syncfs(2)`, and
//! under the lock only renames, links and the new index. So two imports of the same image at
//! once both succeed, and the one that comes second throws its copy away.

use std::os::fd::OwnedFd;

use jiff::Timestamp;

use super::Check;
use super::document::Document;
use super::extract::{explain, extract};
use super::index::{Descriptor, Entry, Index, MEDIA_CONFIG, MEDIA_LAYER, MEDIA_MANIFEST, Manifest};
use super::layers::{self, LayerId, Record};
use super::members::corrupt;
use super::spool::{Spooled, digest_of, write_all};
use super::staging::Staging;
use super::store::Store;
use crate::model::digest::Digest;
use crate::model::error::Context;
use crate::model::image::Loaded;
use crate::model::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// How often an import starts over because a removal took a layer that it built upon.
const ATTEMPTS: usize = 3;

/// An image to import. Its layers are files of the staging directory, lowest first.
pub(crate) struct Parts<'a> {
    pub(crate) config: &'a [u8],
    pub(crate) layers: Vec<&'a Spooled>,
    pub(crate) tags: Vec<Reference>,
}

/// A layer that is ready, in the store or beside it.
struct Ready {
    key: Digest,
    size: u64,
    /// Its directory's name in the staging directory; `None` where the store has it.
    staged: Option<String>,
}

impl Store {
    /// Brings in one image. It is visible when this returns, and not before.
    pub(crate) fn import(
        &self,
        staging: &Staging,
        parts: &Parts<'_>,
        check: Check<'_>,
    ) -> Result<Loaded> {
        let document = Document::parse(parts.config)?;
        check_layers(&document, &parts.layers)?;
        for attempt in 0..ATTEMPTS {
            let ready = self.unpack(staging, &document, parts, attempt, check)?;
            let manifest = self.stage_documents(staging, parts, &document, attempt)?;
            fs::sync_filesystem(staging.directory())?;
            check()?;
            if let Some(loaded) = self.publish(staging, parts, &document, &ready, &manifest)? {
                return Ok(loaded);
            }
        }
        Err(Error::new(Kind::Refused, "another command keeps removing the layers of this image")
            .hint("load it again when no `rmi` runs"))
    }

    /// Unpacks the layers that the store lacks.
    fn unpack(
        &self,
        staging: &Staging,
        document: &Document,
        parts: &Parts<'_>,
        attempt: usize,
        check: Check<'_>,
    ) -> Result<Vec<Ready>> {
        let mut ready: Vec<Ready> = Vec::new();
        // Topmost first, as the extraction wants them. Held open: were one removed meanwhile,
        // its files stay until this is done, and `publish` notices.
        let mut lowers: Vec<OwnedFd> = Vec::new();
        for (number, id) in layers::ids(&document.diff_ids).iter().enumerate() {
            let layer = match layers::key(self.images(), id) {
                Some(key) => Ready { size: layers::size(self.images(), &key), key, staged: None },
                None => {
                    let name = format!("layer-{attempt}-{}-{number}", document.id.short());
                    unpack_one(staging, parts.layers[number], &name, id, &lowers, check)
                        .map_err(|error| explain(error, self.images()))
                        .context(|| format!("cannot unpack layer {number}"))?
                }
            };
            let path = match &layer.staged {
                Some(name) => staging.path().join(name),
                None => layers::path(self.images(), &layer.key),
            };
            lowers.insert(0, fs::open_dir(&path)?);
            ready.push(layer);
        }
        Ok(ready)
    }

    /// Writes configuration and manifest into the staging directory.
    fn stage_documents(
        &self,
        staging: &Staging,
        parts: &Parts<'_>,
        document: &Document,
        attempt: usize,
    ) -> Result<Spooled> {
        let descriptor = |media: &str, digest: &Digest, size: u64| Descriptor {
            media_type: media.to_owned(),
            digest: digest.clone(),
            size,
            annotations: std::collections::BTreeMap::new(),
        };
        let layer = |layer: &&Spooled| descriptor(MEDIA_LAYER, &layer.digest, layer.size);
        let manifest = Manifest {
            schema_version: 2,
            media_type: MEDIA_MANIFEST.to_owned(),
            config: descriptor(MEDIA_CONFIG, &document.id, parts.config.len() as u64),
            layers: parts.layers.iter().map(layer).collect(),
        };
        let bytes = serde_json::to_vec(&manifest).map_err(|error| corrupt(error.to_string()))?;
        let config = config_name(document);
        let name = format!("manifest-{}", document.id.hex());
        if attempt == 0 && fs::stat(staging.directory(), config.as_bytes())?.is_none() {
            for (name, bytes) in [(&config, parts.config), (&name, &bytes)] {
                write_all(fs::create_file(staging.directory(), name.as_bytes())?, bytes)?;
            }
        }
        Ok(Spooled { name, size: bytes.len() as u64, digest: digest_of(&bytes) })
    }

    /// Makes it all visible. `None` where a layer that was there has been removed meanwhile.
    fn publish(
        &self,
        staging: &Staging,
        parts: &Parts<'_>,
        document: &Document,
        ready: &[Ready],
        manifest: &Spooled,
    ) -> Result<Option<Loaded>> {
        let lock = self.lock()?;
        let gone = |layer: &&Ready| {
            layer.staged.is_none() && !layers::path(self.images(), &layer.key).is_dir()
        };
        if ready.iter().any(|layer| gone(&layer)) {
            return Ok(None);
        }
        let blobs = fs::open_dir(&self.images().join("blobs/sha256"))?;
        let config = config_name(document);
        for (name, digest) in [(&config, &document.id), (&manifest.name, &manifest.digest)] {
            // Loading an image again repairs it.
            if self.read_blob(digest).is_err() && self.blob(digest).exists() {
                fs::unlink(&blobs, digest.hex().as_bytes())?;
            }
            link_blob(staging, name, &blobs, digest)?;
        }
        for layer in &parts.layers {
            link_blob(staging, &layer.name, &blobs, &layer.digest)?;
        }
        fs::sync(&blobs)?;
        self.publish_layers(staging, ready)?;

        let mut index = Index::read(self.images())?;
        let entry = Entry {
            id: document.id.clone(),
            manifest: manifest.digest.clone(),
            manifest_size: manifest.size,
            reference: None,
            size: ready.iter().map(|layer| layer.size).sum(),
            tagged: Some(Timestamp::now()),
            step: None,
            parent: None,
        };
        let moved = index.put(&entry, &parts.tags);
        index.write(self.images())?;
        drop(lock);
        Ok(Some(Loaded { id: document.id.clone(), tags: parts.tags.clone(), moved }))
    }

    fn publish_layers(&self, staging: &Staging, ready: &[Ready]) -> Result<()> {
        let holder = fs::open_dir(&self.images().join("layers"))?;
        for layer in ready {
            let Some(staged) = &layer.staged else { continue };
            let record = format!("{staged}.json");
            let name = layers::record_name(&layer.key);
            fs::rename(staging.directory(), record.as_bytes(), &holder, name.as_bytes())?;
            // False is fine: somebody else has brought in the same.
            let hex = layer.key.hex().as_bytes();
            fs::rename_new(staging.directory(), staged.as_bytes(), &holder, hex)?;
        }
        fs::sync(&holder)
    }
}

/// Gives a staged file its place among the blobs. A link, so that the next image of the same
/// archive finds the file still there.
fn link_blob(staging: &Staging, name: &str, blobs: &OwnedFd, digest: &Digest) -> Result<()> {
    let hex = digest.hex().as_bytes();
    match fs::make_link(staging.directory(), name.as_bytes(), blobs, hex) {
        Err(error) if error.errno() == Some(libc::EEXIST) => Ok(()),
        result => result,
    }
}

fn config_name(document: &Document) -> String {
    format!("config-{}", document.id.hex())
}

/// As many layers as the configuration says, each with the content that it says.
fn check_layers(document: &Document, layers: &[&Spooled]) -> Result<()> {
    let (said, given) = (document.diff_ids.len(), layers.len());
    if said != given {
        return Err(corrupt(format!("its configuration names {said} layers, it brings {given}")));
    }
    for (number, (said, layer)) in document.diff_ids.iter().zip(layers).enumerate() {
        if *said != layer.digest {
            return Err(corrupt(format!(
                "layer {number} is not what the configuration says: `{}` instead of `{}`",
                layer.digest.short(),
                said.short()
            )));
        }
    }
    Ok(())
}

fn unpack_one(
    staging: &Staging,
    layer: &Spooled,
    name: &str,
    id: &LayerId,
    lowers: &[OwnedFd],
    check: Check<'_>,
) -> Result<Ready> {
    let root = staging.make_dir(name)?;
    let tar = fs::open_file_beneath(staging.directory(), layer.name.as_bytes())?;
    let tar = std::io::BufReader::with_capacity(128 * 1024, std::fs::File::from(tar));
    let extracted = extract(tar, &root, lowers, check)?;
    let record = serde_json::to_vec(&Record { version: 1, size: extracted.size })
        .map_err(|error| corrupt(error.to_string()))?;
    let file = fs::create_file(staging.directory(), format!("{name}.json").as_bytes())?;
    write_all(file, &record)?;
    let key = if extracted.stands_alone { &id.diff_id } else { &id.above };
    Ok(Ready { key: key.clone(), size: extracted.size, staged: Some(name.to_owned()) })
}
