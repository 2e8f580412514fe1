//! Simulated registries: no request is sent, and every image is assumed to exist.

use std::path::PathBuf;
use std::sync::Arc;

use super::state::Dry;
use crate::engine::backend::{CancelToken, Images as _, Registries};
use crate::model::Result;
use crate::model::image::{Image, PullPolicy};
use crate::model::observe::progress::{Access, Progress, PullOptions, Pulled, Pushed};
use crate::model::value::reference::Reference;

impl Registries for Dry {
    fn ensure_image(
        &self,
        reference: &str,
        pull: PullPolicy,
        _: &PullOptions,
        _: &Arc<dyn Progress>,
        _: &CancelToken,
    ) -> Result<Image> {
        self.image(reference, pull)
    }

    fn pull(
        &self,
        reference: &Reference,
        _: &PullOptions,
        _: &Arc<dyn Progress>,
        _: &CancelToken,
    ) -> Result<Pulled> {
        self.may_fetch(reference, true)?;
        let image = self.image(&reference.familiar(), PullPolicy::Always)?;
        Ok(Pulled { digest: image.id.clone(), image, newer: false })
    }

    fn tags(&self, repository: &Reference, _: Access, _: &CancelToken) -> Result<Vec<Reference>> {
        self.may_fetch(repository, true)?;
        Ok(vec![repository.clone()])
    }

    fn push(
        &self,
        image: &str,
        reference: &Reference,
        _: Access,
        _: &Arc<dyn Progress>,
        _: &CancelToken,
    ) -> Result<Pushed> {
        let digest = self.find_image(image)?.id;
        self.may_fetch(reference, false)?;
        self.record(format_args!("push {image} to {}", reference.familiar()));
        Ok(Pushed { digest, size: 0 })
    }

    fn login(
        &self,
        registry: &str,
        _: &str,
        _: &str,
        _: Access,
        _: &CancelToken,
    ) -> Result<Option<PathBuf>> {
        self.record(format_args!("log in to {registry}"));
        Ok(None)
    }

    fn logout(&self, registry: &str) -> Result<bool> {
        self.record(format_args!("log out of {registry}"));
        Ok(false)
    }
}
