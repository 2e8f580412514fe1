//! Scopes: the cleanups to run when a part of a script ends, however it ends.

use super::callback::StoredClosure;
use crate::script::values::handle::Container;
use rhai::{FnPtr, NativeCallContext};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A part of a script with cleanups. The whole script is a scope too.
#[derive(Debug)]
pub struct Scope {
    /// The cleanups, in the order of registration.
    cleanups: Mutex<Vec<Cleanup>>,
    parent: Option<Arc<Scope>>,
    /// Whether containers created inside are removed at its end; the scope of the whole script does
    /// not own them.
    owns: bool,
}

/// A cleanup.
#[derive(Debug)]
pub enum Cleanup {
    /// Remove this container.
    Remove(Container),
    /// Call this closure.
    Call(Box<StoredClosure>),
}

impl Scope {
    /// Creates the scope of the whole script.
    pub fn script() -> Arc<Self> {
        Arc::new(Scope { cleanups: Mutex::default(), parent: None, owns: false })
    }

    /// Creates a scope inside `outer`.
    pub fn inside(outer: Option<Arc<Scope>>) -> Arc<Self> {
        Arc::new(Scope { cleanups: Mutex::default(), parent: outer, owns: true })
    }

    /// Creates a scope without parent, for the undo of a call that did not complete.
    pub fn detached() -> Self {
        Scope { cleanups: Mutex::default(), parent: None, owns: false }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Cleanup>> {
        self.cleanups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the scopes from this one outwards.
    fn chain(&self) -> impl Iterator<Item = &Scope> {
        std::iter::successors(Some(self), |scope| scope.parent.as_deref())
    }

    /// Returns whether this scope or one around it owns the containers created in it.
    pub fn owns(&self) -> bool {
        self.chain().any(|scope| scope.owns)
    }

    /// Registers a container that was created in the scope.
    pub fn adopt(&self, container: &Container) {
        if let Some(owner) = self.chain().find(|scope| scope.owns) {
            owner.lock().push(Cleanup::Remove(container.clone()));
        }
    }

    /// Releases a container from this scope and all around it. Returns false if no scope
    /// owns it.
    pub fn release(&self, container: &Container) -> bool {
        let mut found = false;
        for scope in self.chain() {
            scope.lock().retain(|cleanup| {
                let same = matches!(cleanup, Cleanup::Remove(c) if c.id() == container.id());
                found |= same;
                !same
            });
        }
        found
    }

    /// Registers a closure to call at the end.
    pub fn defer(&self, ctx: &NativeCallContext, function: FnPtr) {
        self.lock().push(Cleanup::Call(Box::new(StoredClosure::new(ctx, function))));
    }

    /// Returns whether there are no cleanups.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Takes the next cleanup, the latest first.
    pub fn pop(&self) -> Option<Cleanup> {
        self.lock().pop()
    }
}
