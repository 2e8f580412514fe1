//! Terminals: pty(7), ioctl_tty(2), termios(3).
//!
//! Functions that run between clone and exec return the bare [`Errno`], as in `sys::mount`.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, Winsize};

use super::errno::last_errno;
use super::poll;
use crate::model::{Error, Result};

/// `TIOCGPTPEER`, which libc lacks on some targets (asm-generic/ioctls.h).
const TIOCGPTPEER: u32 = 0x5441;

/// The device numbers of a multiplexer, and the file system that has it (devpts, linux/magic.h).
const MULTIPLEXER: (u32, u32, u64) = (5, 2, 2);
const DEVPTS: u64 = 0x1cd1;

/// Opens the other end of the terminal of an open `/dev/pts/ptmx`; no session is controlled by it
/// yet. Refuses a file that is not a multiplexer of a devpts.
pub fn peer(multiplexer: impl AsFd) -> Result<OwnedFd, Errno> {
    let file = multiplexer.as_fd();
    let status = rustix::fs::fstat(file)?;
    let (major, minor, inode) = MULTIPLEXER;
    let device = rustix::fs::makedev(major, minor);
    let kind = u64::try_from(rustix::fs::fstatfs(file)?.f_type).unwrap_or_default();
    if kind != DEVPTS || status.st_ino != inode || status.st_rdev != device {
        return Err(Errno::NODEV);
    }
    let unlocked = 0i32;
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: TIOCSPTLCK reads one int that lives over the call; TIOCGPTPEER takes flags and
    // returns a new descriptor that nothing else owns.
    unsafe {
        if libc::ioctl(file.as_raw_fd(), libc::TIOCSPTLCK as _, &raw const unlocked) != 0 {
            return Err(last_errno());
        }
        let peer = libc::ioctl(file.as_raw_fd(), TIOCGPTPEER as _, flags);
        if peer < 0 { Err(last_errno()) } else { Ok(OwnedFd::from_raw_fd(peer)) }
    }
}

/// Makes a terminal the controlling terminal of the caller's session, which the caller leads.
pub fn control(terminal: impl AsFd) -> Result<(), Errno> {
    rustix::process::ioctl_tiocsctty(terminal)
}

/// Returns rows and columns of a terminal; `None` if it is not a terminal.
pub fn size(terminal: impl AsFd) -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some((size.ws_row, size.ws_col))
}

/// Sets the size of a terminal; its foreground processes get SIGWINCH.
pub fn set_size(terminal: impl AsFd, rows: u16, columns: u16) -> Result<(), Errno> {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(terminal, size)
}

/// Returns whether a descriptor is a terminal.
pub fn is_terminal(file: impl AsFd) -> bool {
    rustix::termios::isatty(file)
}

/// What is restored if a signal ends this process.
struct Saved {
    terminal: i32,
    settings: Termios,
}

static SAVED: AtomicPtr<Saved> = AtomicPtr::new(std::ptr::null_mut());
/// Whether a terminal is in raw mode: one at a time.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// The event of a change of the window's size.
static RESIZED: OnceLock<OwnedFd> = OnceLock::new();
/// Held while the handlers are installed or removed.
static HANDLERS: Mutex<()> = Mutex::new(());

/// The signals that end a process by default.
const TERMINATION_SIGNALS: [Signal; 10] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGABRT,
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGILL,
    Signal::SIGFPE,
    Signal::SIGUSR1,
];

/// A terminal in raw mode: input goes to the container byte for byte. Its mode is restored when
/// dropped, and when a signal or a crash ends this process.
#[derive(Debug)]
pub struct Raw<'a> {
    terminal: BorrowedFd<'a>,
    settings: Termios,
    before: Vec<(Signal, SigAction)>,
}

