//! Puts in order what a part of a script leaves when it ends, in whatever way it ends.

use rhai::{Dynamic, Engine, EvalAltResult};

use crate::model::container::options::RemoveOptions;
use crate::model::{Kind, Result};
use crate::script::context::scope::{Cleanup, Scope};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thread;
use crate::script::context::thrown::{RhaiResultOf, innermost, throw};
use crate::script::errors::words::in_a_line;
use crate::script::values::handle::Container;

/// Puts all in order, the latest first. `ended` is how the part ended: its own error goes
/// before one of the cleanup.
///
/// Ctrl-C that ended the part does not end this; a second one does, and the end of the time of
/// cleanups. What is left then is the keeper's.
pub fn end(
    scope: &Scope,
    engine: &Engine,
    stage: &ScriptContext,
    ended: RhaiResultOf<Dynamic>,
) -> RhaiResultOf<Dynamic> {
    if scope.is_empty() {
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
    let failed = thread::in_cleanup(fresh, || run_cleanups(scope, engine, stage));
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
fn run_cleanups(
    scope: &Scope,
    engine: &Engine,
    stage: &ScriptContext,
) -> Option<Box<EvalAltResult>> {
    let mut first = None;
    loop {
        // One after the other, for a cleanup may add to the list.
        let Some(cleanup) = scope.pop() else { return first };
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
        stage.eprint(&format!("warning: while tidying up: {}", in_a_line(error)));
    }
}
