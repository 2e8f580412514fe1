//! What this process does for a verb, noted with its times while somebody wants to know.
//!
//! Off, a deed costs the look at one flag. On, a front notes its own deeds, and monitors that it
//! asks send theirs along with the reply (`protocol::Reply::TraceSteps`). With a watcher each deed is
//! told before it is done, and waits until the watcher returns.

pub(super) mod operation;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::script::trace::{ProcessRole, Span, TraceStep};
use crate::runtime::trace::operation::Operation;
use crate::sys;

/// Who is told of each deed before it is done, and holds it up until it returns.
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

/// Nanoseconds on the clock of deeds.
pub fn now() -> u64 {
    sys::clock::monotonic()
}

/// Whether deeds are noted.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Whether somebody watches each deed.
pub fn is_watched() -> bool {
    is_on() && recorded().watcher.is_some()
}

/// Notes deeds from here on.
pub fn begin(watcher: Option<Watcher>) {
    *recorded() = Recorded { steps: Vec::new(), watcher };
    ON.store(true, Ordering::Relaxed);
}

/// What was noted since [`begin`] or the last call of this.
pub fn take() -> Vec<TraceStep> {
    std::mem::take(&mut recorded().steps)
}

/// Notes nothing more, and returns what was noted.
pub fn end() -> Vec<TraceStep> {
    ON.store(false, Ordering::Relaxed);
    let mut noted = recorded();
    noted.watcher = None;
    std::mem::take(&mut noted.steps)
}

/// Adds deeds that another process has done.
pub fn add(deeds: Vec<TraceStep>) {
    if is_on() {
        recorded().steps.extend(deeds);
    }
}

/// Adds a deed in the place of the last one, if that is the same.
pub fn replace(deed: TraceStep) {
    let mut noted = recorded();
    let same = |last: &TraceStep| last.key == deed.key && last.fields == deed.fields;
    if noted.steps.last().is_some_and(same) {
        noted.steps.pop();
    }
    noted.steps.push(deed);
}

/// Tells the watcher of a deed that is about to be done.
pub fn before(deed: &TraceStep) {
    let watcher = recorded().watcher.clone();
    if let Some(watcher) = watcher {
        watcher(deed);
    }
}

/// Notes a deed that began then and is done now.
pub fn record(who: ProcessRole, act: impl FnOnce() -> Operation, begun: u64) {
    if is_on() {
        let mut deed = act().describe(who);
        deed.span = Some(Span { start: begun, duration: now().saturating_sub(begun) });
        recorded().steps.push(deed);
    }
}

/// Does `work`, and notes it as this deed.
pub fn traced<T>(who: ProcessRole, act: impl FnOnce() -> Operation, work: impl FnOnce() -> T) -> T {
    if !is_on() {
        return work();
    }
    let mut deed = act().describe(who);
    before(&deed);
    let begun = now();
    let result = work();
    deed.span = Some(Span { start: begun, duration: now().saturating_sub(begun) });
    recorded().steps.push(deed);
    result
}
