//! Processes: clone3(2), waitid(2), prctl(2), close_range(2), execve(2).
//!
//! What runs between clone and exec returns the bare [`Errno`], as in `sys::mount`.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_long};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, Resource, Rlimit};

use super::errno::last_errno;
use crate::model::{Error, Result};

/// `CLONE_INTO_CGROUP`; libc's constant overflows its type on linux-gnu.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// `struct clone_args` of clone3(2).
#[repr(C, align(8))]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// A child process, by number and by descriptor.
#[derive(Debug)]
pub struct Child {
    /// Its process id, as this process sees it.
    pub pid: i32,
    /// A descriptor that refers to this child even when its id is reused.
    pub pidfd: OwnedFd,
}

/// Wraps `pipe2(2)`: returns the read end and the write end, both close-on-exec.
///
/// # Errors
/// When no descriptor is left.
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
        .map_err(|errno| Error::from_errno("pipe2", errno.raw_os_error()))
}

/// Wraps `clone3(2)` like a fork: the child is a copy of this process in new `namespaces`
/// (`CLONE_NEW*`), started inside `cgroup` if one is given. The child runs `child` and, should that
/// return, exits with 127.
///
/// The child does not run libc's atfork handlers, and libc's cached thread id is stale: the caller
/// must have one thread. Then `child` may allocate too (head of `runtime/init/mod.rs`).
pub fn clone_into(
    namespaces: c_int,
    cgroup: Option<BorrowedFd<'_>>,
    child: impl FnOnce(),
) -> Result<Child> {
    let mut pidfd: RawFd = -1;
    let mut arguments = CloneArgs {
        flags: u64::from(namespaces.cast_unsigned()) | u64::from(libc::CLONE_PIDFD.cast_unsigned()),
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: u64::from(libc::SIGCHLD.cast_unsigned()),
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = u64::from(cgroup.as_raw_fd().cast_unsigned());
    }
    // SAFETY: the arguments live over the call and their size is given; without CLONE_VM the child
    // has its own copy of memory, and it never returns from this function: it exits below.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<CloneArgs>()) };
    match pid {
        -1 => Err(Error::from_errno("clone3", last_errno().raw_os_error())),
        0 => {
            child();
            exit_now(127)
        }
        pid => {
            // SAFETY: the kernel has just stored a new descriptor in `pidfd`; nothing else owns it.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Child { pid: i32::try_from(pid).unwrap_or(-1), pidfd })
        }
    }
}

/// Exits immediately: no destructors, no buffers flushed.
pub fn exit_now(code: c_int) -> ! {
    // SAFETY: _exit takes an integer and does not return.
    unsafe { libc::_exit(code) }
}

/// Waits for a child to exit: returns its exit code, or 128 plus the signal that ended it.
///
/// # Errors
/// When it is not a child of this process.
pub fn reap(pidfd: impl AsFd) -> Result<i32> {
    reap_with_signal(pidfd).map(|(code, _)| code)
}

/// As [`reap`], and waits no longer than `timeout`: a process that is unkillable does not exit.
///
/// # Errors
/// As [`reap`]; [`Kind::Timeout`](crate::model::Kind::Timeout).
pub fn reap_within(pidfd: impl AsFd, timeout: std::time::Duration) -> Result<i32> {
    if super::poll::wait_readable(&[pidfd.as_fd()], Some(timeout))?.contains(&true) {
        return reap(pidfd);
    }
    let message = format!("a killed process has not exited within {} s", timeout.as_secs());
    Err(Error::new(crate::model::Kind::Timeout, message))
}

/// As [`reap`], and returns the signal that ended the child, if one did: a program may also exit
/// with 128 and more.
///
/// # Errors
/// As [`reap`].
pub fn reap_with_signal(pidfd: impl AsFd) -> Result<(i32, Option<i32>)> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    loop {
        match waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED) {
            Ok(Some(status)) => {
                let signal = status.terminating_signal();
                let code = status.exit_status().or(signal.map(|signal| 128 + signal));
                return Ok((code.unwrap_or(255), signal));
            }
            Ok(None) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::from_errno("waitid", errno.raw_os_error())),
        }
    }
}

