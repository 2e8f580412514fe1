//! Scopes: what is to be put in order when a part of a script ends, in whatever way it ends.

use super::callback::StoredClosure;
use crate::script::values::handle::Container;
use rhai::{FnPtr, NativeCallContext};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A part of a script. The whole script is one as well.
#[derive(Debug)]
pub struct Scope {
    /// In the order in which it came.
    cleanups: Mutex<Vec<Cleanup>>,
    parent: Option<Arc<Scope>>,
    /// Whether the containers made inside go with it: those of the whole script do not.
    owns: bool,
}

/// What to do at the end.
#[derive(Debug)]
pub enum Cleanup {
    /// Remove it.
    Remove(Container),
    /// Call it.
    Call(Box<StoredClosure>),
}

impl Scope {
    /// The whole script.
    pub fn script() -> Arc<Self> {
        Arc::new(Scope { cleanups: Mutex::default(), parent: None, owns: false })
    }

    /// A part of `outer`.
    pub fn inside(outer: Option<Arc<Scope>>) -> Arc<Self> {
        Arc::new(Scope { cleanups: Mutex::default(), parent: outer, owns: true })
    }

    /// Nothing of its own: a place for the way back of what did not come to its end.
    pub fn detached() -> Self {
        Scope { cleanups: Mutex::default(), parent: None, owns: false }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Cleanup>> {
        self.cleanups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The scopes from this one outwards.
    fn chain(&self) -> impl Iterator<Item = &Scope> {
        std::iter::successors(Some(self), |scope| scope.parent.as_deref())
    }

    /// Whether containers that are made in it go with it or with one around it.
    pub fn owns(&self) -> bool {
        self.chain().any(|scope| scope.owns)
    }

    /// A container was made in it.
    pub fn adopt(&self, container: &Container) {
        if let Some(owner) = self.chain().find(|scope| scope.owns) {
            owner.lock().push(Cleanup::Remove(container.clone()));
        }
    }

    /// Takes a container out of it and of all around it. False where none of them owns it.
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

    /// A closure is to be called at its end.
    pub fn defer(&self, ctx: &NativeCallContext, function: FnPtr) {
        self.lock().push(Cleanup::Call(Box::new(StoredClosure::new(ctx, function))));
    }

    /// Whether nothing is to be put in order.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Takes what is to be done next: the latest first.
    pub fn pop(&self) -> Option<Cleanup> {
        self.lock().pop()
    }
}
