//! Throws errors of the engine in scripts: at the call that failed, unless a handler or an ending
//! is why it failed.

use rhai::{EvalAltResult, NativeCallContext, Position};

use super::script_context::ScriptContext;
use super::thread;
use super::thrown::{Ending, RhaiResultOf, throw, throw_by};
use crate::model::{Error, Kind, Result};
use crate::ui;

/// The error, as thrown by the function that is being called.
pub fn raise(ctx: &NativeCallContext, error: &Error) -> Box<EvalAltResult> {
    if let Some(thrown) = of_handler(error) {
        return thrown;
    }
    if error.kind() == Kind::Cancelled
        && ScriptContext::of(ctx).is_ok_and(|stage| stage.cancel().is_cancelled())
    {
        return Ending::Interrupted.at(ctx.call_position());
    }
    // A refusal teaches, in the language of the reader.
    let told = error.refused_verb().and_then(|_| ScriptContext::of(ctx).ok());
    let told = told.map(|stage| ui::error::localized(error.clone(), stage.host().reader.language));
    let error = told.as_ref().unwrap_or(error);
    throw_by(ctx, error)
}

/// What a handler has thrown, where that is why a call was cancelled.
fn of_handler(error: &Error) -> Option<Box<EvalAltResult>> {
    if error.kind() == Kind::Cancelled { thread::take_pending() } else { None }
}

/// The error, as thrown in a `for` loop over what `verb` has given, which has no place of its own.
pub fn in_loop(error: &Error, verb: &str) -> Box<EvalAltResult> {
    if let Some(thrown) = of_handler(error) {
        return thrown;
    }
    if error.kind() == Kind::Cancelled {
        return Ending::Interrupted.at(Position::NONE);
    }
    throw(error, verb, None, Position::NONE)
}

/// A model result that can be thrown by the function that is being called.
pub trait OrRaise<T> {
    /// The value, or the error as the script sees it.
    ///
    /// # Errors
    /// The error of the result.
    fn or_raise(self, ctx: &NativeCallContext) -> RhaiResultOf<T>;
}

impl<T> OrRaise<T> for Result<T> {
    fn or_raise(self, ctx: &NativeCallContext) -> RhaiResultOf<T> {
        self.map_err(|error| raise(ctx, &error))
    }
}
