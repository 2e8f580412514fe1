//! `index.json`: the list of images and their names.
//!
//! The file is an OCI image index, one descriptor for each tag, so that other tools can read the
//! store. Annotations keep what `find` needs and would have to compute: the image's id, its
//! unpacked size and when it was tagged.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::document;
use crate::image::bytes::spool::write_all;
use crate::image::tar::error::corrupt;
use crate::model::error::Context;
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::{fs, record_file};

pub(crate) const MEDIA_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MEDIA_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const MEDIA_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const MEDIA_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A second copy of the list, so that names survive the loss of the first.
const COPY: &str = "index.json.copy";
const REPAIR_HINT: &str = "rebuild it from the stored images: lifebox system check --repair";

const REFERENCE: &str = "org.opencontainers.image.ref.name";
const ID: &str = "lifebox.image.id";
const SIZE: &str = "lifebox.image.size";
const TAGGED: &str = "lifebox.image.tagged";
const STEP: &str = "lifebox.image.step";
const RESULT: &str = "lifebox.image.result";
const PARENT: &str = "lifebox.image.parent";

/// A content descriptor of the OCI image specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    #[serde(default)]
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// An image manifest of the OCI image specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub(crate) schema_version: u32,
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    schema_version: u32,
    #[serde(default)]
    media_type: String,
    manifests: Vec<Descriptor>,
}

/// One entry of the index: an image, and one of its references if it has any.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) id: Digest,
    pub(crate) manifest: Digest,
    pub(crate) manifest_size: u64,
    /// A tag, or `repository@digest` for the name in a registry.
    pub(crate) reference: Option<Reference>,
    pub(crate) size: u64,
    pub(crate) tagged: Option<Timestamp>,
    /// The key of the build step that created the image.
    pub(crate) step: Option<Digest>,
    /// Whether it was more than a step: a build ended with it, or it had a tag.
    pub(crate) is_result: bool,
    /// The parent image.
    pub(crate) parent: Option<Digest>,
}

/// The whole index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Index {
    pub(crate) entries: Vec<Entry>,
}

