//! The fence of a run that is not trusted: tags and images change only if the run created them.
//!
//! Every change of the list of images asks here, under the store's lock, so nothing comes between
//! the check and the change. A store without a fence allows everything.

use super::handle::Store;
use super::index::{Entry, Index};
use crate::model::Result;
use crate::model::image::own::foreign;
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;

/// The image of the host's programs. Its tag is never free: the engine creates the image when it
/// is first used.
const HOST: &str = "host:latest";

impl Store {
    /// Checks that the run may take these tags: each is free, or its own.
    ///
    /// # Errors
    /// [`Kind::Denied`](crate::model::Kind::Denied) with the first that is another's.
    pub fn check_tags(&self, references: &[Reference]) -> Result<()> {
        match self.own() {
            Some(_) => self.may_take(&Index::read(self.images())?, references),
            None => Ok(()),
        }
    }

    /// As [`Store::check_tags`], of an index that was read.
    pub(crate) fn may_take(&self, index: &Index, references: &[Reference]) -> Result<()> {
        if self.own().is_none() {
            return Ok(());
        }
        let is_foreign = |reference: &&Reference| {
            let mut holders =
                index.entries.iter().filter(|e| e.reference.as_ref() == Some(reference));
            reference.familiar() == HOST || holders.any(|entry| !self.is_own(entry))
        };
        references.iter().find(is_foreign).map_or(Ok(()), |found| Err(foreign_tag(found)))
    }

    /// Checks that the run may remove these tags of an image.
    pub(crate) fn may_untag<'a>(
        &self,
        index: &Index,
        id: &Digest,
        mut references: impl Iterator<Item = &'a Reference>,
    ) -> Result<()> {
        if self.own().is_none() {
            return Ok(());
        }
        let is_foreign = |reference: &&Reference| {
            index.of(id).any(|e| e.reference.as_ref() == Some(reference) && !self.is_own(e))
        };
        references.find(is_foreign).map_or(Ok(()), |found| Err(foreign_tag(found)))
    }

    /// Returns whether the run may delete an image: it created the image and all of its tags.
    pub(crate) fn may_delete(&self, index: &Index, id: &Digest) -> bool {
        self.own()
            .is_none_or(|own| own.has_image(id) && index.of(id).all(|entry| self.is_own(entry)))
    }

    /// Records what the run has written into the list of images; `is_new` for a new image.
    pub(crate) fn note_own(&self, written: &Entry, is_new: bool) {
        if let Some(own) = self.own() {
            own.note(&written.id, written.tagged, is_new);
        }
    }

    fn is_own(&self, entry: &Entry) -> bool {
        self.own().is_none_or(|own| own.has_entry(&entry.id, entry.tagged))
    }
}

fn foreign_tag(reference: &Reference) -> crate::model::Error {
    foreign(&format!("tag `{}`", reference.familiar()))
}
