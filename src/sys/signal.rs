//! Signals of this process: signal(7), sigaction(2).
#![allow(unsafe_code)]

use std::sync::OnceLock;

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::model::{Error, Result};

type Handler = Box<dyn Fn() + Send + Sync>;

static ON_INTERRUPT: OnceLock<Handler> = OnceLock::new();

extern "C" fn interrupted(_signal: libc::c_int) {
    if let Some(handler) = ON_INTERRUPT.get() {
        handler();
    }
}

/// Calls `handler` in the signal handler of SIGINT from now on. It must only do what
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
