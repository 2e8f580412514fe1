//! Signals of this process: signal(7), sigaction(2).
#![allow(unsafe_code)]

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::model::{Error, Result};

type Handler = Box<dyn Fn() + Send + Sync>;

static ON_INTERRUPT: OnceLock<Handler> = OnceLock::new();
/// The number of the last signal; 0 before the first.
static LAST_SIGNAL: AtomicI32 = AtomicI32::new(0);

extern "C" fn interrupted(signal: libc::c_int) {
    LAST_SIGNAL.store(signal, Ordering::SeqCst);
    if let Some(handler) = ON_INTERRUPT.get() {
        handler();
    }
}

/// Calls `handler` in the signal handler of SIGINT from now on. The handler must only do what
/// signal-safety(7) allows: store to atomics, write(2). Only the first handler counts.
pub fn on_interrupt(handler: Handler) -> Result<()> {
    let _ = ON_INTERRUPT.set(handler);
    let action =
        SigAction::new(SigHandler::Handler(interrupted), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: `interrupted` reads a OnceLock and calls a function that keeps to signal-safety(7).
    unsafe { sigaction(Signal::SIGINT, &action) }
        .map(drop)
        .map_err(|errno| Error::from_errno("sigaction(SIGINT)", errno as i32))
}

/// Calls the handler of [`on_interrupt`] for SIGTERM and SIGHUP too: for the first of each, so that
/// the second ends the process even if nothing reacts to the handler. A signal that the caller
/// ignores stays ignored, as nohup(1) expects.
pub fn on_termination(handler: Handler) -> Result<()> {
    on_interrupt(handler)?;
    let flags = SaFlags::SA_RESTART | SaFlags::SA_RESETHAND;
    let action = SigAction::new(SigHandler::Handler(interrupted), flags, SigSet::empty());
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let failed = |errno: nix::Error| Error::from_errno("sigaction", errno as i32);
        // SAFETY: as for SIGINT; the old action is restored.
        let old = unsafe { sigaction(signal, &action) }.map_err(failed)?;
        if matches!(old.handler(), SigHandler::SigIgn) {
            // SAFETY: ignoring a signal runs no handler.
            unsafe { sigaction(signal, &old) }.map_err(failed)?;
        }
    }
    Ok(())
}

/// Returns the number of the last signal to the handler of [`on_interrupt`].
pub fn last_signal() -> Option<i32> {
    Some(LAST_SIGNAL.load(Ordering::SeqCst)).filter(|number| *number != 0)
}

/// Ignores the signals by which a terminal and its session end: SIGHUP, SIGINT and SIGQUIT.
pub fn ignore_hangups() {
    let action = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
        // SAFETY: ignoring a signal runs no handler.
        let _ = unsafe { sigaction(signal, &action) };
    }
}

/// Puts this process in a session of its own, which no signal of the caller's terminal reaches. It
/// may lead a process group, which setsid(2) refuses: it returns to its parent's for a moment.
pub fn leave_session() {
    let mut stop = SigSet::empty();
    stop.add(Signal::SIGTSTP);
    // Sent in that moment, Ctrl-Z would stop this process for good. Afterwards its group is
    // orphaned, and the kernel drops the signal (setpgid(2)).
    let _ = stop.thread_block();
    // By libc: the first process of a machine is in the group 0, for which rustix has no value.
    // SAFETY: the three take and return numbers.
    unsafe {
        let group = libc::getpgid(libc::getppid());
        if group > 0 {
            libc::setpgid(0, group);
        }
    }
    let _ = rustix::process::setsid();
    let _ = stop.thread_unblock();
}

/// Blocks all signals of this thread, to be read by [`wait_blocked`].
pub fn block_all() -> Result<()> {
    SigSet::all().thread_block().map_err(|errno| Error::from_errno("sigprocmask", errno as i32))
}

/// Makes `command` start its program with no signal blocked, even if this process blocks some.
pub fn unblock_all_in(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt;
    let release = || SigSet::empty().thread_set_mask().map_err(std::io::Error::from);
    // SAFETY: between fork and exec it makes one system call (signal-safety(7), sigprocmask).
    unsafe { command.pre_exec(release) };
}

/// Waits for a blocked signal and returns its number. Wraps `sigwaitinfo(2)`.
pub fn wait_blocked() -> i32 {
    let all = SigSet::all();
    loop {
        // SAFETY: the set lives over the call; no information is requested.
        let signal = unsafe { libc::sigwaitinfo(all.as_ref(), std::ptr::null_mut()) };
        if signal > 0 {
            return signal;
        }
    }
}

/// The signals of this process, blocked and read one by one; unblocked when dropped. All but
/// SIGCHLD, SIGPIPE and SIGURG, those that report a fault of this program, and those that stop and
/// continue it.
#[derive(Debug)]
pub struct Signals {
    descriptor: SignalFd,
    blocked: SigSet,
}

impl Signals {
    /// Blocks the signals of this thread from now on. With `tty`, those of a terminal's size are
    /// left to [`resizes`](super::terminal::resizes).
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn take(tty: bool) -> Result<Self> {
        let mut held = SigSet::empty();
        let forwarded = [
            Signal::SIGHUP,
            Signal::SIGINT,
            Signal::SIGQUIT,
            Signal::SIGUSR1,
            Signal::SIGUSR2,
            Signal::SIGALRM,
            Signal::SIGTERM,
            Signal::SIGCONT,
            Signal::SIGWINCH,
            Signal::SIGIO,
        ];
        let of_size = [Signal::SIGWINCH, Signal::SIGCONT];
        for signal in forwarded.into_iter().filter(|one| !(tty && of_size.contains(one))) {
            held.add(signal);
        }
        let failed = |errno: nix::Error| Error::from_errno("signalfd", errno as i32);
        held.thread_block().map_err(failed)?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let descriptor = SignalFd::with_flags(&held, flags).map_err(failed)?;
        Ok(Signals { descriptor, blocked: held })
    }

    /// Returns the next pending signal.
    pub fn next(&self) -> Option<crate::model::value::signal::Signal> {
        let information = self.descriptor.read_signal().ok()??;
        i32::try_from(information.ssi_signo)
            .ok()
            .and_then(crate::model::value::signal::Signal::from_number)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let _ = self.blocked.thread_unblock();
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
