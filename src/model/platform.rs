//! Platforms of images: `linux/arm64/v8`.

use std::fmt;
use std::str::FromStr;

use super::{Error, Kind, Result};

/// An operating system, an architecture and perhaps a variant, as Docker calls them. Names that
/// mean the same are one: `x86_64` is `amd64`, and `arm64/v8` is `arm64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `v7`.
    pub variant: Option<String>,
}

impl Platform {
    /// The platform with these parts; an empty variant is none.
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let (architecture, variant) = match (architecture, variant) {
            ("x86_64" | "x86-64" | "amd64", "" | "v1") => ("amd64", ""),
            ("x86_64" | "x86-64", other) => ("amd64", other),
            ("aarch64" | "arm64", "" | "8" | "v8") => ("arm64", ""),
            ("i386" | "i686" | "x86", _) => ("386", ""),
            ("armhf", _) => ("arm", "v7"),
            ("armel", _) => ("arm", "v6"),
            other => other,
        };
        let variant = match (architecture, variant) {
            ("arm", "5" | "6" | "7" | "8") => format!("v{variant}"),
            _ => variant.to_owned(),
        };
        Platform {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: Some(variant).filter(|variant| !variant.is_empty()),
        }
    }

    /// The platform of this machine, as far as images are made for it.
    pub fn host() -> Self {
        let architecture = match std::env::consts::ARCH {
            "powerpc64" => "ppc64le",
            "loongarch64" => "loong64",
            other => other,
        };
        Platform::new("linux", architecture, "")
    }

    /// How well `offered` serves who asks for this: `None` not at all, else the lower the better.
    /// Without a variant any will do, the oldest first; 32-bit ARM wants v7, then v6, then v5.
    pub fn fit(&self, offered: &Platform) -> Option<u32> {
        if self.os != offered.os || self.architecture != offered.architecture {
            return None;
        }
        match (self.variant.as_deref(), offered.variant.as_deref()) {
            (wanted, given) if wanted == given => Some(0),
            (Some(_), _) => None,
            (None, given) if self.architecture == "arm" => Some(match given {
                Some("v7") => 1,
                Some("v6") => 2,
                Some("v5") => 3,
                _ => 4,
            }),
            (None, given) => {
                let digits = given.unwrap_or_default().trim_start_matches('v');
                // More than the oldest may be more than this machine can.
                Some(digits.parse::<u32>().map_or(u32::MAX, |number| number.saturating_add(1)))
            }
        }
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let word = |part: &&str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        if !parts.iter().all(word) {
            return Err(invalid(text));
        }
        match parts[..] {
            ["linux"] => Ok(Platform::host()),
            [os, architecture] => Ok(Platform::new(os, architecture, "")),
            [os, architecture, variant] => Ok(Platform::new(os, architecture, variant)),
            // An architecture alone.
            [one] => {
                let platform = Platform::new("linux", one, "");
                let known = ["amd64", "arm64", "arm", "386", "ppc64le", "riscv64", "s390x"];
                if known.contains(&platform.architecture.as_str()) {
                    Ok(platform)
                } else {
                    Err(invalid(text))
                }
            }
            _ => Err(invalid(text)),
        }
    }
}

fn invalid(text: &str) -> Error {
    Error::new(Kind::Invalid, format!("`{text}` is not a platform"))
        .hint("write os/architecture[/variant], such as `linux/arm64` or `linux/arm/v7`")
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(text.parse::<Platform>().unwrap().to_string(), expected, "{text}");
    }

    #[test]
    fn names_of_one_platform_are_one() {
        check("linux/amd64", "linux/amd64");
        check("linux/x86_64", "linux/amd64");
        check("linux/aarch64/v8", "linux/arm64");
        check("linux/arm/7", "linux/arm/v7");
        check("arm64", "linux/arm64");
        check("windows/amd64", "windows/amd64");
        for text in ["", "/", "linux/", "a/b/c/d", "toaster", "linux/a b"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_variant_is_taken_as_asked_and_else_the_oldest() {
        let platform = |text: &str| text.parse::<Platform>().unwrap();
        let fit = |wanted: &str, offered: &str| platform(wanted).fit(&platform(offered));
        assert_eq!(fit("linux/arm64", "linux/arm64/v8"), Some(0));
        assert_eq!(fit("linux/amd64", "linux/arm64"), None);
        assert_eq!(fit("linux/arm/v6", "linux/arm/v7"), None);
        assert!(fit("linux/arm", "linux/arm/v7") < fit("linux/arm", "linux/arm/v6"));
        assert!(fit("linux/amd64", "linux/amd64") < fit("linux/amd64", "linux/amd64/v3"));
        assert!(fit("linux/amd64", "linux/amd64/v2") < fit("linux/amd64", "linux/amd64/v3"));
    }
}
