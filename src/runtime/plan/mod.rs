//! OCI runtime specification -> [`Plan`]: every step that init will take, as printable data.
//!
//! Pure: it asks nothing of the kernel, so a test can snapshot a plan, and an error can name its
//! step ("step 7 of 31: mount overlay on /: operation not permitted"). `init` only walks it.

mod capability;
mod device;
mod step;
#[cfg(test)]
mod tests;

use std::ffi::CString;

use oci_spec::runtime::{LinuxDevice, Mount, PosixRlimitType, Process, Spec};
use rustix::process::Resource;

pub use self::step::{DeviceStep, FileStep, MountStep, Root, Step, UserStep};
use super::{oci, seccomp};
use crate::model::{Error, Kind, Result};
use crate::sys::mount::{Attributes, Setting};

/// What init does between clone and exec, in order.
#[derive(Debug)]
pub struct Plan {
    /// The namespaces that the process is made in (`CLONE_NEW*`). The cgroup namespace comes
    /// later, by a step: its root is the cgroup that the process is in when it is made.
    pub namespaces: i32,
    /// The steps.
    pub steps: Vec<Step>,
}

/// What the plan needs to know of the host.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Each v1 hierarchy to show inside: directory name, and its mount options.
    pub cgroup_v1: Vec<(String, Vec<String>)>,
    /// Whether the unified hierarchy is there, and where below `/sys/fs/cgroup` (empty: itself).
    pub cgroup_v2: Option<String>,
    /// Whether the container keeps standard input open.
    pub open_stdin: bool,
    /// Whether overlay takes layers one by one (Linux 6.8).
    pub one_by_one: bool,
    /// All devices of the host, for a privileged container.
    pub devices: Option<Vec<LinuxDevice>>,
}

/// The plan for `spec` on this host.
///
/// # Errors
/// [`Kind::Invalid`] for text with a NUL and [`Kind::Unsupported`] for what lifebox does not do.
pub fn plan(spec: &Spec, host: &Host) -> Result<Plan> {
    let mut steps = vec![Step::DieWithMonitor];
    let process = spec.process().as_ref().ok_or_else(|| missing("process"))?;
    let linux = spec.linux().as_ref().ok_or_else(|| missing("linux"))?;
    steps.push(Step::SetOomScore(text(&process.oom_score_adj().unwrap_or(0).to_string())?));
    steps.extend([
        Step::JoinCgroups,
        Step::NewCgroupNamespace,
        Step::HideFromOthers,
        Step::NewKeyring,
        Step::NewSession,
        Step::BringLoopbackUp,
        Step::StopPropagation,
        Step::MountRoot(root(spec, host)?),
    ]);
    for mount in spec.mounts().iter().flatten() {
        mount_steps(mount, host, &mut steps)?;
    }
    device::steps(linux, host, &mut steps)?;
    for (name, value) in linux.sysctl().iter().flatten() {
        let path = text(&format!("proc/sys/{}", name.replace('.', "/")))?;
        steps.push(Step::WriteSysctl { path, value: text(value)? });
    }
    steps.push(Step::PivotRoot);
    if !host.open_stdin {
        steps.push(Step::OpenNullInput);
    }
    steps.push(Step::SetHostname(text(spec.hostname().as_deref().unwrap_or_default())?));
    for path in linux.readonly_paths().iter().flatten() {
        steps.push(Step::MakeReadonly(inside(path)?));
    }
    for path in linux.masked_paths().iter().flatten() {
        steps.push(Step::Mask(inside(path)?));
    }
    for limit in process.rlimits().iter().flatten() {
        let resource = resource(limit.typ())?;
        steps.push(Step::SetLimit { resource, soft: limit.soft(), hard: limit.hard() });
    }
    let cwd = process.cwd().to_string_lossy().into_owned();
    steps.extend([
        Step::ResetSignals,
        Step::ResetPersonality,
        Step::SetUmask(process.user().umask().unwrap_or(0o022)),
        Step::EnterDirectory(text(&cwd)?),
    ]);
    // Not before the working directory, which may have to be made.
    if spec.root().as_ref().and_then(|root| root.readonly()).unwrap_or(false) {
        steps.push(Step::SealRoot);
    }
    steps.extend(rights(spec, process)?);
    steps.push(Step::Execute);
    Ok(Plan { namespaces: namespaces(), steps })
}