impl Index {
    /// Reads `index.json` in `directory`. A new store without one is empty.
    pub(crate) fn read(directory: &Path) -> Result<Index> {
        let path = directory.join("index.json");
        let bytes = match record_file::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if !has_blobs(directory) {
                    return Ok(Index::default());
                }
                let what = format!("the list of images `{}` is missing", path.display());
                return Err(corrupt(what).hint(REPAIR_HINT));
            }
            Err(error) => {
                let failed = Error::from_io(format!("read `{}`", path.display()), &error);
                let lost = failed.kind() == Kind::Corrupt || failed.errno() == Some(libc::EIO);
                let failed =
                    failed.context(format!("the list of images `{}` is damaged", path.display()));
                return Err(match lost {
                    true => failed.with_kind(Kind::Corrupt).hint(REPAIR_HINT),
                    false => failed,
                });
            }
        };
        Index::parse(&bytes).map_err(|error| {
            error
                .context(format!("the list of images `{}` is damaged", path.display()))
                .hint(REPAIR_HINT)
        })
    }

    fn parse(bytes: &[u8]) -> Result<Index> {
        // Without the limit of a stranger's document: each tag takes some hundred bytes.
        let written: Written = document::parse_of_any_length(bytes)?;
        if written.schema_version != 2 {
            return Err(Error::new(Kind::Unsupported, "it has another version"));
        }
        let entries = written.manifests.into_iter().filter_map(Entry::from_descriptor).collect();
        Ok(Index { entries })
    }

    /// Replaces `index.json` atomically and durably. The
    /// caller holds the store's lock.
    pub(crate) fn write(&self, directory: &Path) -> Result<()> {
        let manifests = self.entries.iter().map(Entry::to_descriptor).collect();
        let written = Written { schema_version: 2, media_type: MEDIA_INDEX.to_owned(), manifests };
        let bytes = serde_json::to_vec(&written).map_err(|error| corrupt(error.to_string()))?;
        let mut result = write_file(directory, "index.json", &bytes);
        if result.as_ref().is_err_and(is_full) {
            // On a full disk, removing the copy frees as much as the list needs.
            let _ = std::fs::remove_file(directory.join(COPY));
            result = write_file(directory, "index.json", &bytes);
        }
        result.context(|| "cannot write the list of images".to_owned())?;
        // The copy is optional: without space there is none.
        let _ = write_file(directory, COPY, &bytes);
        Ok(())
    }

    /// Reads the copy of a lost list; empty if the copy is lost as well.
    pub(crate) fn read_copy(directory: &Path) -> Index {
        let bytes = record_file::read(&directory.join(COPY)).unwrap_or_default();
        Index::parse(&bytes).unwrap_or_default()
    }

    /// Returns all entries of one image.
    pub(crate) fn of<'a>(&'a self, id: &'a Digest) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.id == *id)
    }

    /// Returns the ids of all images, each once, in the order of the index.
    pub(crate) fn ids(&self) -> Vec<&Digest> {
        let mut seen = HashSet::new();
        self.entries.iter().map(|entry| &entry.id).filter(|id| seen.insert(*id)).collect()
    }

    /// Returns the entries of all images by id.
    pub(crate) fn by_id(&self) -> HashMap<&Digest, Vec<&Entry>> {
        let mut images: HashMap<&Digest, Vec<&Entry>> = HashMap::new();
        for entry in &self.entries {
            images.entry(&entry.id).or_default().push(entry);
        }
        images
    }

    /// Adds an image under `references`, which other images lose; returns the tags that moved. An
    /// image that loses its last reference stays without one. References that the image had before
    /// keep their manifest.
    pub(crate) fn put(&mut self, image: &Entry, references: &[Reference]) -> Vec<Reference> {
        let mut moved = Vec::new();
        let named: HashSet<&Reference> = references.iter().collect();
        for entry in &mut self.entries {
            let taken = entry.reference.as_ref().is_some_and(|known| named.contains(known));
            if taken && entry.id != image.id {
                moved.extend(entry.reference.take());
                entry.is_result = true;
            }
        }
        self.entries.retain(|entry| {
            entry.id != image.id
                || entry.reference.as_ref().is_some_and(|known| !named.contains(known))
        });
        let has_others = self.entries.iter().any(|entry| entry.id == image.id);
        if references.is_empty() && !has_others {
            self.entries.push(Entry { reference: None, ..image.clone() });
        }
        let entry = |known: &Reference| Entry { reference: Some(known.clone()), ..image.clone() };
        self.entries.extend(references.iter().map(entry));
        for entry in self.entries.iter_mut().filter(|entry| entry.id == image.id) {
            entry.step = entry.step.take().or_else(|| image.step.clone());
            entry.parent = entry.parent.take().or_else(|| image.parent.clone());
        }
        self.drop_unreferenced();
        moved
    }

    /// Removes references. An image that loses its last one stays without.
    pub(crate) fn untag(&mut self, references: &BTreeSet<Reference>) {
        for entry in &mut self.entries {
            entry.is_result |=
                entry.reference.take_if(|known| references.contains(known)).is_some();
        }
        self.drop_unreferenced();
    }

    /// Returns the image that this build step has created last.
    pub(crate) fn of_step(&self, step: &Digest) -> Option<&Entry> {
        let created = self.entries.iter().filter(|entry| entry.step.as_ref() == Some(step));
        created.max_by_key(|entry| entry.tagged)
    }

    /// Drops entries without a reference if the image has another entry.
    pub(crate) fn drop_unreferenced(&mut self) {
        let known = self.entries.iter().filter(|entry| entry.reference.is_some());
        let known: HashSet<Digest> = known.map(|e| e.id.clone()).collect();
        let mut seen = HashSet::new();
        self.entries.retain(|entry| {
            entry.reference.is_some()
                || (!known.contains(&entry.id) && seen.insert(entry.id.clone()))
        });
    }
}

impl Entry {
    /// Converts a descriptor. One of another tool, without lifebox's annotations, is not an image
    /// of the store.
    fn from_descriptor(descriptor: Descriptor) -> Option<Entry> {
        let note = |key: &str| descriptor.annotations.get(key);
        let digest = |key: &str| note(key).and_then(|digest| digest.parse().ok());
        Some(Entry {
            id: digest(ID)?,
            reference: note(REFERENCE).and_then(|reference| reference.parse().ok()),
            size: note(SIZE).and_then(|size| size.parse().ok()).unwrap_or(0),
            tagged: note(TAGGED).and_then(|time| time.parse().ok()),
            step: digest(STEP),
            is_result: note(RESULT).is_some(),
            parent: digest(PARENT),
            manifest: descriptor.digest,
            manifest_size: descriptor.size,
        })
    }

