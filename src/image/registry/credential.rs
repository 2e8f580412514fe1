//! Credentials: a name with a password, or a token.

use std::fmt;

/// The credentials for a registry.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Name and password.
    Password(String, String),
    /// A refresh token.
    Token(String),
}

/// Formats without the secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Password(user, _) => write!(f, "Password({user})"),
            Credentials::Token(_) => write!(f, "Token"),
        }
    }
}
