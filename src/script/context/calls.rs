//! The calls of native functions, noted while a trace is under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rhai::NativeCallContext;

use crate::engine::trace;

/// The calls of native functions, in the order in which they began.
#[derive(Debug, Default)]
pub struct Calls {
    on: AtomicBool,
    noted: Mutex<Vec<Call>>,
}

/// A call of a native function.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it began, on the clock of deeds.
    pub start: u64,
    /// The text that it is in.
    pub source: Option<String>,
    /// Its line in that.
    pub line: Option<usize>,
    /// The function that is called.
    pub name: String,
}

impl Calls {
    /// Notes a call, where they are noted.
    pub fn note(&self, ctx: &NativeCallContext) {
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        let call = Call {
            start: trace::now(),
            source: ctx.call_source().map(str::to_owned),
            line: ctx.call_position().line(),
            name: ctx.fn_name().to_owned(),
        };
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// Begins to note calls, without any.
    pub fn begin(&self) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.on.store(true, Ordering::Relaxed);
    }

    /// Ends that; the calls that were noted.
    pub fn end(&self) -> Vec<Call> {
        self.on.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
