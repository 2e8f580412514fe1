//! Rules of `--device-cgroup-rule`: which devices a container may use without having their nodes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

/// A rule that allows devices. Unset numbers are all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRule {
    /// `c`, `b`, or `a` for both.
    pub kind: char,
    /// The major number.
    pub major: Option<u32>,
    /// The minor number.
    pub minor: Option<u32>,
    /// Some of `r`, `w` and `m` (mknod).
    pub access: String,
}

impl FromStr for DeviceRule {
    type Err = Error;

    /// Reads `c 1:3 rwm`; `*` is each number.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let shown = visible::short(text);
            Error::new(Kind::Invalid, format!("invalid device cgroup format '{shown}'"))
                .hint("write --device-cgroup-rule 'c 42:* rwm'")
        };
        let [kind, numbers, access] = text.split(' ').collect::<Vec<_>>()[..] else {
            return Err(wrong());
        };
        let (major, minor) = numbers.split_once(':').ok_or_else(wrong)?;
        let number = |text: &str| match text {
            "*" => Ok(None),
            text => text.parse::<u32>().map(Some).map_err(|_| wrong()),
        };
        let known = !access.is_empty()
            && access.len() <= 3
            && access.bytes().all(|letter| b"rwm".contains(&letter));
        match kind {
            "a" | "b" | "c" if known => Ok(DeviceRule {
                kind: kind.chars().next().unwrap_or('a'),
                major: number(major)?,
                minor: number(minor)?,
                access: access.to_owned(),
            }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for DeviceRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |n: Option<u32>| n.map_or_else(|| "*".to_owned(), |n| n.to_string());
        let (major, minor) = (number(self.major), number(self.minor));
        write!(f, "{} {major}:{minor} {}", self.kind, self.access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_docker_reads_them() {
        for text in ["c 1:3 rwm", "b 8:* r", "a *:* rwm"] {
            assert_eq!(text.parse::<DeviceRule>().unwrap().to_string(), text);
        }
        for text in ["foo", "", "c 1:3", "d 1:3 r", "c 1 r", "c 1:3 x", "c 1:3 rwmr", "c -1:3 r"] {
            let error = text.parse::<DeviceRule>().unwrap_err();
            assert!(error.message().starts_with("invalid device cgroup format"), "{text}");
        }
    }
}