/// How the rights are given up: for the container's first process, and for each that joins it.
fn rights(spec: &Spec, process: &Process) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let annotation =
        |name: &str| spec.annotations().as_ref().and_then(|all| all.get(name)).cloned();
    let user = annotation(oci::USER).unwrap_or_default();
    text(&user)?;
    let groups = annotation(oci::GROUPS).unwrap_or_else(|| "[]".to_owned());
    let groups = serde_json::from_str(&groups).map_err(|_| missing(oci::GROUPS))?;
    let sets = process.capabilities().as_ref();
    let bounding = capability::set(sets.and_then(|sets| sets.bounding().as_ref()));
    let ambient = capability::set(sets.and_then(|sets| sets.ambient().as_ref()));
    let become_user = Step::BecomeUser(UserStep { user, groups, bounding, ambient });
    let seccomp = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref());
    let filter = seccomp.map(seccomp::compile).transpose()?.map(Step::LoadFilter);
    if process.no_new_privileges().unwrap_or(false) {
        // Then anyone may load a filter, so it need not allow what comes before.
        steps.extend([Step::ForbidNewPrivileges, become_user, Step::CloseDescriptors]);
        steps.extend(filter);
    } else {
        // To load one takes CAP_SYS_ADMIN, which goes with the change of user.
        steps.extend(filter);
        steps.extend([become_user, Step::CloseDescriptors]);
    }
    Ok(steps)
}

/// All but the user and cgroup namespaces.
fn namespaces() -> i32 {
    libc::CLONE_NEWPID
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWNET
}

fn missing(field: &str) -> Error {
    Error::new(Kind::Corrupt, format!("config.json has no `{field}`"))
}

fn text(value: &str) -> Result<CString> {
    CString::new(value).map_err(|_| {
        Error::new(Kind::Invalid, format!("`{}` has a NUL byte", value.escape_debug()))
    })
}

/// `path` relative to the root.
fn inside(path: &str) -> Result<CString> {
    text(path.trim_start_matches('/'))
}

fn setting(key: &str, value: &str) -> Result<Setting> {
    Ok(Setting { key: text(key)?, value: Some(text(value)?) })
}

fn root(spec: &Spec, host: &Host) -> Result<Root> {
    let annotations = spec.annotations().as_ref();
    let lower =
        annotations.and_then(|all| all.get(oci::LOWER)).ok_or_else(|| missing(oci::LOWER))?;
    let lower: Vec<String> = serde_json::from_str(lower).map_err(|_| missing(oci::LOWER))?;
    let target = spec.root().as_ref().map(|root| root.path().to_string_lossy().into_owned());
    let topmost_first: Vec<_> = lower.iter().rev().map(String::as_str).collect();
    // A layer is a stranger's: the kernel must not follow the redirects and metadata-only copies
    // that its extended attributes may ask for (overlayfs.rst, "Metadata only copy up").
    let settings = [
        ("upperdir", "upper"),
        ("workdir", "work"),
        ("metacopy", "off"),
        ("redirect_dir", "nofollow"),
        ("index", "off"),
    ];
    let mut options = format!("lowerdir={}", topmost_first.join(":"));
    for (key, value) in settings {
        options = format!("{options},{key}={value}");
    }
    Ok(Root {
        lower: lower.iter().map(|layer| text(layer)).collect::<Result<_>>()?,
        settings: settings.iter().map(|(key, value)| setting(key, value)).collect::<Result<_>>()?,
        one_by_one: host.one_by_one,
        // With `nodev` a device node in an image is dead even where the cgroup allows it.
        attributes: match host.devices {
            None => Attributes::MOUNT_ATTR_NODEV,
            Some(_) => Attributes::empty(),
        },
        options: text(&options)?,
        target: text(&target.unwrap_or_else(|| "rootfs".to_owned()))?,
    })
}

