//! The steps that a plan is made of, and how each reads in words.

use std::ffi::CString;
use std::fmt;

use rustix::fs::FileType;
use rustix::process::Resource;

use crate::runtime::seccomp::Filter;
use crate::sys::mount::{Attributes, Setting, View};

/// What init does between clone and exec, in order.
#[derive(Debug)]
pub struct Plan {
    /// The namespaces that the process is made in (`CLONE_NEW*`). The cgroup namespace comes
    /// later, by a step: its root is the cgroup that the process is in when it is made.
    pub namespaces: i32,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step of init. What it needs is prepared: a step allocates nothing.
#[derive(Debug)]
pub enum Step {
    /// Close all but what the steps need.
    CloseInherited,
    /// Die when the monitor dies.
    DieWithMonitor,
    /// Let the kernel choose the container like any process when memory runs out.
    SetOomScore(CString),
    /// Enter the cgroups of the v1 hierarchies.
    JoinCgroups,
    /// See the own cgroup as the root of all.
    NewCgroupNamespace,
    /// Keep nobody from outside, and no core dump, from looking in while rights are high.
    ClearDumpable,
    /// Inherit no keys.
    NewKeyring,
    /// Leave the caller's session and terminal.
    NewSession,
    /// Enter a namespace of another container.
    JoinNamespace {
        /// Which of the opened namespaces.
        fd_index: usize,
        /// The standard's word for it.
        kind: String,
        /// The other container's id.
        container: String,
    },
    /// Open the shared memory of the container whose IPC is joined.
    OpenDevShm,
    /// Set the NIS domain name.
    SetDomainname(CString),
    /// Let the loopback interface work.
    BringLoopbackUp,
    /// Let no mount reach the host.
    MakeMountsSlave,
    /// Open what is to be seen of the host.
    OpenBindSource(BindSource),
    /// Give a new volume what the image has at its target.
    CopyUpVolume {
        /// The volume's directory, relative to the container's.
        volume: CString,
        /// Relative to the root.
        target: CString,
    },
    /// Show what was opened; links at the target are followed inside the root, and what is
    /// missing is made.
    AttachBind {
        /// Which of the opened sources.
        fd_index: usize,
        /// What it was opened from.
        source: CString,
        /// Relative to the root.
        target: CString,
    },
    /// Mount memory where the user wants it; links are followed inside the root.
    MountTmpfs(MountStep),
    /// Stack the layers and the writable directory.
    MountRoot(Root),
    /// Make a directory of the container's, which holds a copy of all layers, its root.
    BindRoot {
        /// Relative to the container's directory.
        path: CString,
        /// `nodev`, but for a privileged container.
        attributes: Attributes,
    },
    /// Mount a file system.
    Mount(MountStep),
    /// Show a file of the container's directory at a path inside.
    BindFile(FileStep),
    /// Show a device of the host at the same path inside.
    BindDevice(DeviceNode),
    /// Make a device node.
    MakeDevice(DeviceNode),
    /// Make a symbolic link.
    MakeLink {
        /// Relative to the root.
        path: CString,
        /// What it says.
        target: CString,
    },
    /// Make the new root `/` and let go of the host's.
    PivotRoot,
    /// Close what is of the host: paths of the container lead nowhere but into it from here on.
    CloseHostFds,
    /// Join these namespaces of a running container.
    JoinNamespaces(i32),
    /// Read standard input from the container's own `/dev/null`.
    OpenNullInput,
    /// Make a terminal of the container's own and control it.
    OpenTerminal {
        /// Whether it is `/dev/console` as well.
        console: bool,
    },
    /// Set a kernel parameter of the container's namespaces.
    WriteSysctl {
        /// Relative to the root.
        path: CString,
        /// The value.
        value: CString,
        /// Whether a kernel without it is no failure.
        optional: bool,
    },
    /// Set the host name.
    SetHostname(CString),
    /// Make a path readable only.
    MakeReadonly(CString),
    /// Make a mount that was filled read-only.
    RemountReadonly(CString),
    /// Hide a path.
    Mask(CString),
    /// Limit a resource.
    SetLimit {
        /// Which.
        resource: Resource,
        /// The soft limit.
        soft: u64,
        /// The hard limit, clamped to what this process may have.
        hard: u64,
    },
    /// Default actions for all signals, none blocked.
    ResetSignals,
    /// Be a plain Linux process, whatever `setarch` the caller runs under.
    ResetPersonality,
    /// Run on any processor at the usual priority, whatever `taskset`, `nice` and `ionice` the
    /// caller runs under; what the cgroup says holds.
    ResetSchedule,
    /// The mask of new files' modes.
    SetUmask(u32),
    /// Enter the working directory, making it where it is missing; still as root, as Docker does.
    SetCwd {
        /// Inside, absolute.
        path: CString,
        /// Make it where it is missing: for the first process only, as Docker does.
        make: bool,
    },
    /// Make the root read-only; what is mounted on it stays as it is.
    RemountRootReadonly,
    /// Let no program gain rights by being executed.
    SetNoNewPrivs,
    /// Let a program judge each system call from here on.
    LoadSeccomp(Filter),
    /// Say which AppArmor profile the program runs under; it counts from its execution on.
    SetApparmorProfile(CString),
    /// Say which SELinux label the program gets; it counts from its execution on.
    SetSelinuxLabel(CString),
    /// Find the user in the container's own files, give up all other rights and become it.
    SetCredentials(Credentials),
    /// Keep only standard input, output and error.
    CloseDescriptors,
    /// Become the program.
    Execute,
}

/// How the root is made.
#[derive(Debug)]
pub struct Root {
    /// The layers, lowest first, relative to the container's directory.
    pub lower: Vec<CString>,
    /// `upperdir`, `workdir` and what hostile layers may not ask for.
    pub settings: Vec<Setting>,
    /// Whether the kernel is new enough to take layers one by one; an older one would complain in
    /// its log.
    pub has_lowerdir_append: bool,
    /// `nodev`, but for a privileged container.
    pub attributes: Attributes,
    /// The layers and settings as one text, for kernels that want it so (`mount(2)`).
    pub options: CString,
    /// Where it is mounted, relative to the container's directory.
    pub target: CString,
}

/// A file to show inside.
#[derive(Debug)]
pub struct FileStep {
    /// Relative to the container's directory.
    pub source: CString,
    /// Relative to the root; made where it is missing.
    pub target: CString,
    /// `nosuid` and its like.
    pub attributes: Attributes,
}

/// A device node to make.
#[derive(Clone, Debug)]
pub struct DeviceNode {
    /// Relative to the root: `directory` and `name`.
    pub path: CString,
    /// The directory part of `path`, made where it is missing.
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

/// Whom to become. Bit n of a set is capability n.
#[derive(Debug)]
pub struct Credentials {
    /// `user[:group]`, names or numbers; empty is root.
    pub user: String,
    /// Further groups, names or numbers.
    pub groups: Vec<String>,
    /// What can be had at all, and what root has.
    pub bounding: u64,
    /// What a user has who is not root.
    pub ambient: u64,
}

impl Credentials {
    /// Whether it is user 0, as far as its name tells.
    pub fn is_root(&self) -> bool {
        let user = self.user.split(':').next().unwrap_or_default();
        ["", "root", "0"].contains(&user)
    }
}

/// What is to be seen of the host, or of a volume.
#[derive(Debug)]
pub struct BindSource {
    /// Its number among all of them.
    pub fd_index: usize,
    /// Absolute, or relative to the container's directory.
    pub path: CString,
    /// How it is seen.
    pub view: View,
}

/// A file system to mount.
#[derive(Debug)]
pub struct MountStep {
    /// Relative to the root; made where it is missing, never through a symbolic link.
    pub target: CString,
    /// The file system's type.
    pub fstype: CString,
    /// Its settings.
    pub settings: Vec<Setting>,
    /// `nosuid` and its like.
    pub attributes: Attributes,
    /// Whether a kernel without this file system is no failure.
    pub optional: bool,
    /// What of the host is shown where the kernel gives an ordinary user none of its own, for the
    /// namespace that it shows is the host's.
    pub fallback_bind: Option<CString>,
}

/// A step in words, as `explain`, `trace` and errors show it.
impl fmt::Display for Step {
    #[expect(clippy::too_many_lines, reason = "one arm a step")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |text: &CString| text.to_string_lossy().into_owned();
        match self {
            Step::CloseInherited => f.write_str("close all but what is needed here"),
            Step::DieWithMonitor => f.write_str("die when the monitor dies"),
            Step::JoinCgroups => f.write_str("enter the cgroups"),
            Step::NewCgroupNamespace => f.write_str("make a cgroup namespace"),
            Step::ClearDumpable => f.write_str("become not dumpable"),
            Step::NewKeyring => f.write_str("join a new session keyring"),
            Step::NewSession => f.write_str("start a new session"),
            Step::BringLoopbackUp => f.write_str("bring interface lo up"),
            Step::MakeMountsSlave => f.write_str("stop mounts from reaching the host"),
            Step::PivotRoot => f.write_str("pivot to the new root"),
            Step::CloseHostFds => f.write_str("close what is of the host"),
            Step::OpenNullInput => f.write_str("read standard input from /dev/null"),
            Step::ResetSignals => f.write_str("reset signals"),
            Step::ResetPersonality => f.write_str("reset the personality"),
            Step::RemountRootReadonly => f.write_str("make the root read-only"),
            Step::SetNoNewPrivs => f.write_str("set no_new_privs"),
            Step::CloseDescriptors => f.write_str("close all other file descriptors"),
            Step::Execute => f.write_str("execute the program"),
            Step::SetOomScore(score) => write!(f, "set oom_score_adj to {}", show(score)),
            Step::BindRoot { path, .. } => write!(f, "mount {} on /", show(path)),
            Step::MountRoot(root) if root.lower.len() == 1 => {
                write!(f, "mount overlay of one layer on /")
            }
            Step::MountRoot(root) => write!(f, "mount overlay of {} layers on /", root.lower.len()),
            Step::Mount(mount) => {
                write!(f, "mount {} on /{}", show(&mount.fstype), show(&mount.target))
            }
            Step::BindFile(file) => {
                write!(f, "bind {} on /{}", show(&file.source), show(&file.target))
            }
            Step::MakeDevice(device) => {
                let (major, minor) = device.number;
                write!(f, "make device /{} ({major}:{minor})", show(&device.path))
            }
            Step::BindDevice(device) => {
                let (major, minor) = device.number;
                write!(f, "bind device /{} ({major}:{minor})", show(&device.path))
            }
            Step::MakeLink { path, target } => {
                write!(f, "link /{} to {}", show(path), show(target))
            }
            Step::JoinNamespaces(_) => write!(f, "join the container's namespaces"),
            Step::OpenTerminal { .. } => write!(f, "open a terminal"),
            Step::WriteSysctl { path, value, .. } => {
                write!(f, "write {} to /{}", show(value), show(path))
            }
            Step::SetHostname(name) => write!(f, "set the host name to {}", show(name)),
            Step::MakeReadonly(path) => write!(f, "make /{} read-only", show(path)),
            Step::RemountReadonly(path) => write!(f, "make the mount on /{} read-only", show(path)),
            Step::Mask(path) => write!(f, "mask /{}", show(path)),
            Step::SetLimit { resource, soft, hard } => {
                write!(f, "limit {resource:?} to {soft}:{hard}")
            }
            Step::SetUmask(mask) => write!(f, "set the umask to {mask:04o}"),
            Step::LoadSeccomp(_) => write!(f, "load the system call filter"),
            Step::SetCredentials(step) if step.user.is_empty() => write!(f, "become user root"),
            Step::SetCredentials(step) => write!(f, "become user {}", step.user),
            Step::SetCwd { path, .. } => write!(f, "enter directory {}", show(path)),
            Step::JoinNamespace { kind, container, .. } => {
                write!(
                    f,
                    "join the {kind} of container {}",
                    container.get(..12).unwrap_or(container)
                )
            }
            Step::OpenDevShm => {
                write!(f, "open /dev/shm of the container whose ipc is joined")
            }
            Step::SetApparmorProfile(order) => {
                let order = show(order);
                write!(f, "choose AppArmor profile {}", order.trim_start_matches("exec "))
            }
            Step::SetSelinuxLabel(label) => write!(f, "choose SELinux label {}", show(label)),
            Step::ResetSchedule => write!(f, "reset processors and priorities"),
            Step::SetDomainname(name) => write!(f, "set the domain name to {}", show(name)),
            Step::OpenBindSource(source) => write!(f, "open {}", show(&source.path)),
            Step::CopyUpVolume { volume, target } => {
                let volume = show(volume);
                let name = volume.rsplit('/').next().unwrap_or_default();
                write!(f, "fill volume {name} from /{}, if it is new", show(target))
            }
            Step::AttachBind { source, target, .. } => {
                write!(f, "bind {} on /{}", show(source), show(target))
            }
            Step::MountTmpfs(mount) => write!(f, "mount tmpfs on /{}", show(&mount.target)),
        }
    }
}
