//! Errors between engine and script: a [`model::Error`](crate::model::Error) becomes the map that
//! `catch (e)` receives, and a map becomes an error again for its report.
//!
//! A map, not a type, because Rhai's own errors are maps: `e.message` works for both, and a script
//! can throw the same shape itself.

use rhai::{Dynamic, EvalAltResult, INT, Map, NativeCallContext, Position};

use crate::model::Error;
use crate::script::docs::current_name;

/// The result of a native function. Rhai's definitions hide a type of this name.
pub type RhaiResultOf<T> = std::result::Result<T, Box<EvalAltResult>>;

/// Why a script ends although nothing failed. Carried by `ErrorTerminated`, which no `catch` sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `exit(n)`.
    Exit(u8),
    /// Ctrl-C.
    Interrupted,
    /// The output cannot be written: its reader is gone, or its disk is full.
    Closed,
    /// The time limit was reached.
    TimedOut,
}

impl Ending {
    /// Returns an error that ends the script at `position`.
    pub fn at(self, position: Position) -> Box<EvalAltResult> {
        EvalAltResult::ErrorTerminated(Dynamic::from(self), position).into()
    }
}

/// Converts an error to one thrown at `position` by `verb`.
pub fn throw(
    error: &Error,
    verb: &str,
    source: Option<&str>,
    position: Position,
) -> Box<EvalAltResult> {
    let mut map = to_map(error);
    map.insert("verb".into(), verb.into());
    map.insert("position".into(), place(source, position).into());
    EvalAltResult::ErrorRuntime(map.into(), position).into()
}

/// Converts an error to one thrown by the current function, at the place of its call.
pub fn throw_by(ctx: &NativeCallContext, error: &Error) -> Box<EvalAltResult> {
    throw(error, called(ctx), ctx.call_source(), ctx.call_position())
}

/// Returns the name of the called function or property: the current one if a script calls it by a
/// deprecated name.
pub fn called<'a>(ctx: &'a NativeCallContext<'_>) -> &'a str {
    current_name(ctx.fn_name().trim_start_matches("get$").trim_start_matches("set$"))
}

/// Returns `line`, `column` and `source` of a position.
fn place(source: Option<&str>, position: Position) -> Map {
    let number =
        |n: Option<usize>| n.and_then(|n| INT::try_from(n).ok()).map_or(().into(), Dynamic::from);
    let mut map = Map::new();
    map.insert("line".into(), number(position.line()));
    map.insert("column".into(), number(position.position()));
    map.insert("source".into(), source.unwrap_or_default().into());
    map
}

/// Returns the fields of an error. Absence is `()`.
pub fn to_map(error: &Error) -> Map {
    let text = |text: Option<&str>| text.map_or(Dynamic::UNIT, |text| text.to_owned().into());
    let causes: Vec<Dynamic> = error.causes().iter().map(|cause| cause.clone().into()).collect();
    let mut map = Map::new();
    map.insert("kind".into(), error.kind().as_str().into());
    map.insert("message".into(), error.message().into());
    map.insert("hint".into(), text(error.hint_text()));
    map.insert("causes".into(), causes.into());
    map.insert("container".into(), text(error.container_name()));
    map.insert("status".into(), text(error.status()));
    map
}

/// Returns the innermost error, below the calls and imports that it passed through.
pub fn innermost(error: &EvalAltResult) -> &EvalAltResult {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _)
        | EvalAltResult::ErrorInModule(_, inner, _) => innermost(inner),
        leaf => leaf,
    }
}
