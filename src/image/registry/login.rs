//! Login to a registry, and logout.

use std::path::PathBuf;
use std::sync::Arc;

use ureq::http::Method;

use super::client::Registry;
use super::connection::Connection;
use super::credential::Credentials;
use super::credentials::Keychain;
use super::exchange::RegistryRequest;
use super::response::is_html;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::model::observe::progress::NoProgress;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

/// Checks name and password with a registry, and stores them where Docker does. Returns the file
/// that contains them unencrypted; `None` if a helper stores them.
///
/// # Errors
/// [`Kind::Denied`] if the registry does not accept them.
pub fn log_in(
    registry: &str,
    user: &str,
    password: &str,
    connection: &Connection,
    check: CancelCheck<'_>,
) -> Result<Option<PathBuf>> {
    let domain = domain(registry)?;
    let what = || format!("cannot log in to `{domain}`");
    if user.is_empty() || password.is_empty() || user.contains(':') {
        let why = "write a name without a colon, and a password";
        return Err(Error::new(Kind::Invalid, what()).cause(why));
    }
    let credentials = Credentials::Password(user.to_owned(), password.to_owned());
    let client =
        Registry::new(&domain, connection.access, Some(credentials), Arc::new(NoProgress))?;
    client.run_cancellable(check, Registry::log_in).map_err(|error| match error.kind() {
        Kind::Cancelled => error,
        Kind::Denied => error.context(what()).hint("check the name and the password"),
        _ => error.context(what()),
    })?;
    connection.keychain.store(&domain, user, password, check)
}

/// Removes the credentials for a registry. Returns false if there were none.
///
/// # Errors
/// When the file of credentials cannot be read or written.
pub fn log_out(registry: &str, keychain: &Keychain) -> Result<bool> {
    // A name that is not a registry may still have an entry.
    let domain = domain(registry).unwrap_or_else(|_| registry.to_owned());
    keychain.erase(&domain, &|| Ok(()))
}

/// Returns the domain of a registry from the user's text, which may be
/// `https://index.docker.io/v1/`.
fn domain(text: &str) -> Result<String> {
    let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = bare.unwrap_or(text).split('/').next().unwrap_or_default();
    let parsed = format!("{host}/x").parse::<Reference>().ok();
    let is_host = |reference: &Reference| reference.path() == "x" || host.ends_with("docker.io");
    match parsed.filter(is_host) {
        Some(reference) => Ok(reference.domain().to_owned()),
        None => Err(Error::new(Kind::Invalid, format!("`{text}` is not a registry"))
            .hint("write its host and port, such as `registry.example:5000`")),
    }
}

impl Registry {
    /// Returns whether the registry accepts the credentials.
    ///
    /// # Errors
    /// [`Kind::Denied`] if it does not.
    fn log_in(&self) -> Result<()> {
        let url = self.url("")?;
        let answer = self.request(&RegistryRequest::new(Method::GET, url, ""))?;
        match answer.status().as_u16() {
            200..=299 if is_html(&answer) => Err(self.no_registry(&answer)),
            200..=299 => Ok(()),
            404 => Err(Error::new(Kind::Network, format!("`{}` is not a registry", self.name()))
                .hint("write the registry's host and port only, such as `registry.example:5000`")),
            _ => Err(self.refused(answer, "")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_host() {
        for (text, expected) in [
            ("docker.io", "docker.io"),
            ("index.docker.io", "docker.io"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("registry.example:5000", "registry.example:5000"),
            ("http://localhost:5000/v2/", "localhost:5000"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(domain(text).unwrap(), expected, "{text}");
        }
        for text in ["", "name", "a b.c", "https://"] {
            assert!(domain(text).is_err(), "{text}");
        }
    }
}
