//! What a container may do: capabilities, system calls, privileges, a read-only root, devices.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::device_rule::DeviceRule;
use crate::model::value::capability::{self, ALL};
use crate::model::{Error, Kind, Result};

/// Paths that a container cannot read.
pub const MASKED_PATHS: [&str; 14] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
    "/sys/devices/system/cpu/cpu*/thermal_throttle",
];

/// Paths that a container cannot write.
pub const READONLY_PATHS: [&str; 6] =
    ["/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// What a container may do: capabilities, system calls, privileges, a read-only root, devices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// Capabilities beyond the default, as [`capability::canonical`] writes them.
    pub cap_add: Vec<String>,
    /// Capabilities taken from the default.
    pub cap_drop: Vec<String>,
    /// All capabilities and devices, no masks, no system call filter.
    pub privileged: bool,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// Whether set-uid bits and file capabilities grant nothing (`no_new_privs`).
    pub no_new_privileges: bool,
    /// Which system calls are allowed.
    pub seccomp: Seccomp,
    /// The AppArmor profile of the container's processes; unset, that of the starting process.
    pub apparmor: Option<String>,
    /// The SELinux label of the container's processes, where one is configured.
    pub label: Option<Label>,
    /// Whether paths of `/proc` and `/sys` are neither masked nor read-only.
    pub system_paths: bool,
    /// The options as they were written, for `inspect`.
    pub options: Vec<String>,
    /// Devices of the host.
    pub devices: Vec<Device>,
    /// Devices that may be used without a node of them.
    pub device_rules: Vec<DeviceRule>,
    /// Additional groups, by name or number.
    pub groups: Vec<String>,
}

/// Which system calls are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seccomp {
    /// The calls of Docker's default profile; all calls for a privileged container.
    #[default]
    Default,
    /// All calls.
    Unconfined,
    /// The calls of the profile in this file; the engine reads it at `create`.
    File(String),
    /// The calls of this profile, in Docker's format.
    Profile(String),
}

/// An SELinux label. Parts that are not configured come from the policies for containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    user: String,
    role: String,
    domain: String,
    level: String,
}

impl Default for Label {
    fn default() -> Self {
        let owned = str::to_owned;
        let (user, role) = (owned("system_u"), owned("system_r"));
        Label { user, role, domain: owned("container_t"), level: owned("s0") }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.user, self.role, self.domain, self.level)
    }
}

impl Security {
    /// Applies one `--security-opt`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for an unknown option.
    pub fn set(&mut self, option: &str) -> Result<()> {
        // Docker once wrote `:` for `=` and still takes it.
        let place = option.find(['=', ':']);
        let (key, value) =
            place.map_or((option, None), |at| (&option[..at], Some(&option[at + 1..])));
        match (key, value) {
            ("no-new-privileges", None | Some("true")) => self.no_new_privileges = true,
            ("no-new-privileges", Some("false")) => self.no_new_privileges = false,
            ("seccomp", Some("unconfined")) => self.seccomp = Seccomp::Unconfined,
            ("seccomp", Some("builtin")) => self.seccomp = Seccomp::Default,
            ("seccomp", Some(file)) if !file.is_empty() => {
                self.seccomp = Seccomp::File(file.to_owned());
            }
            ("systempaths", Some("unconfined")) => self.system_paths = true,
            ("apparmor", Some(name)) if is_word(name) => self.apparmor = Some(name.to_owned()),
            ("label", Some("disable")) => self.label = None,
            ("label", Some(part)) => self.set_label(part)?,
            _ => {
                let message = format!("unknown security option {option:?}");
                return Err(Error::new(Kind::Invalid, message).hint(
                    "use one of no-new-privileges[:true|false], seccomp=FILE, seccomp=unconfined, \
                     systempaths=unconfined, apparmor=PROFILE, label=disable, \
                     label=user|role|type|level:VALUE",
                ));
            }
        }
        self.options.push(option.to_owned());
        Ok(())
    }

