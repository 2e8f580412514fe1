//! The state of one thread of a script: the token that cancels its calls, and the scope that owns
//! its containers. A thread without its own state uses the script's.

use std::cell::RefCell;
use std::sync::Arc;

use rhai::EvalAltResult;

use super::scope::Scope;
use crate::engine::CancelToken;

thread_local! {
    static THREAD: RefCell<ThreadContext> = const { RefCell::new(ThreadContext { cancel: None, scope: None, in_cleanup: false }) };
    /// The error of a handler, until the waiting call throws it.
    static PENDING: RefCell<Option<Box<EvalAltResult>>> = const { RefCell::new(None) };
}

/// The state of one thread.
#[derive(Clone, Debug)]
struct ThreadContext {
    cancel: Option<CancelToken>,
    scope: Option<Arc<Scope>>,
    /// Whether it runs cleanups, which the end of the script does not interrupt.
    in_cleanup: bool,
}

/// Restores the previous state, also after a panic.
struct RestoreGuard(Option<ThreadContext>);

impl Drop for RestoreGuard {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            THREAD.set(before);
        }
    }
}

/// Changes the state for as long as `work` lasts.
fn with<T>(change: impl FnOnce(&mut ThreadContext), work: impl FnOnce() -> T) -> T {
    let before = THREAD.with_borrow(ThreadContext::clone);
    let mut now = before.clone();
    change(&mut now);
    let _back = RestoreGuard(Some(before));
    THREAD.set(now);
    work()
}

/// Returns the token that cancels calls of this thread, if it has its own.
pub fn cancel() -> Option<CancelToken> {
    THREAD.with_borrow(|state| state.cancel.clone())
}

/// Returns the innermost scope of this thread.
pub fn scope() -> Option<Arc<Scope>> {
    THREAD.with_borrow(|state| state.scope.clone())
}

/// Returns whether this thread runs cleanups.
pub fn is_in_cleanup() -> bool {
    THREAD.with_borrow(|state| state.in_cleanup)
}

/// Returns whether the token of this thread is cancelled; `None` if it has none.
pub fn is_cancelled() -> Option<bool> {
    THREAD.with_borrow(|state| state.cancel.as_ref().map(CancelToken::is_cancelled))
}

/// Runs `work` inside a scope.
pub fn in_scope<T>(scope: Arc<Scope>, work: impl FnOnce() -> T) -> T {
    with(|state| state.scope = Some(scope), work)
}

/// Runs `work` on another thread within a scope; `cancel` ends it. The work may be part of a
/// cleanup.
pub fn on_thread<T>(
    cancel: CancelToken,
    scope: Option<Arc<Scope>>,
    in_cleanup: bool,
    work: impl FnOnce() -> T,
) -> T {
    with(|state| *state = ThreadContext { cancel: Some(cancel), scope, in_cleanup }, work)
}

/// Runs cleanups: only `cancel`, if given, ends them. What ended the script does not.
pub fn in_cleanup<T>(cancel: Option<CancelToken>, work: impl FnOnce() -> T) -> T {
    let change = |state: &mut ThreadContext| {
        state.in_cleanup = true;
        state.cancel = cancel.or(state.cancel.take());
    };
    with(change, work)
}

/// Keeps the error of a handler for the waiting call to throw.
pub fn set_pending(error: Box<EvalAltResult>) {
    PENDING.set(Some(error));
}

/// Takes the error of a handler, if that is why a call was cancelled.
pub fn take_pending() -> Option<Box<EvalAltResult>> {
    PENDING.take()
}
