//! Records the calls of native functions during a trace.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rhai::NativeCallContext;

use crate::engine::trace;

/// The recorded calls of native functions, in the order of their start.
#[derive(Debug, Default)]
pub struct Calls {
    on: AtomicBool,
    noted: Mutex<Vec<Call>>,
}

/// A call of a native function.
#[derive(Clone, Debug)]
pub struct Call {
    /// The start, on the clock of trace steps.
    pub start: u64,
    /// The source of the call.
    pub source: Option<String>,
    /// Its line in the source.
    pub line: Option<usize>,
    /// The called function.
    pub name: String,
}

impl Calls {
    /// Records a call, if a trace is running.
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

    /// Begins to record calls.
    pub fn begin(&self) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.on.store(true, Ordering::Relaxed);
    }

    /// Ends the recording and returns the calls.
    pub fn end(&self) -> Vec<Call> {
        self.on.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
