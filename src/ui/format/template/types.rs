//! What Docker's types have beside its JSON: fields that are left out when they are empty, and the
//! names that Go has for them.

use serde_json::{Map, Value as Json};

/// The empty value of a field.
#[derive(Clone, Copy, Debug)]
pub enum Empty {
    False,
    Number,
    Duration,
    Text,
    List,
    Map,
    Pointer,
}

use Empty::{Duration, False, List, Number, Pointer, Text};

/// A type of Docker's.
struct Type {
    /// The fields that tell its objects from others.
    known_by: &'static [&'static str],
    /// Fields that its JSON leaves out: the one before each, its name, its empty value.
    left_out: &'static [(&'static str, &'static str, Empty)],
}

const TYPES: [Type; 13] = [
    // A container.
    Type {
        known_by: &["HostConfig", "NetworkSettings"],
        left_out: &[
            ("GraphDriver", "SizeRw", Pointer),
            ("SizeRw", "SizeRootFs", Pointer),
            ("NetworkSettings", "ImageManifestDescriptor", Pointer),
        ],
    },
    // Its state.
    Type { known_by: &["OOMKilled"], left_out: &[("FinishedAt", "Health", Pointer)] },
    // Its `HostConfig`.
    Type {
        known_by: &["NetworkMode", "ShmSize"],
        left_out: &[("IOMaximumBandwidth", "Mounts", List)],
    },
    // One of its mounts.
    Type {
        known_by: &["Destination", "RW"],
        left_out: &[("Type", "Name", Text), ("Destination", "Driver", Text)],
    },
    // One of `HostConfig.Mounts`.
    Type {
        known_by: &["Type", "Target"],
        left_out: &[
            ("Type", "Source", Text),
            ("Target", "ReadOnly", False),
            ("ReadOnly", "Consistency", Text),
            ("Consistency", "BindOptions", Pointer),
            ("BindOptions", "VolumeOptions", Pointer),
            ("VolumeOptions", "ImageOptions", Pointer),
            ("ImageOptions", "TmpfsOptions", Pointer),
            ("TmpfsOptions", "ClusterOptions", Pointer),
        ],
    },
    // Its options.
    Type {
        known_by: &["Propagation"],
        left_out: &[
            ("Propagation", "NonRecursive", False),
            ("NonRecursive", "CreateMountpoint", False),
            ("CreateMountpoint", "ReadOnlyNonRecursive", False),
            ("ReadOnlyNonRecursive", "ReadOnlyForceRecursive", False),
        ],
    },
    Type { known_by: &["NonRecursive"], left_out: &[("", "Propagation", Text)] },
    Type {
        known_by: &["DriverConfig"],
        left_out: &[
            ("", "NoCopy", False),
            ("NoCopy", "Labels", Empty::Map),
            ("Labels", "Subpath", Text),
        ],
    },
    Type {
        known_by: &["SizeBytes"],
        left_out: &[("SizeBytes", "Mode", Number), ("Mode", "Options", List)],
    },
    // A health check.
    Type {
        known_by: &["Test"],
        left_out: &[
            ("Test", "Interval", Duration),
            ("Interval", "Timeout", Duration),
            ("Timeout", "StartPeriod", Duration),
            ("StartPeriod", "StartInterval", Duration),
            ("StartInterval", "Retries", Number),
        ],
    },
    // The `Config` of a container or an image.
    Type {
        known_by: &["Entrypoint", "OnBuild"],
        left_out: &[
            ("AttachStderr", "ExposedPorts", Empty::Map),
            ("Cmd", "ArgsEscaped", False),
            ("Cmd", "Healthcheck", Pointer),
            ("Entrypoint", "NetworkDisabled", False),
            ("NetworkDisabled", "MacAddress", Text),
            ("Labels", "StopSignal", Text),
            ("StopSignal", "StopTimeout", Pointer),
            ("StopTimeout", "Shell", List),
        ],
    },
    // A volume.
    Type {
        known_by: &["Mountpoint", "Scope"],
        left_out: &[("Scope", "Status", Empty::Map), ("Status", "UsageData", Pointer)],
    },
    // `info`.
    Type {
        known_by: &["DockerRootDir"],
        left_out: &[
            ("DriverStatus", "SystemStatus", List),
            ("SwapLimit", "KernelMemory", False),
            ("KernelMemory", "KernelMemoryTCP", False),
            ("Isolation", "ProductLicense", Text),
            ("ProductLicense", "DefaultAddressPools", List),
        ],
    },
];

/// Fields that are left out of objects which are too small to be told from others.
const ANYWHERE: [(&str, Empty); 13] = [
    ("Annotations", Empty::Map),
    ("ExposedPorts", Empty::Map),
    ("StorageOpt", Empty::Map),
    ("Sysctls", Empty::Map),
    ("Tmpfs", Empty::Map),
    ("OnBuild", List),
    ("Shell", List),
    ("OsVersion", Text),
    ("StopSignal", Text),
    ("Variant", Text),
    ("Health", Pointer),
    ("Healthcheck", Pointer),
    ("Init", Pointer),
];

type Object = Map<String, Json>;

/// Returns the fields that an object leaves out: the one before each, its name, its empty value.
pub fn left_out(object: &Object) -> &'static [(&'static str, &'static str, Empty)] {
    let is = |one: &&Type| one.known_by.iter().all(|field| object.contains_key(*field));
    TYPES.iter().find(is).map_or(&[], |one| one.left_out)
}

/// Returns the empty value of a field that an object of Docker's leaves out.
pub fn empty(object: &Object, name: &str) -> Option<Empty> {
    let here = left_out(object).iter().map(|(_, field, empty)| (*field, *empty));
    // An image has no more of these.
    let image = [("Manifests", List), ("Descriptor", Pointer)].into_iter();
    let image = image.filter(|_| object.contains_key("RepoTags"));
    let mut all = here.chain(image).chain(ANYWHERE).chain([("StopTimeout", Pointer)]);
    all.find(|(field, _)| *field == name).map(|(_, empty)| empty)
}

/// Returns the name in JSON of a field of an event, which begins with a small letter there.
pub fn event_name(go: &str) -> Option<&'static str> {
    let names = ["from", "id", "scope", "status", "time", "timeNano"];
    match go {
        "ID" => Some("id"),
        _ if go.starts_with(char::is_uppercase) => {
            names.into_iter().find(|name| name[..1].to_uppercase() + &name[1..] == go)
        }
        _ => None,
    }
}

/// Returns the name in JSON of a field that has another in Go.
pub fn json_name(go: &str) -> Option<String> {
    let names =
        [("CPU", "Cpu"), ("DNS", "Dns"), ("HTTPS", "Https"), ("HTTP", "Http"), ("API", "Api")];
    match go {
        "ID" => Some("Id".to_owned()),
        "NanoCPUs" => Some("NanoCpus".to_owned()),
        _ => names
            .iter()
            .find_map(|(upper, lower)| Some(format!("{lower}{}", go.strip_prefix(upper)?))),
    }
}
