//! Container names: chosen by the user, or generated.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// The longest name: it is a file name in the store.
const MAX: usize = 255;

/// A container's name: at least two of `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, so it is safe as a file name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerName(String);

impl ContainerName {
    /// Returns the error for a name that another container has.
    pub fn taken_by(&self, owner: &ContainerId) -> Error {
        let message =
            format!("the container name `{self}` is already in use by container `{owner}`");
        Error::new(Kind::Exists, message)
            .hint("remove or rename that container to be able to reuse the name")
            .container(self.as_str(), None)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of two words of the table, which are known to be valid.
    pub(crate) fn from_words(words: &str) -> Self {
        ContainerName(words.to_owned())
    }
}

impl FromStr for ContainerName {
    type Err = Error;

    /// Checks Docker's rule; a leading `/`, as in `inspect`, is accepted and dropped.
    fn from_str(text: &str) -> Result<Self> {
        let name = text.strip_prefix('/').unwrap_or(text);
        let bytes = name.as_bytes();
        let valid = (2..=MAX).contains(&bytes.len())
            && bytes[0].is_ascii_alphanumeric()
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if valid {
            return Ok(ContainerName(name.to_owned()));
        }
        let message = format!(
            "invalid container name (`{text}`), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        );
        Err(Error::new(Kind::Invalid, message)
            .hint("use 2 to 255 characters, the first a letter or digit"))
    }
}

impl TryFrom<String> for ContainerName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ContainerName> for String {
    fn from(name: ContainerName) -> String {
        name.0
    }
}

impl fmt::Display for ContainerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContainerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
