//! The contract about registries: images pulled and pushed, and logging in.

use std::path::PathBuf;
use std::sync::Arc;

use super::CancelToken;
use super::contract::contract;
use crate::model::Result;
use crate::model::image::{Image, PullPolicy};
use crate::model::observe::progress::{Access, Progress, PullOptions, Pulled, Pushed};
use crate::model::value::reference::Reference;

contract! {
    /// Registries, and the images that come from them.
    pub trait Registries, passed on by registries($) {
        /// The same, and pulled from its registry where `pull` says so. An image that is here costs
        /// no look at the network, unless `pull` is `Always`.
        fn ensure_image(
            &self,
            reference: &str,
            pull: PullPolicy,
            options: &PullOptions,
            progress: &Arc<dyn Progress>,
            cancel: &CancelToken,
        ) -> Result<Image>;
        /// Brings in what a registry keeps under `reference`.
        fn pull(
            &self,
            reference: &Reference,
            options: &PullOptions,
            progress: &Arc<dyn Progress>,
            cancel: &CancelToken,
        ) -> Result<Pulled>;
        /// Sends an image to the registry of `reference`, under that name.
        fn push(
            &self,
            image: &str,
            reference: &Reference,
            access: Access,
            progress: &Arc<dyn Progress>,
            cancel: &CancelToken,
        ) -> Result<Pushed>;
        /// Shows name and password to a registry and keeps them where Docker does. Returns the file
        /// where they lie unencrypted, if so.
        fn login(
            &self,
            registry: &str,
            user: &str,
            password: &str,
            access: Access,
            cancel: &CancelToken,
        ) -> Result<Option<PathBuf>>;
        /// Forgets them. False where there were none.
        fn logout(&self, registry: &str) -> Result<bool>;
    }
}
