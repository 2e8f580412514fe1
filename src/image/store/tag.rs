//! Adds tags to images.

use jiff::Timestamp;

use super::handle::{Store, resolve};
use super::index::{Entry, Index};
use crate::model::Result;
use crate::model::image::Image;
use crate::model::value::reference::Reference;

impl Store {
    /// Notes that a build ended with an image: it is listed without a tag, as steps are not.
    pub fn note_result(&self, image: &Image) -> Result<Image> {
        let lock = self.lock()?;
        let mut index = Index::read(self.images())?;
        for entry in index.entries.iter_mut().filter(|entry| entry.id == image.id) {
            entry.is_result = true;
        }
        index.write(self.images())?;
        drop(lock);
        self.find(image.id.as_str())
    }

    /// Tags the image that `query` names with `reference`. Another image with this tag loses it,
    /// and stays untagged if it was its last.
    ///
    /// # Errors
    /// As [`Reference::check_tag`].
    pub fn tag(&self, query: &str, reference: &Reference) -> Result<Image> {
        reference.check_tag()?;
        let lock = self.lock()?;
        let mut index = Index::read(self.images())?;
        let id = resolve(&index, query)?;
        self.may_take(&index, std::slice::from_ref(reference))?;
        let found = index.of(&id).next().cloned();
        // There is an entry: `resolve` found the image in it.
        if let Some(entry) = found {
            let entry = Entry { tagged: Some(Timestamp::now()), ..entry };
            index.put(&entry, std::slice::from_ref(reference));
            index.write(self.images())?;
            self.note_own(&entry, false);
        }
        drop(lock);
        self.find(id.as_str())
    }
}
