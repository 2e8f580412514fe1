//! A step as [`TraceStep`]: its key, its fields, and its system calls. For `explain` and `trace`,
//! and for a test that compares the calls with strace(1).

use std::collections::BTreeMap;
use std::ffi::CString;

use super::capability;
use super::step::{Plan, Step};
use crate::model::script::trace::{ProcessRole, TraceStep};

impl Plan {
    /// Describes all steps, as planned.
    pub fn describe(&self) -> Vec<TraceStep> {
        self.steps.iter().map(Step::describe).collect()
    }
}

impl Step {
    /// Describes the step, as planned.
    pub fn describe(&self) -> TraceStep {
        let (key, calls) = self.key();
        let fields = self.fields().into_iter();
        TraceStep {
            role: ProcessRole::Init,
            key: key.to_owned(),
            summary: self.to_string(),
            fields: fields.map(|(name, value)| (name.to_owned(), value)).collect(),
            syscalls: calls.iter().map(|call| (*call).to_owned()).collect(),
            failure: None,
            span: None,
        }
    }

    /// Returns the key, and the system calls that every such step makes.
    #[expect(clippy::too_many_lines, reason = "one arm a step")]
    fn key(&self) -> (&'static str, &'static [&'static str]) {
        match self {
            Step::CloseInherited => ("close-inherited", &["close_range"]),
            Step::DieWithMonitor => ("die-with-monitor", &["prctl"]),
            Step::SetOomScore(_) => ("set-oom-score", &["openat", "write"]),
            Step::JoinCgroups => ("join-cgroups", &[]),
            Step::NewCgroupNamespace => ("new-cgroup-namespace", &["unshare"]),
            Step::ClearDumpable => ("clear-dumpable", &["prctl"]),
            Step::NewKeyring => ("new-keyring", &["keyctl"]),
            Step::NewSession => ("new-session", &["setsid"]),
            Step::BringLoopbackUp => ("bring-loopback-up", &["socket", "ioctl"]),
            Step::MakeMountsSlave => ("make-mounts-slave", &["mount"]),
            Step::MountRoot(root) if root.has_lowerdir_append => {
                ("mount-root", &["fsopen", "fsconfig", "fsmount", "move_mount"])
            }
            Step::MountRoot(_) => ("mount-root", &["mount"]),
            Step::BindRoot { .. } => ("bind-root", &["open_tree", "mount_setattr", "move_mount"]),
            Step::Mount(_) => ("mount", &["fsopen", "fsconfig", "fsmount", "move_mount"]),
            Step::BindFile(_) => ("bind-file", &["open_tree", "mount_setattr", "move_mount"]),
            Step::BindDevice(_) => ("bind-device", &["open_tree", "move_mount"]),
            Step::MakeDevice(_) => ("make-device", &["mknodat", "fchownat"]),
            Step::MakeMarks => ("make-marks", &["openat", "openat2", "symlinkat"]),
            Step::MakeLink { .. } => ("make-link", &["symlinkat"]),
            Step::PivotRoot => {
                ("pivot-root", &["fchdir", "pivot_root", "fchdir", "mount", "umount2", "chdir"])
            }
            Step::CloseHostFds => ("close-host-fds", &["close_range"]),
            Step::JoinNamespaces(_) => ("join-namespaces", &["setns"]),
            Step::OpenNullInput => ("open-null-input", &["openat2", "dup2"]),
            Step::OpenTerminal { .. } => ("open-terminal", &["openat2", "ioctl", "sendmsg"]),
            Step::WriteSysctl { .. } => ("write-sysctl", &["openat2"]),
            Step::SetHostname(_) => ("set-hostname", &["sethostname"]),
            Step::MakeReadonly(_) => {
                ("make-readonly", &["openat2", "open_tree", "mount_setattr", "move_mount"])
            }
            Step::RemountReadonly(_) => ("remount-readonly", &["openat2", "mount_setattr"]),
            Step::Mask(_) => ("mask", &["openat2", "open_tree", "move_mount"]),
            Step::SetLimit { .. } => ("set-limit", &["prlimit64"]),
            Step::ResetSignals => ("reset-signals", &["rt_sigaction", "rt_sigprocmask"]),
            Step::ResetPersonality => ("reset-personality", &["personality"]),
            Step::ResetSchedule => {
                ("reset-schedule", &["sched_setaffinity", "setpriority", "ioprio_set"])
            }
            Step::SetUmask(_) => ("set-umask", &["umask"]),
            Step::SetCwd { .. } => ("set-cwd", &["openat", "fchdir", "getcwd"]),
            Step::RemountRootReadonly => ("remount-root-readonly", &["mount_setattr"]),
            Step::SetNoNewPrivs => ("set-no-new-privs", &["prctl"]),
            Step::LoadSeccomp(_) => ("load-seccomp", &["seccomp"]),
            Step::SetApparmorProfile(_) => ("set-apparmor-profile", &["openat"]),
            Step::SetSelinuxLabel(_) => ("set-selinux-label", &["openat", "write"]),
            Step::SetCredentials(step) => {
                let calls = &["prctl", "setgroups", "setresgid", "setresuid", "capset", "prctl"];
                (if step.is_root() { "set-credentials-root" } else { "set-credentials" }, calls)
            }
            Step::CloseDescriptors => ("close-descriptors", &["close_range"]),
            Step::Execute => ("execute", &["execve"]),
            Step::JoinNamespace { .. } => ("join-namespace", &["setns"]),
            Step::OpenDevShm => ("open-dev-shm", &["setns", "open_tree", "setns"]),
            Step::SetDomainname(_) => ("set-domainname", &["setdomainname"]),
            Step::OpenBindSource(_) => ("open-bind-source", &["open_tree", "mount_setattr"]),
            Step::MountVolume(volume) if volume.bind.is_some() => {
                ("mount-volume", &["open_tree", "mount_setattr", "move_mount"])
            }
            // Of a tmpfs that another container has, a copy is attached; other file systems are
            // opened by the monitor.
            Step::MountVolume(_) => ("mount-volume", &["move_mount"]),
            Step::MountImage(root) if root.lower.len() == 1 => {
                ("mount-image", &["open_tree", "mount_setattr", "move_mount"])
            }
            Step::MountImage(_) => ("mount-image", &[]),
            Step::CopyUpVolume(_) => ("copy-up-volume", &[]),
            Step::AttachBind { .. } => ("attach-bind", &["move_mount"]),
            Step::MountTmpfs(_) => {
                ("mount-tmpfs", &["fsopen", "fsconfig", "fsmount", "move_mount"])
            }
        }
    }

    /// Returns the fields, by the names in the texts of all languages.
    #[expect(clippy::too_many_lines, reason = "one arm a step")]
    fn fields(&self) -> BTreeMap<&'static str, String> {
        let show = |text: &CString| text.to_string_lossy().into_owned();
        let inside = |text: &CString| format!("/{}", show(text));
        let fields: Vec<(&'static str, String)> = match self {
            Step::SetOomScore(score) => vec![("value", show(score))],
            Step::MountRoot(root) => vec![("count", root.lower.len().to_string())],
            Step::BindRoot { path, .. } => vec![("source", show(path))],
            Step::Mount(mount) | Step::MountTmpfs(mount) => {
                vec![("type", show(&mount.fstype)), ("path", inside(&mount.target))]
            }
            Step::BindFile(file) => {
                vec![("source", show(&file.source)), ("path", inside(&file.target))]
            }
            Step::MakeDevice(device) | Step::BindDevice(device) => {
                let (major, minor) = device.number;
                vec![("path", inside(&device.path)), ("number", format!("{major}:{minor}"))]
            }
            Step::MakeLink { path, target } => {
                vec![("path", inside(path)), ("target", show(target))]
            }
            Step::WriteSysctl { path, value, .. } => {
                vec![("path", inside(path)), ("value", show(value))]
            }
            Step::SetHostname(name) | Step::SetDomainname(name) => vec![("name", show(name))],
            Step::MakeReadonly(path) | Step::RemountReadonly(path) | Step::Mask(path) => {
                vec![("path", inside(path))]
            }
            Step::SetLimit { resource, soft, hard } => {
                vec![("name", format!("{resource:?}")), ("value", format!("{soft}:{hard}"))]
            }
            Step::SetUmask(mask) => vec![("value", format!("{mask:04o}"))],
            Step::SetCwd { path, .. } => vec![("path", show(path))],
            Step::SetCredentials(step) => {
                let name = if step.user.is_empty() { "root" } else { &step.user };
                let kept = if step.is_root() { step.bounding } else { step.ambient };
                vec![
                    ("name", name.to_owned()),
                    ("kept", kept.count_ones().to_string()),
                    ("all", capability::all().len().to_string()),
                ]
            }
            Step::JoinNamespace { kind, container, .. } => {
                let short = container.get(..12).unwrap_or(container).to_owned();
                vec![("kind", kind.clone()), ("container", short)]
            }
            Step::SetApparmorProfile(command) => {
                vec![("name", show(command).trim_start_matches("exec ").to_owned())]
            }
            Step::SetSelinuxLabel(label) => vec![("name", show(label))],
            Step::OpenBindSource(source) => vec![("source", show(&source.path))],
            Step::MountVolume(volume) => vec![
                ("name", volume.name.clone()),
                ("type", show(&volume.fstype)),
                ("source", show(&volume.source)),
            ],
            Step::MountImage(root) => {
                vec![("count", root.lower.len().to_string()), ("path", show(&root.target))]
            }
            Step::CopyUpVolume(copy) => {
                let name = show(&copy.volume).rsplit('/').next().unwrap_or_default().to_owned();
                vec![("name", name), ("path", inside(&copy.target))]
            }
            Step::AttachBind { source, target, .. } => {
                vec![("source", show(source)), ("path", inside(target))]
            }
            Step::CloseInherited
            | Step::DieWithMonitor
            | Step::JoinCgroups
            | Step::NewCgroupNamespace
            | Step::ClearDumpable
            | Step::NewKeyring
            | Step::NewSession
            | Step::OpenDevShm
            | Step::BringLoopbackUp
            | Step::MakeMountsSlave
            | Step::MakeMarks
            | Step::PivotRoot
            | Step::CloseHostFds
            | Step::JoinNamespaces(_)
            | Step::OpenNullInput
            | Step::OpenTerminal { .. }
            | Step::ResetSignals
            | Step::ResetPersonality
            | Step::ResetSchedule
            | Step::RemountRootReadonly
            | Step::SetNoNewPrivs
            | Step::LoadSeccomp(_)
            | Step::CloseDescriptors
            | Step::Execute => Vec::new(),
        };
        fields.into_iter().collect()
    }
}