fn mount_steps(mount: &Mount, host: &Host, steps: &mut Vec<Step>) -> Result<()> {
    let target = inside(&mount.destination().to_string_lossy())?;
    let fstype = mount.typ().as_deref().unwrap_or("bind");
    let options = mount.options().as_deref().unwrap_or_default();
    let (attributes, settings) = options_of(options)?;
    match fstype {
        "bind" => {
            let source = mount.source().as_ref().ok_or_else(|| missing("source"))?;
            let path = target.to_string_lossy().into_owned();
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
            steps.push(Step::BindFile(FileStep {
                source: text(&source.to_string_lossy())?,
                directory: text(directory)?,
                name: text(name)?,
                target,
                attributes,
            }));
        }
        "cgroup" => cgroup_steps(&mount.destination().to_string_lossy(), attributes, host, steps)?,
        _ => steps.push(Step::Mount(MountStep {
            target,
            fstype: text(fstype)?,
            settings,
            attributes,
            optional: fstype == "mqueue",
        })),
    }
    Ok(())
}

/// `/sys/fs/cgroup`: the unified hierarchy, or a directory with each v1 hierarchy.
fn cgroup_steps(
    at: &str,
    attributes: Attributes,
    host: &Host,
    steps: &mut Vec<Step>,
) -> Result<()> {
    let mut push =
        |below: &str, fstype: &str, settings: Vec<Setting>, attributes: Attributes| -> Result<()> {
            let target = inside(&format!("{at}/{below}"))?;
            let fstype = text(fstype)?;
            steps.push(Step::Mount(MountStep {
                target,
                fstype,
                settings,
                attributes,
                optional: false,
            }));
            Ok(())
        };
    if !host.cgroup_v1.is_empty() {
        let writable = attributes.difference(Attributes::MOUNT_ATTR_RDONLY);
        push("", "tmpfs", vec![setting("mode", "755")?], writable)?;
    }
    for (name, options) in &host.cgroup_v1 {
        let settings = options_of(options)?.1;
        push(name, "cgroup", settings, attributes)?;
    }
    if let Some(below) = &host.cgroup_v2 {
        push(below, "cgroup2", Vec::new(), attributes)?;
    }
    if !host.cgroup_v1.is_empty() {
        steps.push(Step::SealMount(inside(at)?));
    }
    Ok(())
}

/// Mount attributes, and what is left for the file system itself.
fn options_of(options: &[String]) -> Result<(Attributes, Vec<Setting>)> {
    let mut attributes = Attributes::empty();
    let mut settings = Vec::new();
    for option in options {
        match option.as_str() {
            "ro" => attributes |= Attributes::MOUNT_ATTR_RDONLY,
            "nosuid" => attributes |= Attributes::MOUNT_ATTR_NOSUID,
            "nodev" => attributes |= Attributes::MOUNT_ATTR_NODEV,
            "noexec" => attributes |= Attributes::MOUNT_ATTR_NOEXEC,
            "strictatime" => attributes |= Attributes::MOUNT_ATTR_STRICTATIME,
            "noatime" => attributes |= Attributes::MOUNT_ATTR_NOATIME,
            // `relatime` is the kernel's default; the others say what is always so here.
            "rw" | "relatime" | "bind" | "rbind" | "rprivate" | "private" => {}
            other => settings.push(match other.split_once('=') {
                Some((key, value)) => setting(key, value)?,
                None => Setting { key: text(other)?, value: None },
            }),
        }
    }
    Ok((attributes, settings))
}

fn resource(limit: PosixRlimitType) -> Result<Resource> {
    Ok(match limit {
        PosixRlimitType::RlimitCore => Resource::Core,
        PosixRlimitType::RlimitNofile => Resource::Nofile,
        other => return Err(Error::new(Kind::Unsupported, format!("cannot set {other:?}"))),
    })
}
