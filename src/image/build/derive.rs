//! Adds an image to the store: its parent, with a changed document and at most one more layer.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::origin::Origin;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::file_range::FileRange;
use crate::image::bytes::source::Source;
use crate::image::bytes::spool::Spooled;
use crate::image::bytes::staging::Staging;
use crate::image::store::Store;
use crate::image::store::import::Incoming;
use crate::image::store::index::Index;
use crate::image::tar::error::corrupt;
use crate::model::image::Image;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};

/// An image to create.
pub(super) struct NewImage<'a> {
    pub(super) parent: Option<&'a Image>,
    /// Its configuration, without the fields that follow from the rest.
    pub(super) document: Value,
    pub(super) layer: Option<Spooled>,
    pub(super) origin: &'a Origin<'a>,
}

impl Store {
    /// Adds the image.
    pub(super) fn derive(
        &self,
        staging: &Staging,
        draft: NewImage<'_>,
        check: CancelCheck<'_>,
    ) -> Result<Image> {
        let mut layers: Vec<Box<dyn Source>> = Vec::new();
        if let Some(parent) = draft.parent {
            let manifest = parent.manifest.as_ref().ok_or_else(|| corrupt("it has no manifest"))?;
            let below = self.read_manifest(manifest)?.layers;
            layers.extend(
                below
                    .into_iter()
                    .map(|layer| -> Box<dyn Source> { Box::new(Below { digest: layer.digest }) }),
            );
        }
        if let Some(layer) = &draft.layer {
            layers.push(layer.source(staging)?);
        }
        let config = serde_json::to_vec(&document(&draft))
            .map_err(|error| corrupt(format!("write the configuration: {error}")))?;
        let incoming = Incoming {
            step: draft.origin.step.clone(),
            parent: draft.parent.map(|parent| parent.id.clone()),
            ..Incoming::new(&config, layers, draft.origin.reference.cloned().into_iter().collect())
        };
        let loaded = self.import(staging, &incoming, check)?;
        self.find(loaded.id.as_str())
    }

    /// Returns the image that a step created last, if it still exists.
    pub fn step_image(&self, step: &Digest) -> Result<Option<Image>> {
        let index = Index::read(self.images())?;
        // A damaged image does not count.
        Ok(index.of_step(step).and_then(|entry| self.find(entry.id.as_str()).ok()))
    }
}

/// A layer of the parent, which is in the store.
struct Below {
    digest: Digest,
}

impl Source for Below {
    fn digest(&self) -> Option<&Digest> {
        Some(&self.digest)
    }

    /// Fails: it is called only if the store no longer has the parent image.
    fn open(&self) -> Result<FileRange> {
        Err(Error::new(Kind::Refused, "the parent image was removed meanwhile")
            .hint("build it again"))
    }
}

/// Returns the complete configuration of the image. Of the parent's, only those fields stay that
/// describe the image: others describe the host that created it.
fn document(draft: &NewImage<'_>) -> Value {
    const INHERITED_FIELDS: [&str; 7] =
        ["author", "architecture", "variant", "os", "os.version", "os.features", "config"];
    let now = Timestamp::now().to_string();
    let mut document = json!({ "created": now });
    for key in INHERITED_FIELDS {
        if let Some(value) = draft.document.get(key).filter(|value| !value.is_null()) {
            document[key] = value.clone();
        }
    }
    if !draft.origin.author.is_empty() {
        document["author"] = json!(draft.origin.author);
    }
    let list = |pointer: &str| {
        draft.document.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let (mut diff_ids, mut history) = (list("/rootfs/diff_ids"), list("/history"));
    diff_ids.extend(draft.layer.iter().map(|layer| json!(layer.digest)));
    let mut entry = json!({ "created": now, "created_by": draft.origin.created_by });
    for (key, text) in [("author", draft.origin.author), ("comment", draft.origin.comment)] {
        if !text.is_empty() {
            entry[key] = json!(text);
        }
    }
    if draft.layer.is_none() {
        entry["empty_layer"] = json!(true);
    }
    history.push(entry);
    document["rootfs"] = json!({ "type": "layers", "diff_ids": diff_ids });
    document["history"] = json!(history);
    document
}
