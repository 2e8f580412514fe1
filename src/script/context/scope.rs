//! Scopes: what is to be put in order when a part of a script ends, in whatever way it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext};

use super::callback::StoredClosure;
use super::script_context::ScriptContext;
use super::thread;
use super::thrown::{RhaiResultOf, innermost, throw};
use crate::model::container::options::RemoveOptions;
use crate::model::{Kind, Result};
use crate::script::errors::explain;
use crate::script::values::handle::Container;

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
enum Cleanup {
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

    /// A part of what this thread is in.
    pub fn child() -> Arc<Self> {
        Arc::new(Scope { cleanups: Mutex::default(), parent: thread::scope(), owns: true })
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

    /// Puts all in order, the latest first. `ended` is how the part ended: its own error goes
    /// before one of the cleanup.
    ///
    /// Ctrl-C that ended the part does not end this; a second one does, and the end of the time of
    /// cleanups. What is left then is the keeper's.
    pub fn end(
        &self,
        engine: &Engine,
        stage: &ScriptContext,
        ended: RhaiResultOf<Dynamic>,
    ) -> RhaiResultOf<Dynamic> {
        if self.lock().is_empty() {
            return ended;
        }
        let fresh = match thread::is_cancelled() {
            // A part that runs beside others has been told to end; it still tidies up.
            Some(true) => stage.cleanup_flag(),
            Some(false) => None,
            None => {
                stage.begin_cleanup();
                None
            }
        };
        let failed = thread::in_cleanup(fresh, || self.run_cleanups(engine, stage));
        match (ended, failed) {
            (Ok(value), None) => Ok(value),
            (Ok(_), Some(error)) => Err(error),
            (Err(error), None) => Err(error),
            (Err(error), Some(second)) => {
                warn(stage, &second);
                Err(error)
            }
        }
    }

    /// The first failure, if there was one.
    fn run_cleanups(&self, engine: &Engine, stage: &ScriptContext) -> Option<Box<EvalAltResult>> {
        let mut first = None;
        loop {
            // One after the other, for a cleanup may add to the list.
            let Some(cleanup) = self.lock().pop() else { return first };
            if let Some(ending) = stage.ending() {
                return Some(first.unwrap_or_else(|| ending.at(rhai::Position::NONE)));
            }
            let done = match cleanup {
                Cleanup::Call(deferred) => deferred.call(engine),
                Cleanup::Remove(container) => remove(stage, &container)
                    .map_err(|error| throw(&error, "scope", None, rhai::Position::NONE)),
            };
            if let Err(error) = done {
                match &first {
                    None => first = Some(error),
                    Some(_) => warn(stage, &error),
                }
            }
        }
    }
}

fn remove(stage: &ScriptContext, container: &Container) -> Result<()> {
    stage.refresh(container.id());
    let all = RemoveOptions { force: true, volumes: true };
    match stage.backend().rm(container.id(), &all, &stage.cancel()) {
        Err(error) if error.kind() != Kind::NotFound => return Err(error),
        _ => {}
    }
    stage.session()?.removed();
    Ok(())
}

/// Tells of an error that is not thrown, for another one is. An ending needs no words.
fn warn(stage: &ScriptContext, error: &EvalAltResult) {
    let error = innermost(error);
    if !matches!(error, EvalAltResult::ErrorTerminated(..)) {
        stage.eprint(&format!("warning: while tidying up: {}", explain::in_a_line(error)));
    }
}