    fn to_descriptor(&self) -> Descriptor {
        let text = |digest: &Option<Digest>| digest.as_ref().map(ToString::to_string);
        let notes = [
            (ID, Some(self.id.to_string())),
            (SIZE, Some(self.size.to_string())),
            (REFERENCE, self.reference.as_ref().map(ToString::to_string)),
            (TAGGED, self.tagged.map(|time| time.to_string())),
            (STEP, text(&self.step)),
            (RESULT, self.is_result.then(|| "true".to_owned())),
            (PARENT, text(&self.parent)),
        ];
        let notes = notes.into_iter().filter_map(|(key, note)| Some((key.to_owned(), note?)));
        Descriptor {
            media_type: MEDIA_MANIFEST.to_owned(),
            digest: self.manifest.clone(),
            size: self.manifest_size,
            annotations: notes.collect(),
        }
    }
}

/// Returns whether there are any blobs.
pub(crate) fn has_blobs(directory: &Path) -> bool {
    match std::fs::read_dir(directory.join("blobs/sha256")) {
        Ok(mut names) => names.next().is_some(),
        // What cannot be read is not taken for an empty store.
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

/// Returns whether the disk is full.
pub(crate) fn is_full(error: &Error) -> bool {
    matches!(error.errno(), Some(libc::ENOSPC | libc::EDQUOT))
}

/// Replaces a file of the store: writes a new one beside it, syncs it, renames it, and syncs the
/// directory.
pub(crate) fn write_file(directory: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let holder = fs::open_dir(directory)?;
    let temporary = format!(".{name}.new");
    match fs::unlink(&holder, temporary.as_bytes()) {
        Err(error) if error.kind() != Kind::NotFound => return Err(error),
        _ => {}
    }
    let file = fs::create_file(&holder, temporary.as_bytes())?;
    let written = write_all(&file, bytes)
        .and_then(|()| fs::sync(&file))
        .and_then(|()| fs::rename(&holder, temporary.as_bytes(), &holder, name.as_bytes()));
    written.inspect_err(|_| drop(fs::unlink(&holder, temporary.as_bytes())))?;
    fs::sync(&holder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u8) -> Entry {
        let digest = Digest::from_bytes(&[id; 32]);
        Entry {
            id: digest.clone(),
            manifest: digest,
            manifest_size: 7,
            reference: None,
            size: 42,
            tagged: Some(Timestamp::UNIX_EPOCH),
            step: Some(Digest::from_bytes(&[9; 32])),
            is_result: false,
            parent: None,
        }
    }

    fn tag(text: &str) -> Reference {
        text.parse().unwrap()
    }

    #[test]
    fn the_index_reads_back_as_written() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Index::read(directory.path()).unwrap(), Index::default());
        let mut index = Index::default();
        index.put(&entry(1), &[tag("a"), tag("b:2")]);
        index.put(&entry(2), &[]);
        index.write(directory.path()).unwrap();
        assert_eq!(Index::read(directory.path()).unwrap(), index);
    }

    #[test]
    fn a_tag_that_moves_leaves_its_image_without_one() {
        let mut index = Index::default();
        assert!(index.put(&entry(1), &[tag("a")]).is_empty());
        assert_eq!(index.put(&entry(2), &[tag("a")]), [tag("a")]);
        assert_eq!(index.entries.len(), 2);
        let id = entry(1).id;
        let left = index.of(&id).next().unwrap();
        assert_eq!((&left.reference, left.is_result), (&None, true));
        assert!(index.put(&entry(2), &[tag("a")]).is_empty());
        assert_eq!(index.entries.len(), 2);
    }

    #[test]
    fn a_damaged_index_is_said_to_be_damaged() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["", "\0\0\0", "{}", r#"{"schemaVersion":1,"manifests":[]}"#] {
            std::fs::write(directory.path().join("index.json"), text).unwrap();
            let error = Index::read(directory.path()).unwrap_err();
            assert!(error.message().contains("damaged"), "{error}");
        }
    }
}
