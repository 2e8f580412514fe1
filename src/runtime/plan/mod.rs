//! OCI runtime specification -> [`Plan`]: every step that init will take, as printable data.
//!
//! Pure: it makes no system call, so a test can snapshot a plan, and an error can name its step
//! ("step 7 of 31: mount overlay on /: operation not permitted"). `init` only walks it.

mod bind_mounts;
mod capability;
mod describe;
mod device;
mod host;
mod limit;
mod namespaces;
mod read;
mod step;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::CString;

use oci_spec::runtime::{Linux, Mount, Process, Spec};

use self::bind_mounts::BindMounts;
pub use self::capability::all as all_capabilities;
pub use self::host::{Host, StandardInput};
pub use self::limit::resource;
use self::read::{missing, options_of, relative_to_root, setting, text};
pub use self::step::{BindSource, Credentials, DeviceNode, FileStep, MountStep, Plan, Root, Step};
use crate::model::Result;
use crate::runtime::{oci, seccomp};
use crate::sys::mount::{Attributes, Setting};

/// The group of terminals in every distribution.
const TTY_GROUP: u32 = 5;

/// Returns the plan for `spec` on `host`.
///
/// # Errors
/// [`Kind::Invalid`](crate::model::Kind::Invalid) for text with a NUL and
/// [`Kind::Unsupported`](crate::model::Kind::Unsupported) for what lifebox does not do.
pub fn plan(spec: &Spec, host: &Host) -> Result<Plan> {
    let mut steps = vec![Step::CloseInherited, Step::DieWithMonitor];
    let process = spec.process().as_ref().ok_or_else(|| missing("process"))?;
    let linux = spec.linux().as_ref().ok_or_else(|| missing("linux"))?;
    steps.push(Step::SetOomScore(text(&process.oom_score_adj().unwrap_or(0).to_string())?));
    steps.extend(lsm_steps(process)?);
    steps.extend([
        Step::JoinCgroups,
        Step::NewCgroupNamespace,
        Step::ClearDumpable,
        Step::NewKeyring,
        Step::NewSession,
    ]);
    namespaces::steps(spec, linux, &mut steps)?;
    steps.push(Step::MakeMountsSlave);
    root_steps(spec, linux, host, &mut steps)?;
    // In a stable order.
    let sysctls: BTreeMap<_, _> = linux.sysctl().iter().flatten().collect();
    for (name, value) in sysctls {
        // The kernel takes only mapped groups: the range becomes all of them.
        if host.identity.in_user_namespace() && name == "net.ipv4.ping_group_range" {
            continue;
        }
        let path = text(&format!("proc/sys/{}", name.replace('.', "/")))?;
        // Ping without capabilities is a default of lifebox; a parameter of the user must not fail
        // silently.
        let optional = oci::DEFAULT_SYSCTLS.contains(&(name.as_str(), value.as_str()));
        steps.push(Step::WriteSysctl { path, value: text(value)?, optional });
    }
    steps.extend([Step::PivotRoot, Step::CloseHostFds]);
    if process.terminal().unwrap_or_default() {
        steps.push(Step::OpenTerminal { console: true });
    } else if !host.open_stdin {
        steps.push(Step::OpenNullInput);
    }
    if let Some(name) = spec.hostname() {
        steps.push(Step::SetHostname(text(name)?));
    }
    if let Some(name) = spec.domainname() {
        steps.push(Step::SetDomainname(text(name)?));
    }
    for path in linux.readonly_paths().iter().flatten() {
        steps.push(Step::MakeReadonly(relative_to_root(path)?));
    }
    for path in linux.masked_paths().iter().flatten() {
        steps.push(Step::Mask(relative_to_root(path)?));
    }
    // With the host's network an ordinary user sees the host's /sys, and all that is mounted there.
    if host.identity.in_user_namespace() && namespaces::shares_network(spec, linux)? {
        steps.push(Step::Mask(relative_to_root("/sys/kernel")?));
    }
    program_steps(spec, true, &mut steps)?;
    Ok(Plan { namespaces: namespaces::created(linux), steps })
}

/// Returns the plan for an exec: the process joins the namespaces of the container's first process.
/// `spec` is the container's, with the new process as its process.
///
/// # Errors
/// As [`plan`].
pub fn join(spec: &Spec, stdin: StandardInput) -> Result<Plan> {
    let process = spec.process().as_ref().ok_or_else(|| missing("process"))?;
    let mut steps = vec![
        Step::CloseInherited,
        Step::DieWithMonitor,
        Step::ClearDumpable,
        Step::SetOomScore(text(&process.oom_score_adj().unwrap_or(0).to_string())?),
    ];
    steps.extend(lsm_steps(process)?);
    steps.extend([
        Step::JoinCgroups,
        Step::NewKeyring,
        Step::NewSession,
        // The PID namespace was joined by the helper before the clone.
        Step::JoinNamespaces(
            libc::CLONE_NEWNS
                | libc::CLONE_NEWUTS
                | libc::CLONE_NEWIPC
                | libc::CLONE_NEWNET
                | libc::CLONE_NEWCGROUP,
        ),
        Step::CloseHostFds,
    ]);
    if process.terminal().unwrap_or_default() {
        steps.push(Step::OpenTerminal { console: false });
    } else if stdin == StandardInput::Null {
        steps.push(Step::OpenNullInput);
    }
    program_steps(spec, false, &mut steps)?;
    Ok(Plan { namespaces: 0, steps })
}

