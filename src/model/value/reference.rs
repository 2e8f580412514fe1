//! Image references as Docker reads them: `alpine` is `docker.io/library/alpine:latest`.
//!
//! Grammar: distribution/reference, `[domain/]path[:tag][@digest]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use crate::model::error::credentials::mask_reference;
use crate::model::{Error, Kind, Result};

const DEFAULT_DOMAIN: &str = "docker.io";
const DEFAULT_NAMESPACE: &str = "library";
const DEFAULT_TAG: &str = "latest";
const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;

/// A normalised image reference. Holding one proves that each part follows the grammar.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Returns the registry, such as `docker.io`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Returns the repository inside the registry, such as `library/alpine`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the tag; `None` only with a digest.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest, where there is one.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Refuses what no image can be tagged with, in Docker's words.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a digest, which is computed and not assigned, and for the name of an
    /// algorithm, with which a tag would look like a digest.
    pub fn check_tag(&self) -> Result<()> {
        if self.digest.is_some() {
            let name = self.familiar();
            let message = format!("refusing to create a tag with a digest reference: `{name}`");
            return Err(Error::new(Kind::Invalid, message).hint("write NAME or NAME:TAG"));
        }
        if self.domain == DEFAULT_DOMAIN && self.path == "library/sha256" {
            let message = "refusing to create an ambiguous tag using digest algorithm as name";
            return Err(Error::new(Kind::Invalid, message).hint("write another name"));
        }
        Ok(())
    }

    /// Returns the repository as users write it: `alpine`, `example.org/team/app`.
    pub fn repository(&self) -> String {
        if self.domain != DEFAULT_DOMAIN {
            return format!("{}/{}", self.domain, self.path);
        }
        let official = self.path.strip_prefix("library/").filter(|rest| !rest.contains('/'));
        let short = official.unwrap_or(&self.path);
        // `docker.io/localhost/x` without its registry would be of the registry `localhost`.
        if is_id(short) || split_domain(short) != (self.domain.clone(), self.path.clone()) {
            return format!("{}/{}", self.domain, self.path);
        }
        short.to_owned()
    }

    /// Returns the shortest form with the tag: `alpine:latest`.
    pub fn familiar(&self) -> String {
        self.suffixed(self.repository())
    }

    fn suffixed(&self, mut text: String) -> String {
        if let Some(tag) = &self.tag {
            text = format!("{text}:{tag}");
        }
        if let Some(digest) = &self.digest {
            text = format!("{text}@{digest}");
        }
        text
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // Docker's words (distribution/reference), then what is wrong with this one.
        let refused = |message: String| {
            Error::new(Kind::Invalid, message).hint(
                "write [registry/]name[:tag][@sha256:...], in lower case, such as `alpine:3.20`",
            )
        };
        let invalid = |why: &str| {
            refused(format!("invalid reference format: `{}`: {why}", mask_reference(text)))
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                (rest, Some(digest.parse::<Digest>().map_err(|_| invalid("invalid digest"))?))
            }
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(invalid(&format!("invalid tag `{}`", mask_reference(tag))));
        }
        let (domain, path) = split_domain(name);
        if name.len() > MAX_NAME {
            return Err(refused("repository name must not be more than 255 characters".to_owned()));
        }
        if !is_domain(&domain) {
            return Err(invalid(&format!("invalid registry `{}`", mask_reference(&domain))));
        }
        let components = |path: &str| !path.is_empty() && path.split('/').all(is_path_component);
        if !components(&path) {
            if components(&path.to_ascii_lowercase()) {
                let why = format!("repository name ({}) must be lowercase", mask_reference(&path));
                return Err(refused(format!("invalid reference format: {why}")));
            }
            return Err(invalid("the name must consist of lower-case letters, digits and . _ - /"));
        }
        if is_id(name) {
            return Err(refused(format!(
                "invalid repository name ({name}), cannot specify 64-byte hexadecimal strings"
            )));
        }
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, None) => Some(DEFAULT_TAG.to_owned()),
            (None, Some(_)) => None,
        };
        Ok(Reference { domain, path, tag, digest })
    }
}

/// Returns whether a name reads as the id of an image.
fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Splits off the registry: a first component with `.` or `:`, or `localhost`.
fn split_domain(name: &str) -> (String, String) {
    let (domain, path) = match name.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.to_lowercase() != first =>
        {
            (first, rest)
        }
        _ => (DEFAULT_DOMAIN, name),
    };
    let domain = if domain == "index.docker.io" { DEFAULT_DOMAIN } else { domain };
    if domain == DEFAULT_DOMAIN && !path.contains('/') {
        return (domain.to_owned(), format!("{DEFAULT_NAMESPACE}/{path}"));
    }
    (domain.to_owned(), path.to_owned())
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port_ok = port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host_ok = match address {
        Some(address) => {
            !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
        }
        None => host.split('.').all(|label| {
            let bytes = label.as_bytes();
            !label.is_empty()
                && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        }),
    };
    port_ok && host_ok
}

/// Returns whether a component has only lower-case letters and digits, joined by `.`, `_`, `__` or
/// any number of `-`.
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = |b: Option<&u8>| b.is_some_and(|b| alphanumeric(*b));
    let bytes = text.as_bytes();
    let known = bytes.iter().all(|b| alphanumeric(*b) || matches!(b, b'.' | b'_' | b'-'));
    let separators = text.split(|c: char| c.is_ascii_alphanumeric()).filter(|s| !s.is_empty());
    let joined = |s: &str| matches!(s, "." | "_" | "__") || s.bytes().all(|b| b == b'-');
    known && ends(bytes.first()) && ends(bytes.last()) && separators.into_iter().all(joined)
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = text.as_bytes();
    bytes.len() <= MAX_TAG
        && bytes.first().is_some_and(|b| word(*b))
        && bytes.iter().all(|b| word(*b) || matches!(b, b'.' | b'-'))
}

impl TryFrom<String> for Reference {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> String {
        reference.to_string()
    }
}

/// Writes the whole reference: `docker.io/library/alpine:latest`.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.suffixed(format!("{}/{}", self.domain, self.path)))
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reference({self})")
    }
}

#[cfg(test)]
#[path = "tests/grammar.rs"]
mod grammar;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, whole: &str, familiar: &str) {
        let reference: Reference = text.parse().unwrap();
        assert_eq!(reference.to_string(), whole, "{text}");
        assert_eq!(reference.familiar(), familiar, "{text}");
        assert_eq!(familiar.parse::<Reference>().unwrap(), reference, "{text}");
    }

    #[test]
    fn short_names_mean_what_docker_means() {
        check("alpine", "docker.io/library/alpine:latest", "alpine:latest");
        check("team/app:1.2", "docker.io/team/app:1.2", "team/app:1.2");
        check("localhost/app", "localhost/app:latest", "localhost/app:latest");
        check(
            "example.org:5000/a/b__c:T-1",
            "example.org:5000/a/b__c:T-1",
            "example.org:5000/a/b__c:T-1",
        );
        let digest = format!("sha256:{}", "a".repeat(64));
        check(
            &format!("a@{digest}"),
            &format!("docker.io/library/a@{digest}"),
            &format!("a@{digest}"),
        );
    }

    #[test]
    fn what_the_grammar_forbids_is_refused() {
        for text in [
            "",
            "Alpine",
            "a:",
            "a:b:c",
            "../x",
            "a//b",
            "a/./b",
            "-a",
            "a_-b",
            "a@sha256:12",
            "exa mple",
            "a:.x",
            "/a",
            "a/",
            &"a".repeat(64),
            &format!("{}:x", "0".repeat(64)),
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