impl<'a> Raw<'a> {
    /// Takes a terminal; `None` if another part of this process has taken one.
    pub fn take(terminal: BorrowedFd<'a>) -> Result<Option<Self>> {
        if TAKEN.swap(true, Ordering::SeqCst) {
            return Ok(None);
        }
        let failed = |errno: Errno| Error::from_errno("tcgetattr", errno.raw_os_error());
        let settings = rustix::termios::tcgetattr(terminal)
            .inspect_err(|_| TAKEN.store(false, Ordering::SeqCst))
            .map_err(failed)?;
        let saved = Saved { terminal: terminal.as_raw_fd(), settings: settings.clone() };
        // Never freed, because a handler may read it; the previous one is a few bytes.
        SAVED.store(Box::into_raw(Box::new(saved)), Ordering::SeqCst);
        let mut raw = Raw { terminal, settings, before: Vec::new() };
        raw.handle_termination();
        raw.enter()?;
        Ok(Some(raw))
    }

    /// Sets raw mode, again if another process has changed it.
    pub fn enter(&self) -> Result<()> {
        let mut settings = self.settings.clone();
        settings.make_raw();
        rustix::termios::tcsetattr(self.terminal, OptionalActions::Drain, &settings)
            .map_err(|errno| Error::from_errno("tcsetattr", errno.raw_os_error()))
    }

    fn handle_termination(&mut self) {
        let _held = HANDLERS.lock();
        let action =
            SigAction::new(SigHandler::Handler(restore), SaFlags::SA_RESETHAND, SigSet::empty());
        for signal in TERMINATION_SIGNALS {
            // SAFETY: `restore` only calls what signal-safety(7) allows.
            let before = unsafe { sigaction(signal, &action) };
            let Ok(before) = before else { continue };
            // Rust's own handlers of faults only report stack overflows.
            let fault = matches!(signal, Signal::SIGSEGV | Signal::SIGBUS);
            if fault || matches!(before.handler(), SigHandler::SigDfl) {
                self.before.push((signal, before));
            } else {
                // The program handles the signal already.
                // SAFETY: this puts back the handler that the program has set.
                let _ = unsafe { sigaction(signal, &before) };
            }
        }
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        let drain = OptionalActions::Drain;
        let _ = rustix::termios::tcsetattr(self.terminal, drain, &self.settings);
        let _held = HANDLERS.lock();
        for (signal, before) in &self.before {
            // SAFETY: restores the previous action.
            let _ = unsafe { sigaction(*signal, before) };
        }
        SAVED.store(std::ptr::null_mut(), Ordering::SeqCst);
        TAKEN.store(false, Ordering::SeqCst);
    }
}

/// Restores the terminal and lets the signal take its default action.
extern "C" fn restore(signal: libc::c_int) {
    let saved = SAVED.load(Ordering::SeqCst);
    // SAFETY: the stored value is never freed. tcsetattr, raise and the one ioctl of the rustix
    // call are allowed in a handler (signal-safety(7)). SA_RESETHAND has restored the default
    // action.
    unsafe {
        if let Some(saved) = saved.as_ref() {
            let terminal = BorrowedFd::borrow_raw(saved.terminal);
            let _ = rustix::termios::tcsetattr(terminal, OptionalActions::Now, &saved.settings);
        }
        libc::raise(signal);
    }
}

extern "C" fn resized(_signal: libc::c_int) {
    if let Some(event) = RESIZED.get() {
        poll::signal(event);
    }
}

/// Returns an event that is readable when the window's size has changed (SIGWINCH), or when this
/// process continues after a stop (SIGCONT).
pub fn resizes() -> Result<BorrowedFd<'static>> {
    let event = match RESIZED.get() {
        Some(event) => event,
        None => {
            let _ = RESIZED.set(poll::eventfd()?);
            RESIZED.get().ok_or_else(|| Error::from_errno("eventfd", libc::EBADF))?
        }
    };
    let action = SigAction::new(SigHandler::Handler(resized), SaFlags::SA_RESTART, SigSet::empty());
    for signal in [Signal::SIGWINCH, Signal::SIGCONT] {
        // SAFETY: `resized` reads a OnceLock and writes to an eventfd (signal-safety(7)).
        unsafe { sigaction(signal, &action) }
            .map_err(|errno| Error::from_errno("sigaction", errno as i32))?;
    }
    Ok(event.as_fd())
}