/// Adds the steps from the container's root to the program, which every process of a container
/// takes.
fn program_steps(spec: &Spec, is_first: bool, steps: &mut Vec<Step>) -> Result<()> {
    let process = spec.process().as_ref().ok_or_else(|| missing("process"))?;
    for limit in process.rlimits().iter().flatten() {
        let name = limit.typ().to_string();
        let resource = resource(&name.trim_start_matches("RLIMIT_").to_lowercase())?;
        steps.push(Step::SetLimit { resource, soft: limit.soft(), hard: limit.hard() });
    }
    let cwd = process.cwd().to_string_lossy().into_owned();
    steps.extend([
        Step::ResetSignals,
        Step::ResetPersonality,
        Step::ResetSchedule,
        Step::SetUmask(process.user().umask().unwrap_or(0o022)),
        Step::SetCwd { path: text(&cwd)?, make: is_first },
    ]);
    // After the working directory, which may have to be created.
    if is_first && spec.root().as_ref().and_then(|root| root.readonly()).unwrap_or(false) {
        steps.push(Step::RemountRootReadonly);
    }
    steps.extend(privilege_steps(spec, process)?);
    steps.push(Step::Execute);
    Ok(())
}

/// Returns the steps that set the security labels. They write to the host's `/proc`, before the
/// container can substitute its own (ARCHITECTURE.md, D5), and take effect at execve(2).
fn lsm_steps(process: &Process) -> Result<Vec<Step>> {
    let profile = process.apparmor_profile().as_ref();
    let profile = profile.map(|name| text(&format!("exec {name}")).map(Step::SetApparmorProfile));
    let label =
        process.selinux_label().as_ref().map(|label| text(label).map(Step::SetSelinuxLabel));
    profile.into_iter().chain(label).collect()
}

/// Returns the steps that drop privileges, of the first process and of each exec.
fn privilege_steps(spec: &Spec, process: &Process) -> Result<Vec<Step>> {
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
    let become_user = Step::SetCredentials(Credentials { user, groups, bounding, ambient });
    let seccomp = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref());
    let filter = seccomp.map(seccomp::compile).transpose()?.map(Step::LoadSeccomp);
    if process.no_new_privileges().unwrap_or(false) {
        // With no_new_privs an unprivileged process may load a filter, so the filter need not allow
        // earlier steps.
        steps.extend([Step::SetNoNewPrivs, become_user, Step::CloseDescriptors]);
        steps.extend(filter);
    } else {
        // Loading a filter needs CAP_SYS_ADMIN, which the change of user drops.
        steps.extend(filter);
        steps.extend([become_user, Step::CloseDescriptors]);
    }
    Ok(steps)
}

/// Adds the steps that build the container's file system.
fn root_steps(spec: &Spec, linux: &Linux, host: &Host, steps: &mut Vec<Step>) -> Result<()> {
    let mut binds = BindMounts::new(spec)?;
    // Paths of the host are opened before anything is mounted, so that the image cannot substitute
    // them (ARCHITECTURE.md, D3).
    steps.append(&mut binds.open);
    steps.push(if is_stacked(spec) {
        Step::MountRoot(root(spec, host)?)
    } else {
        Step::BindRoot { path: text(&root_path(spec))?, attributes: root_attributes(host) }
    });
    steps.append(&mut binds.copy_up);
    // The user's mounts come after the device nodes, so that no node is created in a directory of
    // the host.
    let (kernels, other_mounts): (Vec<&Mount>, Vec<&Mount>) =
        spec.mounts().iter().flatten().partition(|mount| {
            is_kernel_fs(mount) && !binds.steps.contains_key(mount.destination())
        });
    for mount in kernels {
        mount_steps(mount, host, &mut binds, steps)?;
    }
    device::steps(linux, host, steps)?;
    for mount in other_mounts {
        mount_steps(mount, host, &mut binds, steps)?;
    }
    Ok(())
}

/// Whether the root is an overlay. Without the annotation it is, as in the OCI specification, the
/// directory `root.path`.
pub(super) fn is_stacked(spec: &Spec) -> bool {
    spec.annotations().as_ref().is_some_and(|all| all.contains_key(oci::LOWER))
}

