//! What differs from thread to thread of one script: which flag ends its calls, and which scope
//! what it makes belongs to. A thread without anything of its own does as the script says.

use std::cell::RefCell;
use std::sync::Arc;

use rhai::EvalAltResult;

use super::scope::Scope;
use crate::engine::CancelToken;

thread_local! {
    static THREAD: RefCell<ThreadContext> = const { RefCell::new(ThreadContext { cancel: None, scope: None, tidying: false }) };
    /// What a handler has thrown, on its way to the call that waited.
    static PENDING: RefCell<Option<Box<EvalAltResult>>> = const { RefCell::new(None) };
}

/// The surroundings of one thread.
#[derive(Clone, Debug)]
struct ThreadContext {
    cancel: Option<CancelToken>,
    scope: Option<Arc<Scope>>,
    /// Whether it tidies up: then an ending that is under way does not end it.
    tidying: bool,
}

/// Puts the surroundings back as they were, also after a panic.
struct RestoreGuard(Option<ThreadContext>);

impl Drop for RestoreGuard {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            THREAD.set(before);
        }
    }
}

/// Changes the surroundings for as long as `work` lasts.
fn with<T>(change: impl FnOnce(&mut ThreadContext), work: impl FnOnce() -> T) -> T {
    let before = THREAD.with_borrow(ThreadContext::clone);
    let mut now = before.clone();
    change(&mut now);
    let _back = RestoreGuard(Some(before));
    THREAD.set(now);
    work()
}

/// The flag that ends the calls of this thread, where it has one of its own.
pub fn cancel() -> Option<CancelToken> {
    THREAD.with_borrow(|here| here.cancel.clone())
}

/// The innermost scope of this thread.
pub fn scope() -> Option<Arc<Scope>> {
    THREAD.with_borrow(|here| here.scope.clone())
}

/// Whether this thread tidies up.
pub fn is_in_cleanup() -> bool {
    THREAD.with_borrow(|here| here.tidying)
}

/// Whether the flag of this thread is raised; `None` where it has none of its own.
pub fn is_cancelled() -> Option<bool> {
    THREAD.with_borrow(|here| here.cancel.as_ref().map(CancelToken::is_cancelled))
}

/// Does `work` inside of a scope.
pub fn in_scope<T>(scope: Arc<Scope>, work: impl FnOnce() -> T) -> T {
    with(|here| here.scope = Some(scope), work)
}

/// Does `work` on a thread of its own within a scope: `cancel` ends it. It may be a part of tidying
/// up.
pub fn on_thread<T>(
    cancel: CancelToken,
    scope: Option<Arc<Scope>>,
    tidying: bool,
    work: impl FnOnce() -> T,
) -> T {
    with(|here| *here = ThreadContext { cancel: Some(cancel), scope, tidying }, work)
}

/// Tidies up: `cancel` ends it, where given, and nothing that ended the script before.
pub fn in_cleanup<T>(cancel: Option<CancelToken>, work: impl FnOnce() -> T) -> T {
    let change = |here: &mut ThreadContext| {
        here.tidying = true;
        here.cancel = cancel.or(here.cancel.take());
    };
    with(change, work)
}

/// Keeps what a handler has thrown, for the call that waited to throw it.
pub fn set_pending(error: Box<EvalAltResult>) {
    PENDING.set(Some(error));
}

/// Takes what a handler has thrown, if that is why a call was cancelled.
pub fn take_pending() -> Option<Box<EvalAltResult>> {
    PENDING.take()
}
