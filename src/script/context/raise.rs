//! Throws errors of the engine in scripts, at the call that failed. If a handler's error or the end
//! of the script is the cause, that is thrown instead.

use rhai::{EvalAltResult, NativeCallContext, Position};

use super::script_context::ScriptContext;
use super::thread;
use super::thrown::{Ending, RhaiResultOf, throw, throw_by};
use crate::model::{Error, Kind, Result};
use crate::ui;

/// Converts an error to one thrown by the current function.
pub fn raise(ctx: &NativeCallContext, error: &Error) -> Box<EvalAltResult> {
    if let Some(thrown) = of_handler(error) {
        return thrown;
    }
    if error.kind() == Kind::Cancelled
        && ScriptContext::of(ctx).is_ok_and(|context| context.cancel().is_cancelled())
    {
        return Ending::Interrupted.at(ctx.call_position());
    }
    // A refusal explains itself in the language of the reader.
    let localized_error = error.refused_verb().and_then(|_| ScriptContext::of(ctx).ok());
    let localized_error = localized_error
        .map(|context| ui::error::localized(error.clone(), context.host().reader.language));
    let error = localized_error.as_ref().unwrap_or(error);
    throw_by(ctx, error)
}

/// Returns the error of a handler, if that is why the call was cancelled.
fn of_handler(error: &Error) -> Option<Box<EvalAltResult>> {
    if error.kind() == Kind::Cancelled { thread::take_pending() } else { None }
}

/// Converts an error to one thrown in a `for` loop over a stream of `verb`, which has no position.
pub fn in_loop(error: &Error, verb: &str) -> Box<EvalAltResult> {
    if let Some(thrown) = of_handler(error) {
        return thrown;
    }
    if error.kind() == Kind::Cancelled {
        return Ending::Interrupted.at(Position::NONE);
    }
    throw(error, verb, None, Position::NONE)
}

/// A result of the model that the current function can throw.
pub trait OrRaise<T> {
    /// Returns the value, or throws the error.
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
