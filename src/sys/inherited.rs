//! What a program inherits from its caller over execve(2): ignored and blocked signals, the umask,
//! and limits. Each process of the engine begins by resetting them.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::CapabilitySet;

use super::userns;

/// The umask of every process of the engine.
const UMASK: u32 = 0o022;

/// `SIG_IGN` as the kernel stores it.
const IGNORED: u64 = 1;

/// The signals that a client ignores if its caller does: of the terminal and its session, and the
/// request to exit, as nohup(1) and the shells' job control expect. Rust ignores SIGPIPE at start.
const KEPT: [i32; 8] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGPIPE,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];

/// The soft and hard limits of every process of the engine, and of a container that sets none: what
/// init(1) begins with, and no limit where dockerd sets none. `None` is unlimited (setrlimit(2)).
const LIMITS: [(Resource, Option<u64>, Option<u64>); 16] = [
    (Resource::Cpu, None, None),
    (Resource::Fsize, None, None),
    (Resource::Data, None, None),
    (Resource::Stack, Some(8 << 20), None),
    (Resource::Core, Some(0), None),
    (Resource::Rss, None, None),
    (Resource::Nproc, None, None),
    (Resource::Nofile, Some(65_536), Some(1 << 20)),
    (Resource::Memlock, Some(8 << 20), Some(8 << 20)),
    (Resource::As, None, None),
    (Resource::Locks, None, None),
    (Resource::Sigpending, Some(65_536), Some(65_536)),
    (Resource::Msgqueue, Some(819_200), Some(819_200)),
    (Resource::Nice, Some(0), Some(0)),
    (Resource::Rtprio, Some(0), Some(0)),
    (Resource::Rttime, None, None),
];

static CALLERS_UMASK: OnceLock<u32> = OnceLock::new();

/// Resets what this process inherited, for a client: signals that its caller ignores to control a
/// session stay ignored.
pub fn reset_for_client() {
    reset(&KEPT);
}

/// Resets all that this process inherited, for a process that outlives its caller.
pub fn reset_for_role() {
    reset(&[libc::SIGPIPE]);
}

/// Returns the mode of a new file of the user's that `mode` would have with the caller's umask.
pub fn users_mode(mode: u32) -> u32 {
    mode & !CALLERS_UMASK.get().copied().unwrap_or(UMASK)
}

fn reset(kept: &[i32]) {
    reset_signals(kept);
    let before = rustix::process::umask(Mode::from_raw_mode(UMASK));
    let _ = CALLERS_UMASK.set(before.as_raw_mode());
    reset_limits();
}

/// Resets ignored signals to their default action, except those in `kept`, and blocks none. A write
/// beyond a limit of file size is an error (`EFBIG`), not the end of the process (SIGXFSZ).
fn reset_signals(kept: &[i32]) {
    // Raw calls, because libc reserves two signals: `struct kernel_sigaction`, SIG_DFL.
    let default = [0u64; 4];
    let ignore = [IGNORED, 0, 0, 0];
    let none = 0u64;
    for signal in 1..=64 {
        let mut found = [0u64; 4];
        let null = std::ptr::null::<u64>();
        let size = size_of::<u64>();
        // SAFETY: the call only writes the old action to `found`, which has the kernel's size.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, signal, null, found.as_mut_ptr(), size);
        }
        let new = match signal {
            libc::SIGXFSZ => &ignore,
            _ if found[0] == IGNORED && !kept.contains(&signal) => &default,
            _ => continue,
        };
        // SAFETY: the call only reads the new action; neither action runs a handler.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new.as_ptr(), 0, size) };
    }
    let how = libc::SIG_SETMASK;
    // SAFETY: the call only reads the empty mask, whose size is given.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, &raw const none, 0, size_of::<u64>()) };
}

/// Sets the limits of [`LIMITS`]. A process without CAP_SYS_RESOURCE keeps its hard limits.
fn reset_limits() {
    let may_raise = rustix::thread::capabilities(None)
        .is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_RESOURCE))
        // There the capability does not count for limits.
        && !userns::in_user_namespace();
    for (resource, current, maximum) in LIMITS {
        let had = getrlimit(resource);
        let wanted = Rlimit { current, maximum };
        if had == wanted || (may_raise && setrlimit(resource, wanted).is_ok()) {
            continue;
        }
        let maximum = had.maximum;
        let current = match (current, maximum) {
            (Some(wanted), Some(most)) => Some(wanted.min(most)),
            (wanted, most) => wanted.or(most),
        };
        let nearest = Rlimit { current, maximum };
        if nearest != had {
            // The present limit is the best that this process can have.
            let _ = setrlimit(resource, nearest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_users_has_no_more_rights_than_the_umask_allows() {
        let _ = CALLERS_UMASK.set(0o077);
        assert_eq!(users_mode(0o666), 0o600);
        assert_eq!(users_mode(0o777), 0o700);
    }

    #[test]
    fn each_limit_stands_in_the_table_once() {
        for (at, (resource, current, maximum)) in LIMITS.iter().enumerate() {
            assert!(LIMITS[..at].iter().all(|(other, ..)| other != resource), "{resource:?}");
            let fits = maximum.is_none_or(|most| current.is_some_and(|soft| soft <= most));
            assert!(fits, "{resource:?}");
        }
    }
}
