//! What differs from thread to thread of one script: which flag ends its calls, and which scope
//! what it makes belongs to. A thread without anything of its own does as the script says.

use std::cell::RefCell;
use std::sync::Arc;

use super::scope::Scope;
use crate::engine::Cancel;

thread_local! {
    static HERE: RefCell<Here> = const { RefCell::new(Here { cancel: None, scope: None, tidying: false }) };
}

/// The surroundings of one thread.
#[derive(Clone, Debug)]
struct Here {
    cancel: Option<Cancel>,
    scope: Option<Arc<Scope>>,
    /// Whether it tidies up: then an ending that is under way does not end it.
    tidying: bool,
}

/// Puts the surroundings back as they were, also after a panic.
struct Back(Option<Here>);

impl Drop for Back {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            HERE.set(before);
        }
    }
}

/// Changes the surroundings for as long as `work` lasts.
fn with<T>(change: impl FnOnce(&mut Here), work: impl FnOnce() -> T) -> T {
    let before = HERE.with_borrow(Here::clone);
    let mut now = before.clone();
    change(&mut now);
    let _back = Back(Some(before));
    HERE.set(now);
    work()
}

/// The flag that ends the calls of this thread, where it has one of its own.
pub fn cancel() -> Option<Cancel> {
    HERE.with_borrow(|here| here.cancel.clone())
}

/// The innermost scope of this thread.
pub fn scope() -> Option<Arc<Scope>> {
    HERE.with_borrow(|here| here.scope.clone())
}

/// Whether this thread tidies up.
pub fn is_tidying() -> bool {
    HERE.with_borrow(|here| here.tidying)
}

/// Whether the flag of this thread is raised; `None` where it has none of its own.
pub fn is_raised() -> Option<bool> {
    HERE.with_borrow(|here| here.cancel.as_ref().map(Cancel::is_raised))
}

/// Does `work` inside of a scope.
pub fn in_scope<T>(scope: Arc<Scope>, work: impl FnOnce() -> T) -> T {
    with(|here| here.scope = Some(scope), work)
}

/// Does `work` on a thread of its own within a scope: `cancel` ends it. It may be a part of tidying
/// up.
pub fn apart<T>(
    cancel: Cancel,
    scope: Option<Arc<Scope>>,
    tidying: bool,
    work: impl FnOnce() -> T,
) -> T {
    with(|here| *here = Here { cancel: Some(cancel), scope, tidying }, work)
}

/// Tidies up: `cancel` ends it, where given, and nothing that ended the script before.
pub fn tidying<T>(cancel: Option<Cancel>, work: impl FnOnce() -> T) -> T {
    let change = |here: &mut Here| {
        here.tidying = true;
        here.cancel = cancel.or(here.cancel.take());
    };
    with(change, work)
}
