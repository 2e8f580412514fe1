//! Scopes: what is to be put in order when a part of a script ends, in whatever way it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext};

use super::callback::Deferred;
use super::script_context::Stage;
use super::thread;
use super::thrown::{RhaiResultOf, innermost, throw};
use crate::model::{Kind, Result};
use crate::script::errors::explain;
use crate::script::values::handle::Container;

/// A part of a script. The whole script is one as well.
#[derive(Debug)]
pub struct Scope {
    /// In the order in which it came.
    last: Mutex<Vec<Cleanup>>,
    around: Option<Arc<Scope>>,
    /// Whether the containers made inside go with it: those of the whole script do not.
    owns: bool,
}

/// What to do at the end.
#[derive(Debug)]
enum Cleanup {
    /// Remove it.
    Remove(Container),
    /// Call it.
    Call(Box<Deferred>),
}

impl Scope {
    /// The whole script.
    pub fn script() -> Arc<Self> {
        Arc::new(Scope { last: Mutex::default(), around: None, owns: false })
    }

    /// A part of what this thread is in.
    pub fn part() -> Arc<Self> {
        Arc::new(Scope { last: Mutex::default(), around: thread::scope(), owns: true })
    }

    /// Nothing of its own: a place for the way back of what did not come to its end.
    pub fn back() -> Self {
        Scope { last: Mutex::default(), around: None, owns: false }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Cleanup>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The scopes from this one outwards.
    fn chain(&self) -> impl Iterator<Item = &Scope> {
        std::iter::successors(Some(self), |scope| scope.around.as_deref())
    }

    /// Whether containers that are made in it go with it or with one around it.
    pub fn owns(&self) -> bool {
        self.chain().any(|scope| scope.owns)
    }

    /// A container was made in it.
    pub fn made(&self, container: &Container) {
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
        self.lock().push(Cleanup::Call(Box::new(Deferred::new(ctx, function))));
    }

    /// Puts all in order, the latest first. `ended` is how the part ended: its own error goes
    /// before one of the cleanup.
    ///
    /// Ctrl-C that ended the part does not end this; a second one does, and the end of the time of
    /// cleanups. What is left then is the keeper's.
    pub fn end(
        &self,
        engine: &Engine,
        stage: &Stage,
        ended: RhaiResultOf<Dynamic>,
    ) -> RhaiResultOf<Dynamic> {
        if self.lock().is_empty() {
            return ended;
        }
        let fresh = match thread::is_raised() {
            // A part that runs beside others has been told to end; it still tidies up.
            Some(true) => stage.cleanup_flag(),
            Some(false) => None,
            None => {
                stage.note_interrupt();
                None
            }
        };
        let failed = thread::tidying(fresh, || self.tidy(engine, stage));
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
    fn tidy(&self, engine: &Engine, stage: &Stage) -> Option<Box<EvalAltResult>> {
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

fn remove(stage: &Stage, container: &Container) -> Result<()> {
    stage.looks(container.id());
    match stage.backend().rm_with_volumes(container.id(), true, &stage.cancel()) {
        Err(error) if error.kind() != Kind::NotFound => return Err(error),
        _ => {}
    }
    stage.owner()?.loses();
    Ok(())
}

/// Tells of an error that is not thrown, for another one is. An ending needs no words.
fn warn(stage: &Stage, error: &EvalAltResult) {
    let error = innermost(error);
    if !matches!(error, EvalAltResult::ErrorTerminated(..)) {
        stage.eprint(&format!("warning: while tidying up: {}", explain::in_a_line(error)));
    }
}