/// Wraps `pidfd_send_signal(2)` for signals of any number, the real-time ones included.
pub fn send_signal(pidfd: impl AsFd, signal: i32) -> Result<(), Errno> {
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: takes two integers and no information.
    let result = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_fd().as_raw_fd(), signal, none, 0)
    };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Wraps `setns(2)` with a process: joins its namespaces of these types. A PID namespace is joined
/// by later children.
pub fn join(target: impl AsFd, namespaces: c_int) -> Result<(), Errno> {
    // SAFETY: takes integers; the caller has one thread, so no other is affected.
    let result = unsafe { libc::setns(target.as_fd().as_raw_fd(), namespaces) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Sets the death signal: the kernel kills this process when the thread that cloned it exits.
pub fn die_with_parent() -> Result<(), Errno> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
}

/// Returns whether core dumps and ptrace(2) by processes without privilege are allowed.
pub fn set_dumpable(dumpable: bool) -> Result<(), Errno> {
    use rustix::process::DumpableBehavior::{Dumpable, NotDumpable};
    rustix::process::set_dumpable_behavior(if dumpable { Dumpable } else { NotDumpable })
}

/// Resets every signal to its default action and blocks none. Rust ignores SIGPIPE at start, and an
/// ignored signal stays ignored over execve(2). Raw calls, because libc reserves two signals, which
/// the caller may have ignored.
pub fn reset_signals() {
    // SIG_DFL, no flags, no restorer, an empty mask: `struct kernel_sigaction`.
    let default = [0u64; 4];
    let none = 0u64;
    // SAFETY: both calls only read their arguments, whose sizes are given. SIGKILL and SIGSTOP
    // refuse, which does not matter.
    unsafe {
        for signal in 1..=64 {
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), 0, size_of::<u64>());
        }
        let how = libc::SIG_SETMASK;
        libc::syscall(libc::SYS_rt_sigprocmask, how, &raw const none, 0, size_of::<u64>());
    }
}

/// Closes all descriptors from 3 on except those in `keep`, which is sorted. Their owners must be
/// forgotten: by an exec, or by the end of this process. Allocates nothing.
pub fn close_all_but(keep: &[RawFd]) -> Result<(), Errno> {
    let mut next = 3;
    for kept in keep.iter().map(|number| number.cast_unsigned()).filter(|number| *number >= 3) {
        if kept > next {
            close_range(next, kept - 1)?;
        }
        next = kept + 1;
    }
    close_range(next, u32::MAX)
}

/// Returns the numbers of descriptors, sorted for [`close_all_but`].
pub fn raw_fds<'a>(descriptors: impl IntoIterator<Item = BorrowedFd<'a>>) -> Vec<RawFd> {
    let mut numbers: Vec<_> = descriptors.into_iter().map(|fd| fd.as_raw_fd()).collect();
    numbers.sort_unstable();
    numbers
}

