//! What `catch (e)` gives for an error of the language itself. Rhai makes a map of its own of it,
//! with the way through its calls in the message; a script is to meet one shape of errors only.
//!
//! Rhai has no hook where it catches, but asks before each use of a variable: the map is put right
//! when it is first used.

use rhai::{Dynamic, EvalContext, INT, Map, Scope};

use super::explain::{self, NameScope};
use super::rhai_text;
use crate::model::{Error, Kind};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::to_map;

/// Puts the variable `name` right where it holds an error as Rhai tells it.
pub fn normalize(
    name: &str,
    context: &mut EvalContext<'_, '_, '_, '_, '_, '_>,
    stage: &ScriptContext,
) {
    let Some(map) = context.scope_mut().get_mut(name).and_then(|value| from_rhai(value)) else {
        return;
    };
    let told = RhaiErrorMap::read(&map);
    let text = stage.sources().text(&told.source).unwrap_or_else(|| "".into());
    let scope = Scope::new();
    let known = NameScope {
        engine: context.engine(),
        library: stage.library(),
        scope: &scope,
        text: &text,
    };
    let words = explain::from_rhai_text(&told.message, &known);
    let mut error = Error::new(Kind::Invalid, words.message);
    if let Some(hint) = words.hint {
        error = error.hint(hint);
    }
    let mut right = to_map(&error);
    right.insert("verb".into(), Dynamic::UNIT);
    right.insert("position".into(), told.place().into());
    if let Some(mut value) = context.scope_mut().get_mut(name).and_then(Dynamic::write_lock::<Map>)
    {
        *value = right;
    }
}

/// A map that Rhai has made of an error: it names its own type of error, and no kind.
fn from_rhai(value: &Dynamic) -> Option<Map> {
    let map = value.read_lock::<Map>()?;
    let is_error = map.get("error")?.as_immutable_string_ref().is_ok_and(|error| {
        error.starts_with("Error") && error.chars().all(|c| c.is_ascii_alphabetic())
    });
    let whole = is_error && map.contains_key("message") && !map.contains_key("kind");
    whole.then(|| map.clone())
}

/// What Rhai's map says.
#[derive(Debug, PartialEq, Eq)]
struct RhaiErrorMap {
    message: String,
    source: String,
    line: Option<INT>,
    column: Option<INT>,
}

impl RhaiErrorMap {
    fn read(map: &Map) -> RhaiErrorMap {
        let text = |key: &str| map.get(key).map(ToString::to_string).unwrap_or_default();
        let number = |key: &str| map.get(key).and_then(|value| value.as_int().ok());
        let (message, source) = (text("message"), text("source"));
        let own = |message, source| RhaiErrorMap {
            message,
            source,
            line: number("line"),
            column: number("position"),
        };
        // Rhai's own fields are those of the last call.
        let Some(told) = rhai_text::innermost(&message) else { return own(message, source) };
        let source = told.source.map_or(source, str::to_owned);
        match told.place {
            Some((line, column)) => {
                RhaiErrorMap { message: told.message.to_owned(), source, line, column }
            }
            None => own(told.message.to_owned(), source),
        }
    }

    fn place(&self) -> Map {
        let number = |n: Option<INT>| n.map_or(Dynamic::UNIT, Dynamic::from);
        let mut map = Map::new();
        map.insert("line".into(), number(self.line));
        map.insert("column".into(), number(self.column));
        map.insert("source".into(), self.source.clone().into());
        map
    }
}
