//! The steps of this process, and the watcher of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::script::trace::{ProcessRole, Span, TraceStep};
use crate::runtime::trace::operation::Operation;
use crate::sys;

/// A function that gets each step before it is carried out, and holds it up until it returns.
pub type Watcher = Arc<dyn Fn(&TraceStep) + Send + Sync>;

static ON: AtomicBool = AtomicBool::new(false);
static RECORDED: Mutex<Recorded> = Mutex::new(Recorded { steps: Vec::new(), watcher: None });

struct Recorded {
    steps: Vec<TraceStep>,
    watcher: Option<Watcher>,
}

fn recorded() -> MutexGuard<'static, Recorded> {
    RECORDED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns nanoseconds on the clock of traces.
pub fn now() -> u64 {
    sys::clock::monotonic()
}

/// Whether steps are recorded.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Whether a watcher gets each step.
pub fn is_watched() -> bool {
    is_on() && recorded().watcher.is_some()
}

/// Starts recording steps.
pub fn begin(watcher: Option<Watcher>) {
    *recorded() = Recorded { steps: Vec::new(), watcher };
    ON.store(true, Ordering::Relaxed);
}

/// Returns the steps since [`begin`] or the last call of this function.
pub fn take() -> Vec<TraceStep> {
    std::mem::take(&mut recorded().steps)
}

/// Stops recording, and returns the recorded steps.
pub fn end() -> Vec<TraceStep> {
    ON.store(false, Ordering::Relaxed);
    let mut recorded = recorded();
    recorded.watcher = None;
    std::mem::take(&mut recorded.steps)
}

/// Adds the steps of another process.
pub fn add(steps: Vec<TraceStep>) {
    if is_on() {
        recorded().steps.extend(steps);
    }
}

/// Adds a step, in place of the last one if that is the same step.
pub fn replace(step: TraceStep) {
    let mut recorded = recorded();
    let is_same_step = |last: &TraceStep| last.key == step.key && last.fields == step.fields;
    if recorded.steps.last().is_some_and(is_same_step) {
        recorded.steps.pop();
    }
    recorded.steps.push(step);
}

/// Reports a step to the watcher before it is carried out.
pub fn before(step: &TraceStep) {
    let watcher = recorded().watcher.clone();
    if let Some(watcher) = watcher {
        watcher(step);
    }
}

/// Records a step that started at `started` and is done now.
pub fn record(who: ProcessRole, operation: impl FnOnce() -> Operation, started: u64) {
    if is_on() {
        let mut step = operation().describe(who);
        step.span = Some(Span { start: started, duration: now().saturating_sub(started) });
        recorded().steps.push(step);
    }
}

/// Does `work`, and records it as this step.
pub fn traced<T>(
    who: ProcessRole,
    operation: impl FnOnce() -> Operation,
    work: impl FnOnce() -> T,
) -> T {
    if !is_on() {
        return work();
    }
    let mut step = operation().describe(who);
    before(&step);
    let started = now();
    let result = work();
    step.span = Some(Span { start: started, duration: now().saturating_sub(started) });
    recorded().steps.push(step);
    result
}
