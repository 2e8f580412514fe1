//! A container's spec as an OCI runtime specification: `config.json`.
//!
//! The file is the contract between engine and runtime (docs/decisions/0004): any OCI runtime can
//! read it, and learners find the field's own words in it. Annotations hold what the specification
//! has no place for: the layers of the root, and the user as the image names it.

mod annotations;
mod mounts;
mod namespaces;
pub mod resources;
mod seccomp;
mod security;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

pub use self::annotations::{
    COPY_UP, DEFAULT_SYSCTLS, DEVICES, GROUPS, IMAGE_LAYERS, IMAGES, INIT, INIT_PATH, JOIN, LOWER,
    SUBPATHS, USER, VOLUME_DEVICES,
};
use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::container::security::{MASKED_PATHS, READONLY_PATHS};
use crate::model::container::storage::Driver;

/// A configuration: `config.json`.
#[derive(Debug)]
pub struct OciConfig {
    /// All of it but `linux.seccomp`, an object.
    pub value: Value,
    /// `linux.seccomp`, as text: it is the longest part by far, and only copied.
    pub seccomp: Option<Box<RawValue>>,
}

impl Serialize for OciConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.value.as_object().into_iter().flatten() {
            match (key.as_str(), value.as_object(), &self.seccomp) {
                ("linux", Some(linux), Some(seccomp)) => {
                    map.serialize_entry(key, &Filtered { linux, seccomp })?;
                }
                _ => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

/// `linux` with its system call filter.
struct Filtered<'a> {
    linux: &'a Map<String, Value>,
    seccomp: &'a RawValue,
}

impl Serialize for Filtered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.linux {
            map.serialize_entry(key, value)?;
        }
        map.serialize_entry("seccomp", self.seccomp)?;
        map.end()
    }
}

/// Returns the OCI runtime specification of `spec` with this environment. Unless it is a copy, the
/// root is an overlay of `lower` (lowest first, relative to the container's directory). `throttle`
/// are the `thermal_throttle` directories of the host's processors, which are masked too.
///
/// # Errors
/// [`Kind::Invalid`](crate::model::Kind::Invalid) for an invalid seccomp profile.
pub fn config(
    spec: &ContainerSpec,
    environment: &[String],
    lower: &[String],
    throttle: &[String],
) -> Result<OciConfig> {
    let masked: Vec<&str> = MASKED_PATHS
        .into_iter()
        .filter(|path| !path.contains('*'))
        .chain(throttle.iter().map(String::as_str))
        .collect();
    let workdir = if spec.config.workdir.is_empty() { "/" } else { &spec.config.workdir };
    let mut config = json!({
        "ociVersion": "1.2.0",
        "root": { "path": "rootfs", "readonly": false },
        "hostname": spec.config.hostname,
        "process": {
            "terminal": spec.config.tty,
            "user": { "uid": 0, "gid": 0, "umask": 0o022 },
            "args": spec.config.argv(),
            "env": environment,
            "cwd": workdir,
            "rlimits": [
                { "type": "RLIMIT_CORE", "soft": 0, "hard": 0 },
                { "type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1_048_576 },
            ],
            "oomScoreAdj": 0,
        },
        "mounts": mounts(),
        "linux": {
            "cgroupsPath": "",
            "namespaces": [
                { "type": "pid" }, { "type": "mount" }, { "type": "uts" },
                { "type": "ipc" }, { "type": "network" }, { "type": "cgroup" },
            ],
            "resources": { "devices": device_rules() },
            // Docker's, in a private network namespace: ping without CAP_NET_RAW, and ports below
            // 1024 for every user.
            "sysctl": serde_json::Map::from_iter(
                DEFAULT_SYSCTLS.map(|(key, value)| (key.to_owned(), value.into())),
            ),
            "rootfsPropagation": "rprivate",
            "maskedPaths": masked,
            "readonlyPaths": READONLY_PATHS,
        },
        "annotations": spec.host_config.annotations,
    });
    config["annotations"][USER] = json!(spec.config.user);
    if spec.host_config.storage == Driver::Overlay {
        config["annotations"][LOWER] = json!(lower).to_string().into();
    }
    let seccomp = security::apply(spec, &mut config)?;
    resources::apply(spec, &mut config)?;
    mounts::apply(spec, &mut config);
    namespaces::apply(spec, &mut config);
    Ok(OciConfig { value: config, seccomp })
}

/// Returns the mounts of every container.
fn mounts() -> Value {
    let bind = |name: &str| {
        json!({
            "destination": format!("/etc/{name}"), "type": "bind", "source": name,
            "options": ["bind", "rprivate", "nosuid", "nodev", "noexec"],
        })
    };
    json!([
        { "destination": "/proc", "type": "proc", "source": "proc",
          "options": ["nosuid", "noexec", "nodev"] },
        { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
          "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
        { "destination": "/dev/pts", "type": "devpts", "source": "devpts",
          "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
        { "destination": "/dev/shm", "type": "tmpfs", "source": "shm",
          "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=64m"] },
        { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
          "options": ["nosuid", "noexec", "nodev"] },
        { "destination": "/sys", "type": "sysfs", "source": "sysfs",
          "options": ["nosuid", "noexec", "nodev", "ro"] },
        { "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
          "options": ["nosuid", "noexec", "nodev", "relatime", "ro"] },
        bind("hosts"), bind("hostname"), bind("resolv.conf"),
    ])
}

/// Returns the device rules: nothing is allowed but the nodes that every container has, the
/// terminals of its own devpts, and their multiplexer.
fn device_rules() -> Value {
    let allow = |major: i64, minor: i64| json!({ "allow": true, "type": "c", "major": major, "minor": minor, "access": "rwm" });
    let mut rules = vec![json!({ "allow": false, "access": "rwm" })];
    rules.extend(DEVICES.into_iter().map(|(_, major, minor)| allow(major, minor)));
    rules.push(allow(5, 2));
    rules.push(json!({ "allow": true, "type": "c", "major": 136, "access": "rwm" }));
    Value::Array(rules)
}
