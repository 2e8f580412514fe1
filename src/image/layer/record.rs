//! The unpacked layers: `layers/KEY/` and beside each `layers/KEY.json` with its size.
//!
//! The key of a layer that stands alone is its diff id, so all images share it. One that was
//! unpacked with the help of the layers below (`extract::Extracted::stands_alone`) is right only
//! above those: its key is made from the whole chain. Otherwise an image could be given bad
//! lower layers on purpose, to leave a wrong copy of a well-known layer in the store.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::image::bytes::spool::digest_of;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};

/// The sidecar of a layer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) version: u32,
    /// The bytes of its files.
    pub(crate) size: u64,
    /// The bytes of its tar, where a recipe tells how to put that together again.
    #[serde(default)]
    pub(crate) tar: Option<u64>,
    /// Whether it says what `/` is like.
    #[serde(default = "yes")]
    pub(crate) root: bool,
}

fn yes() -> bool {
    true
}

/// A layer of an image: its diff id, and the key it has if it does not stand alone.
#[derive(Clone, Debug)]
pub(crate) struct LayerId {
    pub(crate) diff_id: Digest,
    pub(crate) above: Digest,
}

/// The ids of a stack of layers, lowest first.
pub(crate) fn ids(diff_ids: &[Digest]) -> Vec<LayerId> {
    let mut chain: Option<Digest> = None;
    let mut ids = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        // The chain id of the OCI image specification, config.md.
        let next = match &chain {
            None => diff_id.clone(),
            Some(below) => digest_of(format!("{below} {diff_id}").as_bytes()),
        };
        // Not the chain id itself: that of the lowest layer is its diff id.
        let above = digest_of(format!("lifebox layer {next}").as_bytes());
        chain = Some(next);
        ids.push(LayerId { diff_id: diff_id.clone(), above });
    }
    ids
}

/// Where the layer with this key is unpacked.
pub(crate) fn path(images: &Path, key: &Digest) -> PathBuf {
    images.join("layers").join(key.hex())
}

/// Where its sidecar is.
pub(crate) fn record_name(key: &Digest) -> String {
    format!("{}.json", key.hex())
}

/// Where its recipe is: how to put its tar together again (`recipe`).
pub(crate) fn tar_split_name(key: &Digest) -> String {
    format!("{}.recipe", key.hex())
}

/// The path of its recipe, whether there is one or not.
pub(crate) fn tar_split(images: &Path, key: &Digest) -> PathBuf {
    images.join("layers").join(tar_split_name(key))
}

/// The key's digits in the name of a layer, its sidecar or its recipe.
pub(crate) fn key_of_name(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|byte| *byte == b'.').unwrap_or(name.len());
    &name[..end]
}

/// The key under which a layer is unpacked, `None` where it is not.
pub(crate) fn key(images: &Path, id: &LayerId) -> Option<Digest> {
    // At most one of the two exists: it is a property of the layer whether it stands alone.
    let exists = |key: &&Digest| path(images, key).is_dir();
    [&id.diff_id, &id.above].into_iter().find(exists).cloned()
}

/// The keys of a whole stack.
pub(crate) fn keys(images: &Path, diff_ids: &[Digest]) -> Result<Vec<Digest>> {
    let found = ids(diff_ids).into_iter().map(|id| {
        key(images, &id).ok_or_else(|| {
            Error::new(Kind::Corrupt, format!("its layer `{}` is missing", id.diff_id.short()))
        })
    });
    found.collect()
}

/// Where a blob is.
pub(crate) fn blob(images: &Path, digest: &Digest) -> PathBuf {
    images.join("blobs/sha256").join(digest.hex())
}

/// The size of an unpacked layer, from its sidecar; counted anew where that is gone.
pub(crate) fn size(images: &Path, key: &Digest) -> u64 {
    record(images, key).map_or_else(|| tree_size(&path(images, key)), |record| record.size)
}

/// The bytes of the tar that the recipe of a layer makes, where there is one.
pub(crate) fn tar_size(images: &Path, key: &Digest) -> Option<u64> {
    let recipe = images.join("layers").join(tar_split_name(key));
    record(images, key)?.tar.filter(|_| recipe.exists())
}

/// Whether `/` is as this layer's directory is, or as the layers below have it.
pub(crate) fn has_root_entry(images: &Path, key: &Digest) -> bool {
    record(images, key).is_none_or(|record| record.root)
}

/// What the sidecar of a layer says; `None` where it is missing or damaged.
pub(crate) fn record(images: &Path, key: &Digest) -> Option<Record> {
    let sidecar = images.join("layers").join(record_name(key));
    serde_json::from_slice(&std::fs::read(sidecar).ok()?).ok()
}

/// The bytes of files and links below a directory of ours, hard links once.
pub fn tree_size(directory: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut seen = std::collections::HashSet::new();
    let mut todo = vec![directory.to_owned()];
    let mut total = 0;
    while let Some(directory) = todo.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                todo.push(entry.path());
            } else if seen.insert(found.ino()) {
                total += found.len();
            }
        }
    }
    total
}
