//! The authorizations of a registry: credentials, and the header for each scope.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::credential::Credentials;

/// The authorization for each scope. Its `Debug` form contains no secret.
#[derive(Default)]
pub(super) struct Rights {
    pub(super) credentials: Option<Credentials>,
    known: Mutex<KnownRights>,
}

#[derive(Default)]
pub(super) struct KnownRights {
    /// The header for all scopes, if the registry uses name and password.
    pub(super) basic: Option<String>,
    /// The header by scope.
    pub(super) tokens: HashMap<String, String>,
}

impl Rights {
    pub(super) fn new(credentials: Option<Credentials>) -> Self {
        Rights { credentials, known: Mutex::default() }
    }

    pub(super) fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// Returns the `Authorization` for a scope, if one is known.
    pub(super) fn authorization(&self, scope: &str) -> Option<String> {
        let known = self.known();
        known.basic.clone().or_else(|| known.tokens.get(scope).cloned())
    }

    pub(super) fn known(&self) -> MutexGuard<'_, KnownRights> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rights").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

/// Returns the scope of reading a repository.
pub(super) fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

/// Returns the scope of writing a repository.
pub(super) fn push(repository: &str) -> String {
    format!("repository:{repository}:pull,push")
}
