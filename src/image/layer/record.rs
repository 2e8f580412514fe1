//! The unpacked layers: `layers/KEY/` and beside each `layers/KEY.json` with its size.
//!
//! The key of a layer that stands alone is its diff id, so all images share it. A layer that was
//! unpacked with the help of the layers below (`extract::Extracted::stands_alone`) is right only
//! above those: its key is computed from the whole chain. Otherwise an image could be given bad
//! lower layers on purpose, to leave a wrong copy of a well-known layer in the store.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::image::bytes::spool::digest_of;
use crate::model::error::Context;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};
use crate::sys::record_file;
use crate::sys::tree::tree_size;

/// The sidecar of a layer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) version: u32,
    /// The size of its files, in bytes.
    pub(crate) size: u64,
    /// The size of the tar in bytes, if a tar-split can rebuild it.
    #[serde(default)]
    pub(crate) tar: Option<u64>,
    /// Whether the layer has an entry for `/`.
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

/// Returns the ids of a stack of layers, lowest first.
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

/// Returns the directory of the layer with this key.
pub(crate) fn path(images: &Path, key: &Digest) -> PathBuf {
    images.join("layers").join(key.hex())
}

/// Returns the file name of the layer's sidecar.
pub(crate) fn record_name(key: &Digest) -> String {
    format!("{}.json", key.hex())
}

/// Returns the file name of the layer's tar-split, from which its tar is rebuilt.
pub(crate) fn tar_split_name(key: &Digest) -> String {
    format!("{}.recipe", key.hex())
}

/// Returns the path of the layer's tar-split, which may not exist.
pub(crate) fn tar_split(images: &Path, key: &Digest) -> PathBuf {
    images.join("layers").join(tar_split_name(key))
}

/// Returns the key's digits in the name of a layer, its sidecar or its tar-split.
pub(crate) fn key_of_name(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|byte| *byte == b'.').unwrap_or(name.len());
    &name[..end]
}

/// Returns the key under which a layer is unpacked; `None` if it is not.
pub(crate) fn key(images: &Path, id: &LayerId) -> Option<Digest> {
    // At most one of the two exists: it is a property of the layer whether it stands alone.
    let exists = |key: &&Digest| path(images, key).is_dir();
    [&id.diff_id, &id.above].into_iter().find(exists).cloned()
}

/// Returns the keys of a whole stack.
pub(crate) fn keys(images: &Path, diff_ids: &[Digest]) -> Result<Vec<Digest>> {
    let found = ids(diff_ids).into_iter().map(|id| {
        key(images, &id).ok_or_else(|| {
            Error::new(Kind::Corrupt, format!("its layer `{}` is missing", id.diff_id.short()))
        })
    });
    found.collect()
}

/// Returns the path of a blob.
pub(crate) fn blob(images: &Path, digest: &Digest) -> PathBuf {
    images.join("blobs/sha256").join(digest.hex())
}

/// Returns the size of an unpacked layer, from its sidecar; counts it if the sidecar is missing.
pub(crate) fn size(images: &Path, key: &Digest) -> u64 {
    let record = record(images, key).ok().flatten();
    record.map_or_else(|| tree_size(&path(images, key)), |record| record.size)
}

/// Returns the size of the tar that the layer's tar-split rebuilds, if there is one.
pub(crate) fn tar_size(images: &Path, key: &Digest) -> Option<u64> {
    let tar_split = images.join("layers").join(tar_split_name(key));
    record(images, key).ok()??.tar.filter(|_| tar_split.exists())
}

/// Returns whether the layer has an entry for `/`; otherwise `/` is that of the layers below.
///
/// # Errors
/// When the sidecar cannot be read.
pub(crate) fn has_root_entry(images: &Path, key: &Digest) -> Result<bool> {
    Ok(record(images, key)?.is_none_or(|record| record.root))
}

/// Reads the sidecar of a layer; `None` if it is missing or damaged.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn record(images: &Path, key: &Digest) -> Result<Option<Record>> {
    let sidecar = images.join("layers").join(record_name(key));
    let bytes = record_file::read(&sidecar).context(|| format!("read `{}`", sidecar.display()));
    match bytes {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Corrupt) => Ok(None),
        Err(error) => Err(error),
    }
}
