//! The security options of a container in the words of the OCI runtime specification: capabilities,
//! seccomp, privileges, a read-only root, devices.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::annotations::GROUPS;
use super::seccomp::{self, ProfileContext};
use crate::model::container::ContainerSpec;
use crate::model::container::device_rule::DeviceRule;
use crate::model::container::security::Seccomp;
use crate::model::value::account;
use crate::model::{Error, Kind, Result};
use crate::runtime::host;
use crate::runtime::host::lsm;

/// The capability with which a program makes device nodes. The cgroup then allows to make any, as
/// with Docker; to open one is another right.
const MKNOD: &str = "CAP_MKNOD";

/// Adds the security options to `config`, but for `linux.seccomp`, which it returns.
///
/// # Errors
/// [`Kind::Invalid`](crate::model::Kind::Invalid) for an invalid seccomp profile.
pub(super) fn apply(spec: &ContainerSpec, config: &mut Value) -> Result<Option<Box<RawValue>>> {
    let security = &spec.host_config.security;
    let root = security.capabilities();
    // Podman's rule: a user who is not root gets the requested capabilities, and none by default.
    let added = security.added_capabilities();
    let added = if account::is_root(&spec.config.user) { Vec::new() } else { added };
    config["process"]["capabilities"] = json!({
        "bounding": root,
        "effective": root,
        "permitted": root,
        "inheritable": added,
        "ambient": added,
    });
    config["process"]["noNewPrivileges"] = security.no_new_privileges.into();
    config["annotations"][GROUPS] = json!(security.groups).to_string().into();
    // Without AppArmor, only `unconfined` passes the check, and nothing needs to be set.
    if let Some(profile) = security.apparmor.as_ref().filter(|_| lsm::has_apparmor()) {
        config["process"]["apparmorProfile"] = profile.as_str().into();
    }
    if let Some(label) = &security.label {
        config["process"]["selinuxLabel"] = label.to_string().into();
    }
    let place = ProfileContext { capabilities: &root, kernel: host::kernel_version() };
    let profile = match &security.seccomp {
        Seccomp::Default if security.privileged => None,
        Seccomp::Default => Some(seccomp::resolve(None, place)?),
        Seccomp::Unconfined => None,
        Seccomp::Profile(text) => Some(seccomp::resolve(Some(text), place)?),
        Seccomp::File(path) => {
            return Err(Error::new(Kind::Bug, format!("the profile `{path}` was not read")));
        }
    };
    if security.read_only {
        config["root"]["readonly"] = true.into();
        // Docker's rule: bind mounts in /etc are read-only if the root is.
        mounts_of(config, &["bind"], |options| options.push("ro".into()));
    }
    if security.privileged || security.system_paths {
        config["linux"]["maskedPaths"] = json!([]);
        config["linux"]["readonlyPaths"] = json!([]);
    }
    if root.contains(&MKNOD) {
        let nodes = DeviceRule { kind: 'a', major: None, minor: None, access: "m".to_owned() };
        allow_devices(&[nodes], config);
    }
    allow_devices(&security.device_rules, config);
    if security.privileged {
        config["linux"]["resources"]["devices"] = json!([{ "allow": true, "access": "rwm" }]);
        let writable = |options: &mut Vec<Value>| options.retain(|option| option != "ro");
        mounts_of(config, &["sysfs", "cgroup"], writable);
    }
    Ok(profile)
}

/// Adds rules that allow devices.
fn allow_devices(rules: &[DeviceRule], config: &mut Value) {
    let Some(list) = config["linux"]["resources"]["devices"].as_array_mut() else { return };
    for rule in rules {
        let kinds: &[&str] = match rule.kind {
            'a' => &["b", "c"],
            'b' => &["b"],
            _ => &["c"],
        };
        for kind in kinds {
            let mut allowed = json!({ "allow": true, "type": kind, "access": rule.access });
            for (key, number) in [("major", rule.major), ("minor", rule.minor)] {
                if let Some(number) = number {
                    allowed[key] = number.into();
                }
            }
            list.push(allowed);
        }
    }
}

/// Changes the options of each mount of one of these types.
fn mounts_of(config: &mut Value, types: &[&str], change: impl Fn(&mut Vec<Value>)) {
    for mount in config["mounts"].as_array_mut().into_iter().flatten() {
        if mount["type"].as_str().is_some_and(|kind| types.contains(&kind)) {
            mount["options"].as_array_mut().into_iter().for_each(&change);
        }
    }
}
