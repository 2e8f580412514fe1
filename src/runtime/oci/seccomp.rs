//! A seccomp profile in Docker's format, converted to that of the OCI specification.
//!
//! Docker's format is OCI's with conditions: a rule may apply only with or without some
//! capabilities, on some architectures, or from some kernel version on (moby `profiles/seccomp`).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{Error, Kind, Result};

/// The default profile: Docker's allow-list and argument rules.
const DEFAULT: &str = include_str!("../seccomp/default.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: String,
    #[serde(default)]
    default_errno_ret: Option<u32>,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    #[serde(default)]
    arch_map: Option<Vec<Architecture>>,
    #[serde(default)]
    flags: Option<Vec<String>>,
    #[serde(default)]
    listener_path: Option<String>,
    #[serde(default)]
    syscalls: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Architecture {
    architecture: String,
    #[serde(default)]
    sub_architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    names: Option<Vec<String>>,
    action: String,
    #[serde(default)]
    errno_ret: Option<u32>,
    #[serde(default)]
    args: Option<Vec<Value>>,
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

/// The container and the kernel that a profile is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProfileContext<'a> {
    /// The capabilities that the container has.
    pub capabilities: &'a [&'a str],
    /// The kernel's version.
    pub kernel: (u32, u32),
}

/// Returns the OCI specification's `linux.seccomp` of a profile, or of the default one.
///
/// # Errors
/// [`Kind::Invalid`] for an invalid profile, [`Kind::Unsupported`] for one that needs an agent.
pub(super) fn resolve(text: Option<&str>, place: ProfileContext<'_>) -> Result<Value> {
    let profile: Profile = serde_json::from_str(text.unwrap_or(DEFAULT)).map_err(|error| {
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
        if family.architecture == NATIVE.0 {
            architectures.push(family.architecture);
            architectures.extend(family.sub_architectures.into_iter().flatten());
        }
    }
    let rules = profile.syscalls.unwrap_or_default();
    let rules = rules.into_iter().filter_map(|rule| rule.resolve(place).transpose());
    let rules = rules.collect::<Result<Vec<Value>>>()?;
    let mut seccomp = json!({ "defaultAction": profile.default_action, "syscalls": rules });
    if let Some(errno) = profile.default_errno_ret {
        seccomp["defaultErrnoRet"] = errno.into();
    }
    if !architectures.is_empty() {
        seccomp["architectures"] = architectures.into();
    }
    if let Some(flags) = profile.flags {
        seccomp["flags"] = flags.into();
    }
    Ok(seccomp)
}

/// This program's architecture, as libseccomp and Go name it.
#[cfg(target_arch = "x86_64")]
const NATIVE: (&str, &str) = ("SCMP_ARCH_X86_64", "amd64");
#[cfg(target_arch = "aarch64")]
const NATIVE: (&str, &str) = ("SCMP_ARCH_AARCH64", "arm64");

impl Rule {
    /// Returns the rule without its conditions; `None` if they are not met.
    fn resolve(self, place: ProfileContext<'_>) -> Result<Option<Value>> {
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
        let mut rule = json!({ "names": names.collect::<Vec<_>>(), "action": self.action });
        if let Some(errno) = self.errno_ret {
            rule["errnoRet"] = errno.into();
        }
        if let Some(arguments) = self.args.filter(|arguments| !arguments.is_empty()) {
            rule["args"] = arguments.into();
        }
        Ok(Some(rule))
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
