//! One more image in the store: the one below it, a changed document, at most one more layer.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Origin;
use crate::image::Check;
use crate::image::import::Parts;
use crate::image::index::Index;
use crate::image::members::corrupt;
use crate::image::spool::Spooled;
use crate::image::staging::Staging;
use crate::image::store::Store;
use crate::model::Result;
use crate::model::digest::Digest;
use crate::model::image::Image;
use crate::model::reference::Reference;
use crate::sys::fs;

/// An image that is about to be made.
pub(super) struct Draft<'a> {
    pub(super) parent: Option<&'a Image>,
    /// Its configuration, as far as it is not told by the rest.
    pub(super) document: Value,
    pub(super) layer: Option<Spooled>,
    pub(super) origin: &'a Origin<'a>,
}

impl Store {
    /// Adds the image of a draft.
    pub(super) fn derive(
        &self,
        staging: &Staging,
        draft: Draft<'_>,
        check: Check<'_>,
    ) -> Result<Image> {
        let below = match draft.parent {
            Some(parent) => self.blobs_of(staging, parent)?,
            None => Vec::new(),
        };
        let config = serde_json::to_vec(&document(&draft))
            .map_err(|error| corrupt(format!("write the configuration: {error}")))?;
        let parts = Parts {
            config: &config,
            layers: below.iter().chain(&draft.layer).collect(),
            tags: draft.origin.reference.cloned().into_iter().collect(),
        };
        let loaded = self.import(staging, &parts, check)?;
        self.remember(&loaded.id, draft.parent, draft.origin)?;
        self.find(loaded.id.as_str())
    }

    /// The layers of an image, for the image above it.
    fn blobs_of(&self, staging: &Staging, image: &Image) -> Result<Vec<Spooled>> {
        let index = Index::read(self.images())?;
        let entry = index.of(&image.id).next();
        let entry = entry.ok_or_else(|| corrupt("the image below it is gone"))?;
        let manifest = self.read_manifest(&entry.manifest)?;
        let blobs = fs::open_dir(&self.images().join("blobs/sha256"))?;
        let mut layers = Vec::new();
        for (number, layer) in manifest.layers.into_iter().enumerate() {
            let name = format!("below-{number}");
            fs::make_link(
                &blobs,
                layer.digest.hex().as_bytes(),
                staging.directory(),
                name.as_bytes(),
            )?;
            layers.push(Spooled { name, size: layer.size, digest: layer.digest });
        }
        Ok(layers)
    }

    /// The image that a step made last, if it is still here.
    pub fn step_image(&self, step: &Digest) -> Result<Option<Image>> {
        let index = Index::read(self.images())?;
        let made = index.entries.iter().filter(|entry| entry.step.as_ref() == Some(step));
        // An image that is damaged is as good as none.
        Ok(made
            .max_by_key(|entry| entry.tagged)
            .and_then(|entry| self.find(entry.id.as_str()).ok()))
    }

    /// Notes where an image came from.
    fn remember(&self, id: &Digest, parent: Option<&Image>, origin: &Origin<'_>) -> Result<()> {
        let _lock = self.lock()?;
        let mut index = Index::read(self.images())?;
        for entry in index.entries.iter_mut().filter(|entry| entry.id == *id) {
            entry.step = entry.step.take().or_else(|| origin.step.clone());
            entry.parent = entry.parent.take().or_else(|| parent.map(|image| image.id.clone()));
        }
        index.write(self.images())
    }

    /// Gives an image one more reference.
    pub fn name(&self, image: &Image, reference: &Reference) -> Result<Image> {
        let lock = self.lock()?;
        let mut index = Index::read(self.images())?;
        let entry = index.of(&image.id).next().cloned();
        let mut entry = entry.ok_or_else(|| corrupt("the image is gone"))?;
        entry.tagged = Some(Timestamp::now());
        index.put(&entry, std::slice::from_ref(reference));
        index.write(self.images())?;
        drop(lock);
        self.find(image.id.as_str())
    }
}

/// The whole configuration of a draft. Of the one below only those fields stay that say what an
/// image is: others tell of the machine that made it.
fn document(draft: &Draft<'_>) -> Value {
    const KEPT: [&str; 7] =
        ["author", "architecture", "variant", "os", "os.version", "os.features", "config"];
    let now = Timestamp::now().to_string();
    let mut document = json!({ "created": now });
    for key in KEPT {
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
