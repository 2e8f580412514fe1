//! What a script that is not trusted has created among the images: the rule by identity.
//!
//! A name says nothing about who gave it, because the user may give it again. So an entry of the
//! list of images is known by its image and by the time at which it was written.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::model::value::digest::Digest;
use crate::model::{Error, Kind};

/// The images and tags that one run has created.
#[derive(Debug, Default)]
pub struct OwnImages(Mutex<Created>);

#[derive(Debug, Default)]
struct Created {
    images: HashSet<Digest>,
    entries: HashSet<(Digest, Timestamp)>,
}

impl OwnImages {
    /// Records an entry that the run wrote, and whether it brought the image too.
    pub fn note(&self, image: &Digest, tagged: Option<Timestamp>, is_new: bool) {
        let mut created = self.lock();
        if is_new {
            created.images.insert(image.clone());
        }
        created.entries.extend(tagged.map(|tagged| (image.clone(), tagged)));
    }

    /// Returns whether the run wrote this entry.
    pub fn has_entry(&self, image: &Digest, tagged: Option<Timestamp>) -> bool {
        tagged.is_some_and(|tagged| self.lock().entries.contains(&(image.clone(), tagged)))
    }

    /// Returns whether the run brought this image.
    pub fn has_image(&self, image: &Digest) -> bool {
        self.lock().images.contains(image)
    }

    fn lock(&self) -> MutexGuard<'_, Created> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the error for a change of something that the run did not create.
pub fn foreign(what: &str) -> Error {
    Error::new(Kind::Denied, format!("{what} was not created by this script")).hint(
        "with --untrusted a script changes only its own; use another name, or run it without \
         --untrusted if you trust it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_is_written_again_is_another_one() {
        let (own, image) = (OwnImages::default(), Digest::from_bytes(&[1; 32]));
        let (first, again) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(1).unwrap());
        own.note(&image, Some(first), false);
        assert!(own.has_entry(&image, Some(first)));
        assert!(!own.has_entry(&image, Some(again)) && !own.has_entry(&image, None));
        assert!(!own.has_image(&image));
        own.note(&image, Some(again), true);
        assert!(own.has_image(&image) && own.has_entry(&image, Some(again)));
    }
}
