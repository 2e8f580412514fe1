//! The namespaces of a container that are taken apart once its clients have their answer.

use std::fs::File;
use std::os::fd::OwnedFd;

use crate::model::container::ContainerSpec;
use crate::model::container::mounts::MountKind;

/// The namespaces that the kernel takes apart with their last process, which takes longest: mounts
/// are removed, and an overlay writes what is unwritten on its disk.
const NAMES: [&str; 4] = ["mnt", "net", "ipc", "uts"];

/// Namespaces that this process keeps beyond the exit of the program. They end when this is
/// dropped.
#[derive(Debug, Default)]
pub(super) struct HeldNamespaces {
    _files: Vec<OwnedFd>,
}

impl HeldNamespaces {
    /// Opens those of the process `pid` of a container that is removed at its exit: any other may
    /// be started again soon, and that start would wait for them. None if the container may have
    /// mounted what is not its own: an unmount of that on the host would find it busy.
    pub(super) fn of(spec: &ContainerSpec, pid: i32) -> Self {
        let host = &spec.host_config;
        let may_mount = host.security.capabilities().contains(&"CAP_SYS_ADMIN");
        let has_others = host.mounts.list.iter().any(|mount| mount.kind != MountKind::Tmpfs);
        if !host.auto_remove || may_mount || has_others {
            return HeldNamespaces::default();
        }
        // A process that has exited by now has none any more.
        let open = |name: &&str| File::open(format!("/proc/{pid}/ns/{name}")).ok();
        HeldNamespaces { _files: NAMES.iter().filter_map(open).map(OwnedFd::from).collect() }
    }
}
