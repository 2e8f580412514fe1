//! The security modules of the kernel that label programs: AppArmor and SELinux.

use std::path::Path;

use crate::model::container::security::Security;
use crate::model::{Error, Kind, Result};

/// The profile name with which AppArmor confines nothing.
pub(crate) const UNCONFINED: &str = "unconfined";

/// Returns whether AppArmor is enabled (apparmor(7)).
pub fn has_apparmor() -> bool {
    let enabled = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled");
    enabled.is_ok_and(|text| text.starts_with('Y'))
}

/// Returns whether SELinux is enabled, which is where its file system is mounted (selinux(8)).
pub fn has_selinux() -> bool {
    Path::new("/sys/fs/selinux/enforce").exists()
}

/// Refuses options of a security module that is not enabled.
///
/// # Errors
/// [`Kind::Unsupported`].
pub fn check(security: &Security) -> Result<()> {
    let refuse = |what: String, module: &str, hint: &str| {
        let message = format!("cannot set {what}: {module} is not enabled on the host");
        Err(Error::new(Kind::Unsupported, message).hint(hint.to_owned()))
    };
    match (&security.apparmor, &security.label) {
        (Some(profile), _) if profile != UNCONFINED && !has_apparmor() => refuse(
            format!("AppArmor profile `{profile}`"),
            "AppArmor",
            "leave apparmor=... out, or boot the kernel with apparmor=1 security=apparmor",
        ),
        (_, Some(label)) if !has_selinux() => refuse(
            format!("SELinux label `{label}`"),
            "SELinux",
            "leave label=... out, or boot the kernel with selinux=1 security=selinux",
        ),
        _ => Ok(()),
    }
}

/// Returns what confines containers on the host, as Docker's `info` lists it.
pub(crate) fn security_options(rootless: bool) -> Vec<String> {
    let known = [
        ("name=apparmor", has_apparmor()),
        ("name=seccomp,profile=builtin", Path::new("/proc/sys/kernel/seccomp").exists()),
        ("name=selinux", has_selinux()),
        ("name=rootless", rootless),
        ("name=cgroupns", Path::new("/proc/self/ns/cgroup").exists()),
    ];
    known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_owned()).collect()
}
