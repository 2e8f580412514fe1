//! What this process does for a verb, noted with its times while somebody wants to know.
//!
//! Off, a deed costs the look at one flag. On, a front notes its own deeds, and monitors that it
//! asks send theirs along with the reply (`protocol::Reply::Deeds`). With a watcher each deed is
//! told before it is done, and waits until the watcher returns.

pub(super) mod operation;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::script::trace::{Deed, Span, Who};
use crate::runtime::trace::operation::Act;
use crate::sys;

/// Who is told of each deed before it is done, and holds it up until it returns.
pub type Watcher = Arc<dyn Fn(&Deed) + Send + Sync>;

static ON: AtomicBool = AtomicBool::new(false);
static NOTED: Mutex<Noted> = Mutex::new(Noted { deeds: Vec::new(), watcher: None });

struct Noted {
    deeds: Vec<Deed>,
    watcher: Option<Watcher>,
}

fn noted() -> MutexGuard<'static, Noted> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
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
    is_on() && noted().watcher.is_some()
}

/// Notes deeds from here on.
pub fn begin(watcher: Option<Watcher>) {
    *noted() = Noted { deeds: Vec::new(), watcher };
    ON.store(true, Ordering::Relaxed);
}

/// What was noted since [`begin`] or the last call of this.
pub fn take() -> Vec<Deed> {
    std::mem::take(&mut noted().deeds)
}

/// Notes nothing more, and returns what was noted.
pub fn end() -> Vec<Deed> {
    ON.store(false, Ordering::Relaxed);
    let mut noted = noted();
    noted.watcher = None;
    std::mem::take(&mut noted.deeds)
}

/// Adds deeds that another process has done.
pub fn add(deeds: Vec<Deed>) {
    if is_on() {
        noted().deeds.extend(deeds);
    }
}

/// Adds a deed in the place of the last one, if that is the same.
pub fn replace(deed: Deed) {
    let mut noted = noted();
    let same = |last: &Deed| last.key == deed.key && last.facts == deed.facts;
    if noted.deeds.last().is_some_and(same) {
        noted.deeds.pop();
    }
    noted.deeds.push(deed);
}

/// Tells the watcher of a deed that is about to be done.
pub fn before(deed: &Deed) {
    let watcher = noted().watcher.clone();
    if let Some(watcher) = watcher {
        watcher(deed);
    }
}

/// Notes a deed that began then and is done now.
pub fn note(who: Who, act: impl FnOnce() -> Act, begun: u64) {
    if is_on() {
        let mut deed = act().told(who);
        deed.span = Some(Span { begun, took: now().saturating_sub(begun) });
        noted().deeds.push(deed);
    }
}

/// Does `work`, and notes it as this deed.
pub fn deed<T>(who: Who, act: impl FnOnce() -> Act, work: impl FnOnce() -> T) -> T {
    if !is_on() {
        return work();
    }
    let mut deed = act().told(who);
    before(&deed);
    let begun = now();
    let result = work();
    deed.span = Some(Span { begun, took: now().saturating_sub(begun) });
    noted().deeds.push(deed);
    result
}
