//! The steps of a plan, and their descriptions.

use std::ffi::CString;
use std::fmt;

use rustix::fs::FileType;
use rustix::process::Resource;

use crate::runtime::seccomp::Filter;
use crate::sys::mount::{Attributes, Setting, View};

/// What init does between clone and exec, in order.
#[derive(Debug)]
pub struct Plan {
    /// The namespaces that the process is cloned into (`CLONE_NEW*`). The cgroup namespace comes
    /// later, by a step: its root is the cgroup that the process is in when it is created.
    pub namespaces: i32,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step of init, with its values. What init may do in a step: head of `runtime/init/mod.rs`.
#[derive(Debug)]
pub enum Step {
    /// Close the file descriptors that no step needs.
    CloseInherited,
    /// Die when the monitor dies.
    DieWithMonitor,
    /// Set `oom_score_adj`: without it the container would inherit the monitor's.
    SetOomScore(CString),
    /// Join the cgroups of the v1 hierarchies.
    JoinCgroups,
    /// Create a cgroup namespace: the container's cgroup becomes the root of all.
    NewCgroupNamespace,
    /// Clear the dumpable flag: while init has the host's rights, no other process may trace it and
    /// no core dump is written.
    ClearDumpable,
    /// Join a new session keyring, which inherits no keys.
    NewKeyring,
    /// Leave the caller's session and terminal.
    NewSession,
    /// Join a namespace of another container.
    JoinNamespace {
        /// Which of the opened namespaces.
        fd_index: usize,
        /// Its type, as the OCI specification names it.
        kind: String,
        /// The other container's id.
        container: String,
    },
    /// Open `/dev/shm` of the container whose IPC namespace is joined.
    OpenDevShm,
    /// Set the NIS domain name.
    SetDomainname(CString),
    /// Bring the loopback interface up.
    BringLoopbackUp,
    /// Make all mounts slaves: no mount of the container propagates to the host.
    MakeMountsSlave,
    /// Mount the device of a volume on the volume's directory, for this container alone.
    MountVolume(VolumeMount),
    /// Mount the layers of an image on a directory of the container's, from where it is bound.
    MountImage(Root),
    /// Open the source of a bind mount.
    OpenBindSource(BindSource),
    /// Copy what the image has at the target of an empty volume into it.
    CopyUpVolume(CopyUp),
    /// Attach an opened source. Links in the target are followed inside the root; missing parts are
    /// created.
    AttachBind {
        /// Which of the opened sources.
        fd_index: usize,
        /// What it was opened from.
        source: CString,
        /// Relative to the root.
        target: CString,
    },
    /// Mount a tmpfs of the user's. Links in the target are followed inside the root.
    MountTmpfs(MountStep),
    /// Mount an overlay of the layers and the writable directory as the root.
    MountRoot(Root),
    /// Bind-mount a directory of the container's, a copy of all layers, as the root.
    BindRoot {
        /// Relative to the container's directory.
        path: CString,
        /// `nodev`, unless the container is privileged.
        attributes: Attributes,
    },
    /// Mount a file system.
    Mount(MountStep),
    /// Bind-mount a file of the container's directory, or its cgroup, at a path inside.
    BindFile(FileStep),
    /// Bind-mount a device of the host at the same path inside.
    BindDevice(DeviceNode),
    /// Create a device node.
    MakeDevice(DeviceNode),
    /// Make the files that each container has besides those of its image.
    MakeMarks,
    /// Create a symbolic link.
    MakeLink {
        /// Relative to the root.
        path: CString,
        /// What the link contains.
        target: CString,
    },
    /// Make the new root `/` and detach the host's.
    PivotRoot,
    /// Close file descriptors of the host: no path of the container leads out of it from here on.
    CloseHostFds,
    /// Join these namespaces of a running container.
    JoinNamespaces(i32),
    /// Read standard input from the container's own `/dev/null`.
    OpenNullInput,
    /// Open a pseudoterminal of the container and make it the controlling terminal.
    OpenTerminal {
        /// Whether it is mounted on `/dev/console` as well.
        console: bool,
    },
    /// Set a kernel parameter of the container's namespaces.
    WriteSysctl {
        /// Relative to the root.
        path: CString,
        /// The value.
        value: CString,
        /// Whether a kernel without the parameter is not a failure.
        optional: bool,
    },
    /// Set the host name.
    SetHostname(CString),
    /// Make a path read-only.
    MakeReadonly(CString),
    /// Remount read-only what earlier steps have filled.
    RemountReadonly(CString),
    /// Hide a path behind `/dev/null` or an empty directory.
    Mask(CString),
    /// Limit a resource.
    SetLimit {
        /// The resource.
        resource: Resource,
        /// The soft limit.
        soft: u64,
        /// The hard limit, clamped to what this process may have.
        hard: u64,
    },
    /// Reset all signals to their default actions, and block none.
    ResetSignals,
    /// Reset the personality: the caller may run under `setarch`.
    ResetPersonality,
    /// Reset CPU affinity and priorities: the caller may run under `taskset`, `nice` or `ionice`.
    /// The limits of the cgroup stay.
    ResetSchedule,
    /// Set the umask.
    SetUmask(u32),
    /// Enter the working directory: still as root, as Docker does.
    SetCwd {
        /// Inside, absolute.
        path: CString,
        /// Create it if it is missing: for the first process only, as Docker does.
        make: bool,
    },
    /// Remount the root read-only; the mounts on it stay as they are.
    RemountRootReadonly,
    /// Set `no_new_privs`: no execve(2) raises privileges.
    SetNoNewPrivs,
    /// Load the seccomp filter, which checks each system call from here on.
    LoadSeccomp(Filter),
    /// Set the AppArmor profile of the program, in force from execve(2) on.
    SetApparmorProfile(CString),
    /// Set the SELinux label of the program, in force from execve(2) on.
    SetSelinuxLabel(CString),
    /// Look the user up in the container's `/etc/passwd`, drop all other rights and switch to it.
    SetCredentials(Credentials),
    /// Keep only standard input, output and error.
    CloseDescriptors,
    /// Execute the program.
    Execute,
}

/// The overlay that becomes the root.
#[derive(Debug)]
pub struct Root {
    /// The layers, lowest first, relative to the container's directory.
    pub lower: Vec<CString>,
    /// `upperdir`, `workdir` and the features that hostile layers must not switch on.
    pub settings: Vec<Setting>,
    /// Whether the kernel takes layers one by one (`lowerdir+`); an older one would write a warning
    /// to its log.
    pub has_lowerdir_append: bool,
    /// `nodev`, unless the container is privileged.
    pub attributes: Attributes,
    /// The layers and settings as one text, for kernels that need mount(2).
    pub options: CString,
    /// Where it is mounted, relative to the container's directory.
    pub target: CString,
}

/// A file or a directory to bind-mount inside.
#[derive(Debug)]
pub struct FileStep {
    /// Absolute, or relative to the container's directory.
    pub source: CString,
    /// Relative to the root; created if missing.
    pub target: CString,
    /// Flags such as `nosuid`.
    pub attributes: Attributes,
    /// Whether it is a directory.
    pub directory: bool,
}

/// A device node to create.
#[derive(Clone, Debug)]
pub struct DeviceNode {
    /// Relative to the root: `directory` and `name`.
    pub path: CString,
    /// The directory part of `path`, created if missing.
    pub directory: CString,
    /// The last part of `path`.
    pub name: CString,
    /// Character or block device.
    pub kind: FileType,
    /// Major and minor number.
    pub number: (u32, u32),
    /// Its mode.
    pub mode: u32,
    /// User and group.
    pub owner: (u32, u32),
}

/// The user to switch to. Bit n of a set is capability n.
#[derive(Debug)]
pub struct Credentials {
    /// `user[:group]`, names or numbers; empty is root.
    pub user: String,
    /// Supplementary groups, names or numbers.
    pub groups: Vec<String>,
    /// The bounding set, which is also what root has.
    pub bounding: u64,
    /// The ambient set, for a user who is not root.
    pub ambient: u64,
}

impl Credentials {
    /// Returns whether the user is 0, as far as the name shows.
    pub fn is_root(&self) -> bool {
        let user = self.user.split(':').next().unwrap_or_default();
        ["", "root", "0"].contains(&user)
    }
}

/// A volume to fill from the image, if it is empty.
#[derive(Clone, Debug)]
pub struct CopyUp {
    /// The volume's directory, relative to the container's.
    pub volume: CString,
    /// The place inside the volume, if not all of it.
    pub beneath: Option<CString>,
    /// Whether the volume has files of its own alone: a copy that was interrupted is removed there
    /// and started again.
    pub own: bool,
    /// Relative to the root.
    pub target: CString,
}

/// The device of a volume.
#[derive(Debug)]
pub struct VolumeMount {
    /// The name of the volume.
    pub name: String,
    /// The directory of its content, relative to the container's.
    pub target: CString,
    /// The device, or what `/proc/mounts` names as the source.
    pub source: CString,
    /// The file system's type.
    pub fstype: CString,
    /// How the device is bind-mounted, if it is a directory.
    pub bind: Option<View>,
    /// Settings of the file system.
    pub settings: Vec<Setting>,
    /// Flags such as `nosuid`.
    pub attributes: Attributes,
    /// Which of the volumes it is that all containers share while one runs: a tmpfs.
    pub shared: Option<usize>,
    /// Which of the file systems it is that the monitor opens: the container's cgroup may not open
    /// block devices, and its network is not the host's.
    pub opened: Option<usize>,
}

/// The source of a bind mount: a path of the host, or a volume.
#[derive(Debug)]
pub struct BindSource {
    /// Its number among all sources.
    pub fd_index: usize,
    /// Absolute, or relative to the container's directory.
    pub path: CString,
    /// The place beneath the path that is mounted; no link leads out of the path.
    pub beneath: Option<CString>,
    /// How it is mounted.
    pub view: View,
}

/// A file system to mount.
#[derive(Clone, Debug)]
pub struct MountStep {
    /// Relative to the root; created if missing, never through a symbolic link.
    pub target: CString,
    /// The file system's type.
    pub fstype: CString,
    /// What `/proc/mounts` names as its source.
    pub source: CString,
    /// Its settings.
    pub settings: Vec<Setting>,
    /// Flags such as `nosuid`.
    pub attributes: Attributes,
    /// Whether a kernel without this file system is not a failure.
    pub optional: bool,
    /// The path of the host to bind-mount where the kernel refuses an ordinary user a new mount,
    /// because the namespace that it shows is the host's.
    pub fallback_bind: Option<CString>,
}

/// Describes the step, for `explain`, `trace` and errors.
impl fmt::Display for Step {
    #[expect(clippy::too_many_lines, reason = "one arm a step")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |text: &CString| text.to_string_lossy().into_owned();
        match self {
            Step::CloseInherited => f.write_str("close inherited file descriptors"),
            Step::DieWithMonitor => f.write_str("die when the monitor dies"),
            Step::JoinCgroups => f.write_str("join the cgroups"),
            Step::NewCgroupNamespace => f.write_str("create a cgroup namespace"),
            Step::ClearDumpable => f.write_str("clear the dumpable flag"),
            Step::NewKeyring => f.write_str("join a new session keyring"),
            Step::NewSession => f.write_str("start a new session"),
            Step::BringLoopbackUp => f.write_str("bring interface lo up"),
            Step::MakeMountsSlave => f.write_str("make all mounts slaves of the host's"),
            Step::MakeMarks => f.write_str("create /.dockerenv and /etc/mtab if they are missing"),
            Step::PivotRoot => f.write_str("pivot to the new root"),
            Step::CloseHostFds => f.write_str("close the host's file descriptors"),
            Step::OpenNullInput => f.write_str("read standard input from /dev/null"),
            Step::ResetSignals => f.write_str("reset signal handlers and mask"),
            Step::ResetPersonality => f.write_str("reset the personality"),
            Step::RemountRootReadonly => f.write_str("remount the root read-only"),
            Step::SetNoNewPrivs => f.write_str("set no_new_privs"),
            Step::CloseDescriptors => f.write_str("close all other file descriptors"),
            Step::Execute => f.write_str("execute the program"),
            Step::SetOomScore(score) => write!(f, "set oom_score_adj to {}", show(score)),
            Step::BindRoot { path, .. } => write!(f, "bind-mount {} on /", show(path)),
            Step::MountRoot(root) if root.lower.len() == 1 => {
                write!(f, "mount overlay of one layer on /")
            }
            Step::MountRoot(root) => write!(f, "mount overlay of {} layers on /", root.lower.len()),
            Step::Mount(mount) => {
                write!(f, "mount {} on /{}", show(&mount.fstype), show(&mount.target))
            }
            Step::BindFile(file) => {
                write!(f, "bind-mount {} on /{}", show(&file.source), show(&file.target))
            }
            Step::MakeDevice(device) => {
                let (major, minor) = device.number;
                write!(f, "create device /{} ({major}:{minor})", show(&device.path))
            }
            Step::BindDevice(device) => {
                let (major, minor) = device.number;
                write!(f, "bind-mount device /{} ({major}:{minor})", show(&device.path))
            }
            Step::MakeLink { path, target } => {
                write!(f, "create symbolic link /{} to {}", show(path), show(target))
            }
            Step::JoinNamespaces(_) => write!(f, "join the container's namespaces"),
            Step::OpenTerminal { .. } => write!(f, "open a pseudoterminal"),
            Step::WriteSysctl { path, value, .. } => {
                write!(f, "write {} to /{}", show(value), show(path))
            }
            Step::SetHostname(name) => write!(f, "set the hostname to {}", show(name)),
            Step::MakeReadonly(path) => write!(f, "make /{} read-only", show(path)),
            Step::RemountReadonly(path) => write!(f, "remount /{} read-only", show(path)),
            Step::Mask(path) => write!(f, "mask /{}", show(path)),
            Step::SetLimit { resource, soft, hard } => {
                write!(f, "limit {resource:?} to {soft}:{hard}")
            }
            Step::SetUmask(mask) => write!(f, "set the umask to {mask:04o}"),
            Step::LoadSeccomp(_) => write!(f, "load the seccomp filter"),
            Step::SetCredentials(step) if step.user.is_empty() => write!(f, "switch to user root"),
            Step::SetCredentials(step) => write!(f, "switch to user {}", step.user),
            Step::SetCwd { path, .. } => write!(f, "change directory to {}", show(path)),
            Step::JoinNamespace { kind, container, .. } => {
                write!(
                    f,
                    "join the {kind} namespace of container {}",
                    container.get(..12).unwrap_or(container)
                )
            }
            Step::OpenDevShm => {
                write!(f, "open /dev/shm of the container whose IPC is joined")
            }
            Step::SetApparmorProfile(command) => {
                let command = show(command);
                write!(f, "set AppArmor profile {}", command.trim_start_matches("exec "))
            }
            Step::SetSelinuxLabel(label) => write!(f, "set SELinux label {}", show(label)),
            Step::ResetSchedule => write!(f, "reset CPU affinity and priorities"),
            Step::SetDomainname(name) => write!(f, "set the NIS domain name to {}", show(name)),
            Step::OpenBindSource(source) => write!(f, "open bind source {}", show(&source.path)),
            Step::MountVolume(volume) => write!(
                f,
                "mount {} of type {} as volume {}",
                show(&volume.source),
                show(&volume.fstype),
                volume.name
            ),
            Step::MountImage(root) => {
                write!(f, "mount an image of {} layers on {}", root.lower.len(), show(&root.target))
            }
            Step::CopyUpVolume(copy) => {
                let volume = show(&copy.volume);
                let name = volume.rsplit('/').next().unwrap_or_default();
                write!(f, "copy /{} into volume {name} if it is empty", show(&copy.target))
            }
            Step::AttachBind { source, target, .. } => {
                write!(f, "bind-mount {} on /{}", show(source), show(target))
            }
            Step::MountTmpfs(mount) => write!(f, "mount tmpfs on /{}", show(&mount.target)),
        }
    }
}
