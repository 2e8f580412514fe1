//! The fence of a run that is not trusted, in a dry run: the rules of the store's own fence, for
//! the simulated images.

use std::collections::HashSet;

use crate::model::image::Image;
use crate::model::image::own::foreign;
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::model::{Error, Result};

/// The image of the host's programs, whose tag is never free.
pub(super) const HOST: &str = "host:latest";

/// What the run has created among the images. Nothing else changes them in a simulation, so an
/// image and a name are an identity.
#[derive(Debug, Default)]
pub(super) struct Fence {
    images: HashSet<Digest>,
    tags: HashSet<(Digest, Reference)>,
}

impl Fence {
    /// Checks that the run may take these tags: each is free, or its own.
    pub(super) fn may_take(&self, images: &[Image], tags: &[Reference]) -> Result<()> {
        let is_foreign = |tag: &&Reference| {
            let mut holders = images.iter().filter(|image| image.tags.contains(tag));
            tag.familiar() == HOST || holders.any(|image| !self.has_tag(image, tag))
        };
        tags.iter().find(is_foreign).map_or(Ok(()), |tag| Err(foreign_tag(tag)))
    }

    /// Checks that the run may remove these tags of an image.
    pub(super) fn may_untag(&self, image: &Image, tags: &[Reference]) -> Result<()> {
        let foreign = tags.iter().find(|tag| !self.has_tag(image, tag));
        foreign.map_or(Ok(()), |tag| Err(foreign_tag(tag)))
    }

    /// Whether the run may delete an image: it created the image and all of its tags.
    pub(super) fn may_delete(&self, image: &Image) -> bool {
        self.images.contains(&image.id) && image.tags.iter().all(|tag| self.has_tag(image, tag))
    }

    /// Records tags that the run gave an image, and whether it created the image.
    pub(super) fn note(&mut self, image: &Image, tags: &[Reference], is_new: bool) {
        if is_new {
            self.images.insert(image.id.clone());
        }
        self.tags.extend(tags.iter().map(|tag| (image.id.clone(), tag.clone())));
    }

    fn has_tag(&self, image: &Image, tag: &Reference) -> bool {
        self.tags.contains(&(image.id.clone(), tag.clone()))
    }
}

fn foreign_tag(tag: &Reference) -> Error {
    foreign(&format!("tag `{}`", tag.familiar()))
}
