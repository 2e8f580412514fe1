//! What proves who one is: a name with a password, or a token.

use std::fmt;

/// A name and password, or a token that stands for both.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Name and password.
    Password(String, String),
    /// A refresh token.
    Token(String),
}

/// Shows no secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Password(user, _) => write!(f, "Password({user})"),
            Credentials::Token(_) => write!(f, "Token"),
        }
    }
}
