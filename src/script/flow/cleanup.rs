//! Runs the cleanups of a scope when it ends, however it ends.

use rhai::{Dynamic, Engine, EvalAltResult};

use crate::model::container::options::RemoveOptions;
use crate::model::{Kind, Result};
use crate::script::context::scope::{Cleanup, Scope};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thread;
use crate::script::context::thrown::{RhaiResultOf, innermost, throw};
use crate::script::errors::words::in_a_line;
use crate::script::values::handle::Container;

/// Runs all cleanups of a scope, the latest first. `ended` is the result of the scope: its own
/// error takes precedence over errors of cleanups.
///
/// The Ctrl-C that ended the scope does not end its cleanups. A second one does, as does the time
/// limit of cleanups; the resource reaper then removes the rest.
pub fn end(
    scope: &Scope,
    engine: &Engine,
    context: &ScriptContext,
    ended: RhaiResultOf<Dynamic>,
) -> RhaiResultOf<Dynamic> {
    if scope.is_empty() {
        return ended;
    }
    let token = match thread::is_cancelled() {
        // A cancelled part of `parallel` still runs its cleanups.
        Some(true) => context.new_cleanup_token(),
        Some(false) => None,
        None => {
            context.begin_cleanup();
            None
        }
    };
    let failed = thread::in_cleanup(token, || run_cleanups(scope, engine, context));
    match (ended, failed) {
        (Ok(value), None) => Ok(value),
        (Ok(_), Some(error)) => Err(error),
        (Err(error), None) => Err(error),
        (Err(error), Some(second)) => {
            warn(context, &second);
            Err(error)
        }
    }
}

/// Runs the cleanups and returns the first failure, if there was one.
fn run_cleanups(
    scope: &Scope,
    engine: &Engine,
    context: &ScriptContext,
) -> Option<Box<EvalAltResult>> {
    let mut first = None;
    loop {
        // One after the other, because a cleanup may add to the list.
        let Some(cleanup) = scope.pop() else { return first };
        if let Some(ending) = context.ending() {
            return Some(first.unwrap_or_else(|| ending.at(rhai::Position::NONE)));
        }
        let done = match cleanup {
            Cleanup::Call(deferred) => deferred.call(engine),
            Cleanup::Remove(container) => remove(context, &container)
                .map_err(|error| throw(&error, "scope", None, rhai::Position::NONE)),
        };
        if let Err(error) = done {
            match &first {
                None => first = Some(error),
                Some(_) => warn(context, &error),
            }
        }
    }
}

fn remove(context: &ScriptContext, container: &Container) -> Result<()> {
    context.refresh(container.id());
    let all = RemoveOptions { force: true, volumes: true };
    match context.backend().rm(container.id(), &all, &context.cancel()) {
        Err(error) if error.kind() != Kind::NotFound => return Err(error),
        _ => {}
    }
    context.session()?.removed();
    Ok(())
}

/// Warns of an error that is not thrown because another one is. The end of the script needs no
/// warning.
fn warn(context: &ScriptContext, error: &EvalAltResult) {
    let error = innermost(error);
    if !matches!(error, EvalAltResult::ErrorTerminated(..)) {
        context.eprint(&format!("warning: cleanup failed: {}", in_a_line(error)));
    }
}
