//! Platforms of images: `linux/amd64`, `linux/arm64/v8`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{Error, Kind, Result};

/// The operating systems that may stand alone, in the words of Go.
const SYSTEMS: [&str; 5] = ["darwin", "freebsd", "linux", "wasip1", "windows"];

/// The architectures that may stand alone, in the words of Go, and their other names.
const ARCHITECTURES: [&str; 20] = [
    "386", "aarch64", "amd64", "arm", "arm64", "armel", "armhf", "i386", "i686", "loong64", "mips",
    "mips64", "mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x", "x86-64", "x86_64",
];

/// A platform of the OCI image specification (image-index.md), in the words of Go.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// Such as `linux`.
    #[serde(default)]
    pub os: String,
    /// Such as `amd64`.
    #[serde(default)]
    pub architecture: String,
    /// Such as `v8`; empty where the architecture has one variant only.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
}

impl Platform {
    /// Returns the platform of the host.
    pub fn host() -> Self {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", ""),
            "aarch64" => ("arm64", "v8"),
            "arm" => ("arm", "v7"),
            "x86" => ("386", ""),
            "powerpc64" => ("ppc64le", ""),
            "loongarch64" => ("loong64", ""),
            other => (other, ""),
        };
        Platform {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        }
    }

    /// Returns whether an image for `offered` fits this platform. A variant that one side leaves
    /// open fits any.
    pub fn accepts(&self, offered: &Platform) -> bool {
        let open = self.variant.is_empty() || offered.variant.is_empty();
        self.os == offered.os
            && self.architecture == offered.architecture
            && (open || self.variant == offered.variant)
    }

    /// Returns the best of `offered`: the exact variant, else the first that fits.
    pub fn choose<'a, T>(
        &self,
        offered: impl Iterator<Item = (&'a Platform, T)> + Clone,
    ) -> Option<T> {
        let exact = offered.clone().find(|(platform, _)| *platform == self);
        exact
            .or_else(|| offered.clone().find(|(platform, _)| self.accepts(platform)))
            .map(|(_, t)| t)
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        };
        let words: Vec<String> = text.split('/').map(str::to_lowercase).collect();
        let host = Platform::host();
        let (os, architecture, variant) = match &words[..] {
            [os] if SYSTEMS.contains(&os.as_str()) => {
                (os.as_str(), host.architecture.as_str(), host.variant.as_str())
            }
            [one] if ARCHITECTURES.contains(&one.as_str()) => ("linux", one.as_str(), ""),
            [os, architecture] => (os.as_str(), architecture.as_str(), ""),
            [os, architecture, variant] => (os.as_str(), architecture.as_str(), variant.as_str()),
            _ => ("", "", ""),
        };
        if !word(os) || !word(architecture) || !(variant.is_empty() || word(variant)) {
            return Err(Error::new(Kind::Invalid, format!("invalid platform `{text}`"))
                .hint("write os/architecture[/variant], such as linux/amd64 or linux/arm64/v8"));
        }
        let architecture = match architecture {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            "i386" | "i686" => "386",
            other => other,
        };
        Ok(Platform {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        })
    }
}

/// Parses `os/architecture[/variant]`.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn a_platform_reads_back_as_written() {
        for text in ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"] {
            assert_eq!(platform(text).to_string(), text);
        }
        assert_eq!(platform("aarch64").to_string(), "linux/arm64");
        assert_eq!(platform("linux"), Platform::host());
        for bad in ["", "/", "bogus", "linux/", "a/b/c/d", "linux/am d64", "linux//v8"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_very_variant_wins_and_an_open_one_fits() {
        let offered = [platform("linux/arm/v6"), platform("linux/arm/v7"), platform("linux/arm64")];
        let choose = |wanted: &str| {
            platform(wanted).choose(offered.iter().enumerate().map(|(n, platform)| (platform, n)))
        };
        assert_eq!(choose("linux/arm/v7"), Some(1));
        assert_eq!(choose("linux/arm"), Some(0));
        assert_eq!(choose("linux/arm64/v8"), Some(2));
        assert_eq!(choose("linux/amd64"), None);
    }
}