    /// Sets one part of the label, such as `type:container_t`.
    fn set_label(&mut self, part: &str) -> Result<()> {
        let mut label = self.label.take().unwrap_or_default();
        let (name, value) = part.split_once(':').unwrap_or((part, ""));
        let place = match name {
            "user" => &mut label.user,
            "role" => &mut label.role,
            "type" => &mut label.domain,
            "level" => &mut label.level,
            _ => return Err(bad_label(part)),
        };
        // Only a level may have several parts.
        if !is_word(value) || (name != "level" && value.contains(':')) {
            return Err(bad_label(part));
        }
        value.clone_into(place);
        self.label = Some(label);
        Ok(())
    }

    /// Refuses contradictions.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a capability that is both added and dropped.
    pub fn check(&self) -> Result<()> {
        if let Some(both) = self.cap_add.iter().find(|name| self.cap_drop.contains(name)) {
            let message = format!("capability `{both}` is both added and dropped");
            return Err(Error::new(Kind::Invalid, message).hint("leave out one of the two"));
        }
        Ok(())
    }

    /// Returns the capabilities of root in the container.
    pub fn capabilities(&self) -> Vec<&'static str> {
        let named = |list: &[String], name: &str| list.iter().any(|known| known == name);
        let all = self.privileged || named(&self.cap_add, ALL);
        let has = |name: &&str| {
            if named(&self.cap_drop, name) {
                return false;
            }
            let default = capability::DEFAULT.contains(name) && !named(&self.cap_drop, ALL);
            named(&self.cap_add, name) || all || default
        };
        capability::NAMES.into_iter().filter(has).collect()
    }

    /// Returns the capabilities of a user other than root: those that were added explicitly.
    pub fn added_capabilities(&self) -> Vec<&'static str> {
        let added = |name: &&str| self.cap_add.iter().any(|cap| cap == name || cap == ALL);
        self.capabilities().into_iter().filter(added).collect()
    }
}

/// Returns whether a text can be written to the kernel as one word.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() < 4000
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn bad_label(part: &str) -> Error {
    Error::new(Kind::Invalid, format!("invalid label option {part:?}"))
        .hint("write label=disable, or label=user:USER, role:ROLE, type:TYPE or level:LEVEL")
}

/// A device of the host, added to a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its path on the host: a node, or a directory of nodes.
    pub host: String,
    /// Its path inside, below `/dev`.
    pub inside: String,
    /// The allowed access: some of `r`, `w` and `m` (mknod).
    pub access: String,
}

/// Writes the form that is parsed, with all parts.
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.host, self.inside, self.access)
    }
}

