//! Images that are made of this machine's own programs.

use super::backend::{HOST, Native};
use crate::image::Store;
use crate::model::image::{Image, PullPolicy};
use crate::model::observe::event::Action;
use crate::model::value::reference::Reference;
use crate::model::{Kind, Result};

impl Native {
    /// The image of a reference; `host` is made where it is missing.
    pub(crate) fn find_or_create(&self, reference: &str, pull: PullPolicy) -> Result<Image> {
        let is_host = reference.parse::<Reference>().is_ok_and(|r| r.familiar() == HOST);
        let store = self.store()?;
        if is_host && pull == PullPolicy::Always {
            return self.create_host_image(&store);
        }
        match store.find(reference) {
            Err(error)
                if error.kind() == Kind::NotFound && is_host && pull != PullPolicy::Never =>
            {
                self.create_host_image(&store)
            }
            result => result,
        }
    }

    fn create_host_image(&self, store: &Store) -> Result<Image> {
        let image = store.create_host_image(&|| Ok(()))?.image;
        self.emit(Action::Import, &image, None);
        Ok(image)
    }

    /// An image of these programs, all of which must be there.
    pub(crate) fn create_from_programs(
        &self,
        programs: &[&str],
        reference: &Reference,
    ) -> Result<Image> {
        let made = self.store()?.image_from_host(programs, programs, reference, &|| Ok(()))?;
        self.emit(Action::Import, &made.image, Some(reference));
        Ok(made.image)
    }
}