/// Returns the path of the root, relative to the container's directory.
fn root_path(spec: &Spec) -> String {
    let path = spec.root().as_ref().map(|root| root.path().to_string_lossy().into_owned());
    path.unwrap_or_else(|| "rootfs".to_owned())
}

/// Returns the attributes of the root. With `nodev` a device node in an image cannot be opened,
/// even if the cgroup allows it.
fn root_attributes(host: &Host) -> Attributes {
    match host.devices {
        None => Attributes::MOUNT_ATTR_NODEV,
        Some(_) => Attributes::empty(),
    }
}

/// Returns the overlay of a container's root.
pub(super) fn root(spec: &Spec, host: &Host) -> Result<Root> {
    let annotations = spec.annotations().as_ref();
    let lower =
        annotations.and_then(|all| all.get(oci::LOWER)).ok_or_else(|| missing(oci::LOWER))?;
    let lower: Vec<String> = serde_json::from_str(lower).map_err(|_| missing(oci::LOWER))?;
    let topmost_first: Vec<_> = lower.iter().rev().map(String::as_str).collect();
    // A layer is untrusted: the kernel must not follow the redirects and metadata-only copies of
    // its extended attributes (overlayfs.rst, "Metadata only copy up").
    let mut settings = vec![
        ("upperdir", "upper"),
        ("workdir", "work"),
        ("metacopy", "off"),
        ("redirect_dir", "nofollow"),
        ("index", "off"),
    ];
    // Only the host's root may use `trusted.*` attributes.
    if host.identity.in_user_namespace() {
        settings.push(("userxattr", ""));
    }
    let mut options = format!("lowerdir={}", topmost_first.join(":"));
    for (key, value) in &settings {
        let equals = if value.is_empty() { "" } else { "=" };
        options = format!("{options},{key}{equals}{value}");
    }
    Ok(Root {
        lower: lower.iter().map(|layer| text(layer)).collect::<Result<_>>()?,
        settings: settings.iter().map(|(key, value)| setting(key, value)).collect::<Result<_>>()?,
        has_lowerdir_append: host.has_lowerdir_append,
        attributes: root_attributes(host),
        options: text(&options)?,
        target: text(&root_path(spec))?,
    })
}

/// Whether a mount is one of those that devices and kernel parameters need.
fn is_kernel_fs(mount: &Mount) -> bool {
    ["/proc", "/sys", "/dev"].iter().any(|place| mount.destination().starts_with(place))
}

fn mount_steps(
    mount: &Mount,
    host: &Host,
    binds: &mut BindMounts,
    steps: &mut Vec<Step>,
) -> Result<()> {
    if let Some(step) = binds.steps.remove(mount.destination()) {
        steps.push(step);
        return Ok(());
    }
    let target = relative_to_root(&mount.destination().to_string_lossy())?;
    let fstype = mount.typ().as_deref().unwrap_or("bind");
    let options = mount.options().as_deref().unwrap_or_default();
    let (attributes, mut settings) = options_of(options)?;
    if fstype == "devpts"
        && host.identity.in_user_namespace()
        && !host.identity.has_group(TTY_GROUP)
    {
        settings.retain(|setting| setting.key.as_bytes() != b"gid");
    }
    match fstype {
        "bind" => {
            let source = mount.source().as_ref().ok_or_else(|| missing("source"))?;
            steps.push(Step::BindFile(FileStep {
                source: text(&source.to_string_lossy())?,
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
            fallback_bind: fallback_bind(mount, host)?,
        })),
    }
    Ok(())
}

/// Returns the host's path to bind-mount for a file system that only shows its own namespace.
fn fallback_bind(mount: &Mount, host: &Host) -> Result<Option<CString>> {
    let of_namespace = ["proc", "sysfs", "mqueue"].contains(&mount.typ().as_deref().unwrap_or(""));
    let path = Some(mount.destination().to_string_lossy());
    path.filter(|_| of_namespace && host.identity.in_user_namespace())
        .map(|path| text(&path))
        .transpose()
}

/// Adds the steps of `/sys/fs/cgroup`: the unified hierarchy, or a directory with each v1
/// hierarchy.
fn cgroup_steps(
    at: &str,
    attributes: Attributes,
    host: &Host,
    steps: &mut Vec<Step>,
) -> Result<()> {
    let mut push =
        |below: &str, fstype: &str, settings: Vec<Setting>, attributes: Attributes| -> Result<()> {
            let target = relative_to_root(&format!("{at}/{below}"))?;
            let fstype = text(fstype)?;
            steps.push(Step::Mount(MountStep {
                target,
                fstype,
                settings,
                attributes,
                optional: false,
                fallback_bind: None,
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
        steps.push(Step::RemountReadonly(relative_to_root(at)?));
    }
    Ok(())
}
