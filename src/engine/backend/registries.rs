//! The contract about registries: images pulled and pushed, and logging in.

use std::path::PathBuf;
use std::sync::Arc;

use super::CancelToken;
use super::contract_macro::contract;
use crate::model::Result;
use crate::model::image::{Image, PullPolicy};
use crate::model::observe::progress::{Access, Progress, PullOptions, Pulled, Pushed};
use crate::model::value::reference::Reference;

contract! {
    /// Registries, and the images that come from them.
    pub trait Registries, passed on by registries($) {
        /// As [`Images::image`](super::Images::image), and pulls the image from its registry by the
        /// policy `pull`. A present image needs no network, unless `pull` is `Always`.
        fn ensure_image(
            &self,
            reference: &str,
            pull: PullPolicy,
            options: &PullOptions,
            progress: &Arc<dyn Progress>,
            cancel: &CancelToken,
        ) -> Result<Image>;
        /// Pulls what a registry keeps under `reference`.
        fn pull(
            &self,
            reference: &Reference,
            options: &PullOptions,
            progress: &Arc<dyn Progress>,
            cancel: &CancelToken,
        ) -> Result<Pulled>;
        /// Returns all tags of a repository in its registry, each a reference.
        fn tags(
            &self,
            repository: &Reference,
            access: Access,
            cancel: &CancelToken,
        ) -> Result<Vec<Reference>>;
        /// Pushes an image to the registry of `reference`, under that name.
        fn push(
            &self,
            image: &str,
            reference: &Reference,
            access: Access,
            progress: &Arc<dyn Progress>,
            cancel: &CancelToken,
        ) -> Result<Pushed>;
        /// Logs in to a registry, and keeps the credentials where Docker does. Returns the file
        /// that has them unencrypted, if there is one.
        fn login(
            &self,
            registry: &str,
            user: &str,
            password: &str,
            access: Access,
            cancel: &CancelToken,
        ) -> Result<Option<PathBuf>>;
        /// Removes the credentials of a registry. Returns false if there were none.
        fn logout(&self, registry: &str) -> Result<bool>;
    }
}