/// Closes the descriptors that this process inherited, from 3 on, except those in `keep`. Called
/// before it has opened anything else. A descriptor that a caller forgot to close must not stay
/// open as long as a container runs, nor be within its reach.
pub fn close_inherited(keep: &[BorrowedFd<'_>]) -> Result<()> {
    close_all_but(&raw_fds(keep.iter().copied()))
        .map_err(|errno| Error::from_errno("close_range", errno.raw_os_error()))
}

fn close_range(first: u32, last: u32) -> Result<(), Errno> {
    // SAFETY: takes integers. The owners of the descriptors are forgotten by the exec that follows.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Makes `source` the descriptor number `target`, which stays open over execve(2).
pub fn dup_to(source: impl AsFd, target: RawFd) -> Result<(), Errno> {
    let source = source.as_fd().as_raw_fd();
    // SAFETY: both are integers; dup2 replaces `target`, open or not.
    let result = unsafe {
        if source == target {
            libc::fcntl(source, libc::F_SETFD, 0)
        } else {
            libc::dup2(source, target)
        }
    };
    if result >= 0 { Ok(()) } else { Err(last_errno()) }
}

/// Returns a copy of the standard descriptor `number` (0, 1 or 2), close-on-exec and numbered from
/// 3 on; `None` if it is closed.
pub fn take_stdio(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: the number is only looked up; nothing else owns what F_DUPFD_CLOEXEC returns.
    unsafe {
        let copy = libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3);
        (copy >= 0).then(|| OwnedFd::from_raw_fd(copy))
    }
}

/// Opens this program's file on a read-only mount of its own: a process that executes it from there
/// cannot open the file for writing through `/proc/PID/exe` (CVE-2019-5736). `None` if this process
/// may not mount; then it has no rights over the file to lose.
pub fn sealed_program() -> Option<OwnedFd> {
    let file = super::mount::clone_tree(rustix::fs::CWD, c"/proc/self/exe").ok()?;
    super::mount::add_attributes(&file, super::mount::Attributes::MOUNT_ATTR_RDONLY).ok()?;
    Some(file)
}

/// Replaces standard input, output and error by `/dev/null`.
pub fn detach_stdio() -> Result<()> {
    use rustix::fs::{Mode, OFlags};
    let failed = |errno: Errno| Error::from_errno("open(/dev/null)", errno.raw_os_error());
    let null = rustix::fs::open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(failed)?;
    for number in 0..3 {
        dup_to(&null, number).map_err(failed)?;
    }
    Ok(())
}

/// Calls `attempt` while descriptor 0 is free, and opens `/dev/null` there again. For a process of
/// one thread whose standard input is that: a descriptor for one that has no other left.
pub fn with_spare_descriptor<T>(attempt: impl FnOnce() -> T) -> T {
    use rustix::fs::{Mode, OFlags};
    // SAFETY: descriptor 0 has no owner in this program.
    unsafe { libc::close(0) };
    let result = attempt();
    if let Ok(null) = rustix::fs::open(c"/dev/null", OFlags::RDWR, Mode::empty()) {
        if null.as_raw_fd() == 0 {
            std::mem::forget(null);
        } else {
            let _ = dup_to(&null, 0);
        }
    }
    result
}

/// Joins a new anonymous session keyring, so that the caller's is not inherited.
pub fn join_new_keyring() -> Result<(), Errno> {
    const JOIN_SESSION_KEYRING: c_long = 1;
    // SAFETY: a null name requests an anonymous keyring.
    let result = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, 0, 0, 0, 0) };
    if result >= 0 { Ok(()) } else { Err(last_errno()) }
}

/// Wraps `setns(2)`: this thread enters a namespace of any type; for some types it must be the only
/// thread. A PID namespace is entered by later children only.
pub fn enter_namespace(namespace: impl AsFd) -> Result<(), Errno> {
    // SAFETY: takes two integers, and changes this thread only.
    let result = unsafe { libc::setns(namespace.as_fd().as_raw_fd(), 0) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Wraps `personality(2)`: plain Linux, with randomised addresses.
pub fn reset_personality() -> Result<(), Errno> {
    // SAFETY: takes an integer.
    let result = unsafe { libc::personality(0) };
    if result >= 0 { Ok(()) } else { Err(last_errno()) }
}

/// Resets CPU affinity, nice value and I/O priority: `sched_setaffinity(2)`, `setpriority(2)`,
/// `ioprio_set(2)`. The kernel keeps to the processors of the cgroup. Without CAP_SYS_NICE a higher
/// nice value stays.
pub fn reset_schedule() -> Result<(), Errno> {
    const IOPRIO_WHO_PROCESS: c_int = 1;
    let mut all = rustix::thread::CpuSet::new();
    (0..rustix::thread::CpuSet::MAX_CPU).for_each(|cpu| all.set(cpu));
    rustix::thread::sched_setaffinity(None, &all)?;
    match rustix::process::setpriority_process(None, 0) {
        Ok(()) | Err(Errno::ACCESS | Errno::PERM) => {}
        Err(errno) => return Err(errno),
    }
    // SAFETY: takes three integers.
    let result = unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0) };
    match last_errno() {
        _ if result == 0 => Ok(()),
        // A kernel without block devices.
        Errno::NOSYS => Ok(()),
        errno => Err(errno),
    }
}

