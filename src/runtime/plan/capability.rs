//! Capabilities by number: linux/capability.h.

use oci_spec::runtime::{Capabilities, Capability};

/// CAP_MKNOD as a bit.
pub(super) const MKNOD: u64 = 1 << 27;

/// Converts capabilities to bits.
pub(super) fn set(capabilities: Option<&Capabilities>) -> u64 {
    capabilities.into_iter().flatten().fold(0, |set, c| set | 1 << number(*c))
}

/// Returns all capabilities.
pub fn all() -> Capabilities {
    ORDER.into_iter().collect()
}

/// All capabilities in the order of their numbers (linux/capability.h).
const ORDER: [Capability; 41] = [
    Capability::Chown,
    Capability::DacOverride,
    Capability::DacReadSearch,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Setgid,
    Capability::Setuid,
    Capability::Setpcap,
    Capability::LinuxImmutable,
    Capability::NetBindService,
    Capability::NetBroadcast,
    Capability::NetAdmin,
    Capability::NetRaw,
    Capability::IpcLock,
    Capability::IpcOwner,
    Capability::SysModule,
    Capability::SysRawio,
    Capability::SysChroot,
    Capability::SysPtrace,
    Capability::SysPacct,
    Capability::SysAdmin,
    Capability::SysBoot,
    Capability::SysNice,
    Capability::SysResource,
    Capability::SysTime,
    Capability::SysTtyConfig,
    Capability::Mknod,
    Capability::Lease,
    Capability::AuditWrite,
    Capability::AuditControl,
    Capability::Setfcap,
    Capability::MacOverride,
    Capability::MacAdmin,
    Capability::Syslog,
    Capability::WakeAlarm,
    Capability::BlockSuspend,
    Capability::AuditRead,
    Capability::Perfmon,
    Capability::Bpf,
    Capability::CheckpointRestore,
];

/// Returns the number of a capability.
fn number(capability: Capability) -> u32 {
    let position = ORDER.iter().position(|known| *known == capability);
    position.and_then(|position| u32::try_from(position).ok()).unwrap_or(63)
}
