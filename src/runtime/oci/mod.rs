//! A container's spec as an OCI runtime specification: `config.json`.
//!
//! The file is the contract between engine and runtime (decision 4): any OCI runtime can read it,
//! and learners find the field's own words in it. What the standard has no place for stands in
//! annotations: how the root is stacked, and the user as the image names it.

mod mounts;
mod namespaces;
pub mod resources;
mod seccomp;
mod security;

use serde_json::{Value, json};

use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::container::storage::Driver;
use crate::model::inspect::{MASKED_PATHS, READONLY_PATHS};

/// Annotation: the layers of the root, lowest first, as a JSON array of paths relative to the
/// container's directory. Without it the root is the directory `root.path` as it is.
pub const LOWER: &str = "lifebox.root.lower";
/// Annotation: `user[:group]` as the image or the caller names it; resolved inside the container.
pub const USER: &str = "lifebox.user";
/// Annotation: volumes that take what the image has where they are mounted, if they are new: a
/// JSON array of pairs, the volume's directory relative to the container's, and the target.
pub const COPY_UP: &str = "lifebox.volumes.fill";
/// Where the program of `--init` is, relative to the container's directory.
pub const INIT: &str = "../../init";
/// Annotation: the containers whose namespaces are joined: a JSON object, the standard's word for
/// the namespace to the container's id.
pub const JOIN: &str = "lifebox.namespaces.join";

/// Annotation: further groups, names or numbers, as a JSON array; resolved inside the container.
pub const GROUPS: &str = "lifebox.groups";

/// Kernel parameters of every network of a container's own.
pub const DEFAULT_SYSCTLS: [(&str, &str); 2] =
    [("net.ipv4.ip_unprivileged_port_start", "0"), ("net.ipv4.ping_group_range", "0 2147483647")];

/// The device nodes that every container has: path, major, minor (confinement.md, 2.5).
pub const DEVICES: [(&str, i64, i64); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];

/// The OCI runtime specification of `spec` with this environment, whose root is stacked from
/// `lower` (lowest first, relative to the container's directory), unless it is a copy. `throttle` are the
/// `thermal_throttle` directories of this host's processors, which are masked too.
///
/// # Errors
/// [`Kind::Invalid`](crate::model::Kind::Invalid) for a seccomp profile that is none.
pub fn config(
    spec: &ContainerSpec,
    environment: &[String],
    lower: &[String],
    throttle: &[String],
) -> Result<Value> {
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
            // Docker's, in the container's own network namespace: ping without CAP_NET_RAW, and
            // ports below 1024 for every user.
            "sysctl": serde_json::Map::from_iter(
                DEFAULT_SYSCTLS.map(|(key, value)| (key.to_owned(), value.into())),
            ),
            "rootfsPropagation": "rprivate",
            "maskedPaths": masked,
            "readonlyPaths": READONLY_PATHS,
        },
        "annotations": {
            USER: spec.config.user,
        },
    });
    if spec.host.storage == Driver::Overlay {
        config["annotations"][LOWER] = json!(lower).to_string().into();
    }
    security::apply(spec, &mut config)?;
    resources::apply(spec, &mut config);
    mounts::apply(spec, &mut config);
    crate::runtime::oci::namespaces::apply(spec, &mut config);
    Ok(config)
}

/// The mounts of every container (confinement.md, 2.2).
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

/// What may be done with devices: nothing, but for the nodes that every container has, the
/// terminals of its own devpts, and their multiplexer.
fn device_rules() -> Value {
    let allow = |major: i64, minor: i64| json!({ "allow": true, "type": "c", "major": major, "minor": minor, "access": "rwm" });
    let mut rules = vec![json!({ "allow": false, "access": "rwm" })];
    rules.extend(DEVICES.into_iter().map(|(_, major, minor)| allow(major, minor)));
    rules.push(allow(5, 2));
    rules.push(json!({ "allow": true, "type": "c", "major": 136, "access": "rwm" }));
    Value::Array(rules)
}
