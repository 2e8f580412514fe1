//! A seccomp profile in Docker's format, converted to that of the OCI specification.
//!
//! Docker's format is OCI's with conditions: a rule may apply only with or without some
//! capabilities, on some architectures, or from some kernel version on (moby `profiles/seccomp`).

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::{Error, Kind, Result};

/// The default profile: Docker's allow-list and argument rules.
const DEFAULT: &str = include_str!("../seccomp/default.json");

/// A text of the profile, which is not copied unless it has escapes.
#[derive(Serialize)]
#[serde(transparent)]
struct Text<'a>(Cow<'a, str>);

impl<'a, 'de: 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Words)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'a> {
    #[serde(borrow)]
    default_action: Text<'a>,
    #[serde(default)]
    default_errno_ret: Option<u32>,
    #[serde(default, borrow)]
    architectures: Option<Vec<Text<'a>>>,
    #[serde(default, borrow)]
    arch_map: Option<Vec<Architecture<'a>>>,
    #[serde(default, borrow)]
    flags: Option<Vec<Text<'a>>>,
    #[serde(default)]
    listener_path: Option<String>,
    #[serde(default, borrow)]
    syscalls: Option<Vec<Rule<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Architecture<'a> {
    #[serde(borrow)]
    architecture: Text<'a>,
    #[serde(default, borrow)]
    sub_architectures: Option<Vec<Text<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
    #[serde(default, borrow)]
    names: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    action: Text<'a>,
    #[serde(default)]
    errno_ret: Option<u32>,
    #[serde(default, borrow)]
    args: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    includes: Option<Condition>,
    #[serde(default)]
    excludes: Option<Condition>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    caps: Option<Vec<String>>,
    arches: Option<Vec<String>>,
    min_kernel: Option<String>,
}

/// A profile without conditions: `linux.seccomp` of the OCI specification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resolved<'a> {
    default_action: Text<'a>,
    syscalls: Vec<ResolvedRule<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_errno_ret: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    architectures: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<Vec<Text<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResolvedRule<'a> {
    names: Vec<Text<'a>>,
    action: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno_ret: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<&'a RawValue>,
}

/// The container and the kernel that a profile is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProfileContext<'a> {
    /// The capabilities that the container has.
    pub capabilities: &'a [&'a str],
    /// The kernel's version.
    pub kernel: (u32, u32),
}

/// Returns the OCI specification's `linux.seccomp` of a profile, or of the default one, as text.
///
/// # Errors
/// [`Kind::Invalid`] for an invalid profile, [`Kind::Unsupported`] for one that needs an agent.
pub(super) fn resolve(text: Option<&str>, place: ProfileContext<'_>) -> Result<Box<RawValue>> {
    let profile: Profile<'_> = serde_json::from_str(text.unwrap_or(DEFAULT)).map_err(|error| {
        Error::new(Kind::Invalid, format!("decoding seccomp profile failed: {error}"))
            .hint("write JSON in Docker's format: defaultAction, archMap, syscalls")
    })?;
    if profile.architectures.is_some() && profile.arch_map.is_some() {
        let message = "both `architectures` and `archMap` are specified in the seccomp profile";
        return Err(Error::new(Kind::Invalid, message).hint("leave out one of them"));
    }
    if profile.listener_path.is_some_and(|path| !path.is_empty()) {
        let message = "a seccomp profile with a `listenerPath` is not supported";
        return Err(Error::new(Kind::Unsupported, message));
    }
    let mut architectures = profile.architectures.unwrap_or_default();
    for family in profile.arch_map.into_iter().flatten() {
        if family.architecture.0 == NATIVE.0 {
            architectures.push(family.architecture);
            architectures.extend(family.sub_architectures.into_iter().flatten());
        }
    }
    let rules = profile.syscalls.unwrap_or_default();
    let rules = rules.into_iter().filter_map(|rule| rule.resolve(place).transpose());
    let resolved = Resolved {
        default_action: profile.default_action,
        syscalls: rules.collect::<Result<_>>()?,
        default_errno_ret: profile.default_errno_ret,
        architectures,
        flags: profile.flags,
    };
    serde_json::value::to_raw_value(&resolved)
        .map_err(|error| Error::new(Kind::Bug, format!("write a seccomp profile: {error}")))
}

/// This program's architecture, as libseccomp and Go name it.
#[cfg(target_arch = "x86_64")]
const NATIVE: (&str, &str) = ("SCMP_ARCH_X86_64", "amd64");
#[cfg(target_arch = "aarch64")]
const NATIVE: (&str, &str) = ("SCMP_ARCH_AARCH64", "arm64");

impl<'a> Rule<'a> {
    /// Returns the rule without its conditions; `None` if they are not met.
    fn resolve(self, place: ProfileContext<'_>) -> Result<Option<ResolvedRule<'a>>> {
        if let Some(excludes) = &self.excludes
            && (excludes.names_architecture() == Some(true)
                || excludes.names_capability(place) == Some(true)
                || excludes.kernel_is_new_enough(place)? == Some(true))
        {
            return Ok(None);
        }
        if let Some(includes) = &self.includes
            && (includes.names_architecture() == Some(false)
                || includes.has_capabilities(place) == Some(false)
                || includes.kernel_is_new_enough(place)? == Some(false))
        {
            return Ok(None);
        }
        let names = self.names.unwrap_or_default().into_iter().chain(self.name);
        Ok(Some(ResolvedRule {
            names: names.collect(),
            action: self.action,
            errno_ret: self.errno_ret,
            args: self.args.unwrap_or_default(),
        }))
    }
}

/// Each result is `None` if the condition does not restrict it.
impl Condition {
    fn names_architecture(&self) -> Option<bool> {
        let arches = self.arches.as_ref().filter(|arches| !arches.is_empty())?;
        Some(arches.iter().any(|arch| arch == NATIVE.1))
    }

    fn names_capability(&self, place: ProfileContext<'_>) -> Option<bool> {
        let caps = self.caps.as_ref()?;
        Some(caps.iter().any(|cap| place.capabilities.contains(&cap.as_str())))
    }

    fn has_capabilities(&self, place: ProfileContext<'_>) -> Option<bool> {
        let caps = self.caps.as_ref()?;
        Some(caps.iter().all(|cap| place.capabilities.contains(&cap.as_str())))
    }

    fn kernel_is_new_enough(&self, place: ProfileContext<'_>) -> Result<Option<bool>> {
        let Some(version) = self.min_kernel.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let minimum = version
            .split_once('.')
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        let minimum: (u32, u32) = minimum.ok_or_else(|| {
            let message = format!("invalid `minKernel` in the seccomp profile: `{version}`");
            Error::new(Kind::Invalid, message).hint("write MAJOR.MINOR, such as 4.8")
        })?;
        Ok(Some(place.kernel >= minimum))
    }
}
