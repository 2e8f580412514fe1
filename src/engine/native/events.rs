//! The events of the engine: of images, and of containers as files. The runtime emits those of the
//! life of containers, and of volumes.

use std::collections::{BTreeMap, HashMap};

use super::handle::Native;
use crate::image::Store;
use crate::model::image::{Image, Loaded, Removed};
use crate::model::observe::event::{Event, EventAction};
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;
use crate::model::value::reference::Reference;

impl Native {
    /// Emits an event of an image. As in Docker, its name is the id if it has none.
    pub(super) fn emit(&self, action: EventAction, image: &Image, name: Option<&Reference>) {
        let id = image.id.as_str();
        let name = name.map_or_else(|| id.to_owned(), Reference::familiar);
        self.runtime.journal().write(Event::of_image(action, id, &name, &image.config.labels));
    }

    fn emit_by_id(&self, action: EventAction, id: &Digest, labels: &BTreeMap<String, String>) {
        let id = id.as_str();
        self.runtime.journal().write(Event::of_image(action, id, id, labels));
    }

    /// Emits the pull or push of an image; Docker names the reference.
    pub(super) fn emit_transfer(&self, action: EventAction, reference: &Reference, image: &Image) {
        let whole = reference.familiar();
        let end = reference.tag().map(|tag| format!(":{tag}"));
        let repository = end.and_then(|end| whole.strip_suffix(end.as_str()));
        let name = repository.or_else(|| Some(whole.split_once('@')?.0)).unwrap_or(&whole);
        let event = Event::of_image(action, &whole, name, &image.config.labels);
        self.runtime.journal().write(event);
    }

    /// Emits the load of images.
    pub(super) fn emit_loaded(&self, store: &Store, loaded: &[Loaded]) {
        // An archive may bring thousands of images, and of one image thousands of tags.
        let images = store.find_each(loaded.iter().map(|image| image.id.as_str()));
        images.iter().for_each(|image| self.emit(EventAction::Load, image, None));
    }

    /// Emits the save of images.
    pub(super) fn emit_saved(&self, store: &Store, images: &[&str]) {
        let images = store.find_each(images.iter().copied());
        images.iter().for_each(|image| self.emit(EventAction::Save, image, None));
    }

    /// Emits what was removed of one image. Layers are removed too, but they are not images.
    pub(super) fn emit_removed(
        &self,
        image: &Digest,
        labels: &BTreeMap<String, String>,
        removed: &[Removed],
    ) {
        for step in removed {
            match step {
                Removed::Untagged(_) => self.emit_by_id(EventAction::Untag, image, labels),
                Removed::Deleted(id) if id == image => {
                    self.emit_by_id(EventAction::Delete, image, labels);
                }
                Removed::Deleted(_) => {}
            }
        }
    }

    /// Emits what a prune removed of `images`, given as they were before: of each image its
    /// references, and then itself.
    pub(super) fn emit_pruned(&self, removed: &[Removed], images: &[Image]) {
        let images: HashMap<&Digest, &Image> =
            images.iter().map(|image| (&image.id, image)).collect();
        let mut first = 0;
        for (last, step) in removed.iter().enumerate() {
            let Removed::Deleted(id) = step else { continue };
            if let Some(image) = images.get(id) {
                self.emit_removed(id, &image.config.labels, &removed[first..=last]);
            }
            first = last + 1;
        }
    }

    /// Emits the commit of a container, after its tag, as Docker does.
    pub(super) fn emit_commit(
        &self,
        id: &ContainerId,
        image: &Image,
        reference: Option<&Reference>,
        comment: &str,
    ) {
        if let Some(reference) = reference {
            self.emit(EventAction::Tag, image, Some(reference));
        }
        let attributes = [
            ("comment", comment.to_owned()),
            ("imageID", image.id.to_string()),
            ("imageRef", reference.map(Reference::familiar).unwrap_or_default()),
        ];
        self.runtime.event(id, EventAction::Commit, &attributes);
    }
}