/// Wraps `unshare(2)` for a new cgroup namespace.
pub fn unshare_cgroup() -> Result<(), Errno> {
    // SAFETY: takes an integer; a new cgroup namespace touches no memory.
    let result = unsafe { libc::unshare(libc::CLONE_NEWCGROUP) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Wraps `prlimit(2)` for this process; `None` is unlimited. If the hard limit is refused, it is
/// clamped to the present one, which only CAP_SYS_RESOURCE may raise.
pub fn limit(resource: Resource, soft: Option<u64>, hard: Option<u64>) -> Result<(), Errno> {
    let requested = Rlimit { current: soft, maximum: hard };
    if rustix::process::setrlimit(resource, requested).is_ok() {
        return Ok(());
    }
    let present = rustix::process::getrlimit(resource).maximum;
    let clamp = |requested: Option<u64>| match (requested, present) {
        (Some(requested), Some(present)) => Some(requested.min(present)),
        (None, present) => present,
        (requested, None) => requested,
    };
    rustix::process::setrlimit(resource, Rlimit { current: clamp(soft), maximum: clamp(hard) })
}

/// Wraps `execve(2)`. Returns only if it failed.
///
/// The lists must each end with a null pointer; the strings must outlive the call.
pub fn execute(program: &CStr, arguments: &CStrings<'_>, environment: &CStrings<'_>) -> Errno {
    // SAFETY: both lists end with null and borrow strings that outlive the call.
    unsafe {
        libc::execve(program.as_ptr(), arguments.pointers.as_ptr(), environment.pointers.as_ptr())
    };
    last_errno()
}

/// A list of C strings for execve(2).
#[derive(Debug)]
pub struct CStrings<'a> {
    pointers: Vec<*const c_char>,
    strings: std::marker::PhantomData<&'a CStr>,
}

impl<'a> CStrings<'a> {
    /// Returns the list of these strings, ended by a null pointer, with room for one more.
    pub fn new(strings: impl Iterator<Item = &'a CStr>) -> Self {
        let mut pointers: Vec<_> = strings.map(CStr::as_ptr).collect();
        pointers.reserve(2);
        pointers.push(std::ptr::null());
        CStrings { pointers, strings: std::marker::PhantomData }
    }

    /// Appends a string; does not allocate the first time.
    pub fn push(&mut self, string: &'a CStr) {
        let end = self.pointers.len() - 1;
        self.pointers[end] = string.as_ptr();
        self.pointers.push(std::ptr::null());
    }
}

/// Sends a signal of any number to a child that has not been reaped, so that its id is not reused.
/// A child that has just exited is not an error.
pub fn forward_signal(child: Pid, signal: i32) {
    // SAFETY: takes two integers.
    unsafe { libc::kill(child.as_raw_nonzero().get(), signal) };
}

/// Sends `SIGKILL` to the process group of a child that leads one and has not been reaped, so that
/// the id is not reused.
pub fn kill_group(leader: i32) {
    if let Some(leader) = Pid::from_raw(leader) {
        let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
    }
}

/// Sends `SIGKILL` to a process by number. Only for a process whose start time was just compared.
pub fn kill_by_number(pid: i32) -> Result<(), Errno> {
    let pid = Pid::from_raw(pid).ok_or(Errno::SRCH)?;
    rustix::process::kill_process(pid, rustix::process::Signal::KILL)
}