/// `/dev/x`, `/dev/x:rw`, `/dev/x:/dev/y`, `/dev/x:/dev/y:rw`.
impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Error::new(Kind::Invalid, format!("invalid device `{text}`: {what}"))
                .hint("write HOST[:INSIDE[:rwm]], such as /dev/fuse or /dev/sda:/dev/disk:r")
        };
        let is_access = |text: &str| {
            !text.is_empty()
                && text.chars().all(|c| "rwm".contains(c))
                && "rwm".chars().all(|c| text.matches(c).count() <= 1)
        };
        let (host, inside, access) = match text.split(':').collect::<Vec<_>>()[..] {
            [host] => (host, host, "rwm"),
            [host, access] if is_access(access) => (host, host, access),
            [host, inside] => (host, inside, "rwm"),
            [host, inside, access] => (host, inside, access),
            _ => return Err(wrong("too many colons")),
        };
        if !host.starts_with('/') {
            return Err(wrong("the path on the host must be absolute"));
        }
        // Elsewhere a device is dead: the root and all other mounts are `nodev`.
        let below = inside.strip_prefix("/dev/").unwrap_or_default();
        if below.is_empty() || below.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(wrong("the path inside must be below /dev"));
        }
        if !is_access(access) {
            return Err(wrong("the access must be some of r, w and m"));
        }
        if text.contains('\0') {
            return Err(wrong("it contains a NUL byte"));
        }
        let owned = str::to_owned;
        Ok(Device { host: owned(host), inside: owned(inside), access: owned(access) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn security(add: &[&str], drop: &[&str]) -> Security {
        let owned =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let canonical = |names: &[&str]| capability::canonical_all(&owned(names)).unwrap();
        Security { cap_add: canonical(add), cap_drop: canonical(drop), ..Security::default() }
    }

    #[test]
    fn capabilities_are_added_and_dropped_as_dockers() {
        let with = |add: &[&str], drop: &[&str]| security(add, drop).capabilities();
        assert_eq!(with(&[], &[]).len(), 11);
        assert_eq!(with(&[], &["ALL"]), Vec::<&str>::new());
        assert_eq!(with(&["net_admin"], &["all"]), ["CAP_NET_ADMIN"]);
        assert_eq!(with(&["ALL"], &[]).len(), 41);
        assert_eq!(with(&["ALL"], &["MKNOD"]).len(), 40);
        assert!(!with(&[], &["chown"]).contains(&"CAP_CHOWN"));
        let privileged = Security { privileged: true, ..security(&[], &["SYS_BOOT"]) };
        assert_eq!(privileged.capabilities().len(), 40);
        assert_eq!(privileged.added_capabilities().len(), 0);
        assert_eq!(security(&["SYS_TIME"], &[]).added_capabilities(), ["CAP_SYS_TIME"]);
        assert!(security(&["ALL"], &["ALL"]).check().is_err());
        assert!(security(&["KILL"], &["cap_kill"]).check().is_err());
    }

    #[test]
    fn options_are_read_as_dockers_and_others_are_refused() {
        let read = |option: &str| {
            let mut security = Security::default();
            security.set(option).map(|()| security)
        };
        for option in ["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"] {
            assert!(read(option).unwrap().no_new_privileges, "{option}");
        }
        assert!(!read("no-new-privileges=false").unwrap().no_new_privileges);
        assert_eq!(read("seccomp:unconfined").unwrap().seccomp, Seccomp::Unconfined);
        assert_eq!(read("seccomp=a.json").unwrap().seccomp, Seccomp::File("a.json".to_owned()));
        assert!(read("systempaths=unconfined").unwrap().system_paths);
        for option in [
            "",
            "seccomp",
            "seccomp=",
            "no-new-privileges=1",
            "nnp",
            "apparmor=",
            "apparmor=a b",
            "label=x",
            "label=type:",
        ] {
            assert!(read(option).is_err(), "{option}");
        }
        assert_eq!(read("apparmor=web").unwrap().apparmor.as_deref(), Some("web"));
        let mut labelled = read("label=type:web_t").unwrap();
        labelled.set("label:level:s0:c1,c2").unwrap();
        assert_eq!(labelled.label.unwrap().to_string(), "system_u:system_r:web_t:s0:c1,c2");
        assert!(read("label=disable").unwrap().label.is_none());
    }

    #[test]
    fn devices_are_read_as_dockers_and_others_are_refused() {
        let read = |text: &str| text.parse::<Device>().map(|d| (d.host, d.inside, d.access));
        let expected = |host: &str, inside: &str, access: &str| {
            (host.to_owned(), inside.to_owned(), access.to_owned())
        };
        assert_eq!(read("/dev/a").unwrap(), expected("/dev/a", "/dev/a", "rwm"));
        assert_eq!(read("/dev/a:rw").unwrap(), expected("/dev/a", "/dev/a", "rw"));
        assert_eq!(read("/dev/a:/dev/b").unwrap(), expected("/dev/a", "/dev/b", "rwm"));
        assert_eq!(read("/dev/a:/dev/b:r").unwrap(), expected("/dev/a", "/dev/b", "r"));
        for text in [
            "",
            "dev/a",
            "/dev/a:b",
            "/dev/a:/b",
            "/dev/a:/dev/../b",
            "/dev/a:/dev/",
            "/dev/a:/dev/b:x",
            "/dev/a:/dev/b:rr",
            "/dev/a:/dev/b:r:w",
        ] {
            assert_eq!(read(text).unwrap_err().kind(), Kind::Invalid, "{text}");
        }
    }
}
