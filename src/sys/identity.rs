//! The credentials of a process: setresuid(2), setgroups(2), capabilities(7).
//!
//! Between clone and exec: bare [`Errno`], as in `sys::mount`.
#![allow(unsafe_code)]

use rustix::io::Errno;

use super::errno::last_errno;

/// The header of capset(2), version 3.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// Half of the sets of capset(2): 32 capabilities.
#[repr(C)]
#[derive(Clone, Copy)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const VERSION_3: u32 = 0x2008_0522;

/// Drops every capability that is not in `keep` (bit n = capability n) from the bounding set, up to
/// the last one that the kernel knows.
pub fn drop_bounding(keep: u64) -> Result<(), Errno> {
    for capability in (0..64u64).filter(|c| keep & (1 << c) == 0) {
        // SAFETY: takes integers.
        let result = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        if result != 0 {
            return match last_errno() {
                // The first number beyond the last capability.
                Errno::INVAL => Ok(()),
                errno => Err(errno),
            };
        }
    }
    Ok(())
}

/// Keeps the permitted capabilities over a change of user.
pub fn keep_capabilities(keep: bool) -> Result<(), Errno> {
    rustix::thread::set_keep_capabilities(keep)
}

/// Switches to this user and group, with only these supplementary groups. Raw calls, because this
/// process has one thread. If a user namespace fixes the groups, no others may be set, and the
/// caller's stay.
pub fn become_user(uid: u32, gid: u32, groups: &[u32]) -> Result<(), Errno> {
    // SAFETY: `groups` is given with its length; the others take integers.
    unsafe {
        let only_primary = groups.iter().all(|group| *group == gid);
        let fixed = only_primary && super::userns::identity().groups_fixed;
        if (!fixed && libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) != 0)
            || libc::syscall(libc::SYS_setresgid, gid, gid, gid) != 0
            || libc::syscall(libc::SYS_setresuid, uid, uid, uid) != 0
        {
            return Err(last_errno());
        }
    }
    Ok(())
}

/// Sets effective and permitted capabilities to `set` and inheritable and ambient ones to none.
pub fn set_capabilities(set: u64) -> Result<(), Errno> {
    set_all(set, 0)?;
    rustix::thread::clear_ambient_capability_set()
}

/// Sets effective, permitted, inheritable and ambient capabilities to `set`, so that a user who is
/// not root keeps them over execve(2).
pub fn set_ambient_capabilities(set: u64) -> Result<(), Errno> {
    set_all(set, set)?;
    rustix::thread::clear_ambient_capability_set()?;
    for capability in (0..64u64).filter(|c| set & (1 << c) != 0) {
        // SAFETY: takes integers.
        let result = unsafe {
            libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE, capability, 0, 0)
        };
        if result != 0 {
            return Err(last_errno());
        }
    }
    Ok(())
}

fn set_all(set: u64, inheritable: u64) -> Result<(), Errno> {
    let header = Header { version: VERSION_3, pid: 0 };
    let word = |bits: u64| u32::try_from(bits & 0xffff_ffff).unwrap_or(0);
    let half = |shift: u32| Sets {
        effective: word(set >> shift),
        permitted: word(set >> shift),
        inheritable: word(inheritable >> shift),
    };
    let sets = [half(0), half(32)];
    // SAFETY: version 3 reads one header and two sets.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Returns the bounding set of this process.
pub fn bounding() -> u64 {
    (0..64u64)
        // SAFETY: takes integers; fails for numbers that the kernel does not know.
        .filter(|c| unsafe { libc::prctl(libc::PR_CAPBSET_READ, *c, 0, 0, 0) } == 1)
        .fold(0, |set, c| set | (1 << c))
}
