//! How a registry is reached, and with which credentials.

use std::sync::Arc;

use super::client::Registry;
use super::credentials::Keychain;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::model::Result;
use crate::model::observe::progress::{Access, Progress};

/// How a registry is reached, and with which credentials.
#[derive(Clone, Debug)]
pub struct Connection {
    /// With or without trusted TLS.
    pub access: Access,
    /// Where the credentials are.
    pub keychain: Keychain,
}

impl Connection {
    /// Returns the client for a repository, with the credentials for it. Nothing is sent yet.
    ///
    /// # Errors
    /// When the credentials or the trusted certificates cannot be read.
    pub(super) fn open(
        &self,
        domain: &str,
        repository: &str,
        progress: &Arc<dyn Progress>,
        check: CancelCheck<'_>,
    ) -> Result<Registry> {
        let credentials = self.keychain.find(domain, repository, check)?;
        Registry::new(domain, self.access, credentials, progress.clone())
    }
}
