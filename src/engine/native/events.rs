//! The events of the engine: of images, and of containers as files. The runtime emits those of the
//! life of containers, and of volumes.

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
        for image in loaded.iter().filter_map(|image| store.find(image.id.as_str()).ok()) {
            self.emit(EventAction::Load, &image, None);
        }
    }

    /// Emits the save of images.
    pub(super) fn emit_saved(&self, store: &Store, images: &[&str]) {
        for image in images.iter().filter_map(|image| store.find(image).ok()) {
            self.emit(EventAction::Save, &image, None);
        }
    }

    /// Emits what was removed of `images`, given as they were before.
    pub(super) fn emit_removed(&self, removed: &[Removed], images: &[Image]) {
        let find = |id: &Digest| images.iter().find(|image| image.id == *id);
        let mut untagged = 0;
        let untag = |image: &Image, times| {
            (0..times).for_each(|_| self.emit(EventAction::Untag, image, None));
        };
        for step in removed {
            match step {
                Removed::Untagged(_) => untagged += 1,
                // Layers are removed too, but they are not images.
                Removed::Deleted(id) => {
                    if let Some(image) = find(id) {
                        untag(image, std::mem::take(&mut untagged));
                        self.emit(EventAction::Delete, image, None);
                    }
                }
            }
        }
        if let [image] = images {
            untag(image, untagged);
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
