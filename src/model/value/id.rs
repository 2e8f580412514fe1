//! Container ids: 64 hexadecimal digits, of which people see the first 12.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::suggest::suggest;
use crate::model::{Error, Kind, Result};

/// The id of a container: exactly 64 lower-case hexadecimal digits, so it is safe in a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerId(String);

impl ContainerId {
    /// Returns an id from 32 random bytes, or `None` where its first 12 digits are all decimal:
    /// such a short id would be read as a number when it serves as a host name (moby, stringid).
    pub fn from_random(bytes: [u8; 32]) -> Option<Self> {
        let id = super::digest::hex(&bytes);
        let numeric = id.bytes().take(12).all(|b| b.is_ascii_digit());
        (!numeric).then_some(ContainerId(id))
    }

    /// Returns the error for a name or id without a container, with the nearest of the `names`.
    pub fn none_called<'a>(query: &str, names: impl IntoIterator<Item = &'a str>) -> Error {
        let all = "list all containers with `ps -a`".to_owned();
        let hint = suggest(query, names).map(|near| format!("did you mean `{near}`?"));
        Error::new(Kind::NotFound, format!("no such container: {query}"))
            .hint(hint.unwrap_or(all))
            .container(query, None)
    }

    /// Returns all 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first 12 digits.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl FromStr for ContainerId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let valid =
            text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if valid {
            Ok(ContainerId(text.to_owned()))
        } else {
            Err(Error::new(Kind::Invalid, format!("`{text}` is not a container id")))
        }
    }
}

impl TryFrom<String> for ContainerId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> String {
        id.0
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContainerId({})", self.short())
    }
}
