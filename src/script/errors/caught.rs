//! Normalizes errors of the language that a script catches. Rhai makes its own map of them, with
//! the call stack in the message; scripts should see one shape of errors only.
//!
//! Rhai has no hook for `catch`, but calls one before each use of a variable: the map is normalized
//! at its first use.

use rhai::{Dynamic, EvalContext, INT, Map, Scope};

use super::explain::{self, NameScope};
use super::rhai_text;
use crate::model::{Error, Kind};
use crate::script::bounded::text_of;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::to_map;

/// Normalizes the variable `name` if it holds an error map of Rhai.
pub fn normalize(
    name: &str,
    evaluation: &mut EvalContext<'_, '_, '_, '_, '_, '_>,
    context: &ScriptContext,
) {
    let Some(map) = evaluation.scope_mut().get_mut(name).and_then(|value| from_rhai(value)) else {
        return;
    };
    let fields = RhaiErrorMap::read(&map);
    let text = context.sources().text(&fields.source).unwrap_or_else(|| "".into());
    let scope = Scope::new();
    let known = NameScope {
        engine: evaluation.engine(),
        library: context.library(),
        scope: &scope,
        text: &text,
    };
    let words = explain::from_rhai_text(&fields.message, &known);
    let mut error = Error::new(Kind::Invalid, words.message);
    if let Some(hint) = words.hint {
        error = error.hint(hint);
    }
    let mut right = to_map(&error);
    right.insert("verb".into(), Dynamic::UNIT);
    right.insert("position".into(), fields.place().into());
    if let Some(mut value) =
        evaluation.scope_mut().get_mut(name).and_then(Dynamic::write_lock::<Map>)
    {
        *value = right;
    }
}

/// Returns the map if Rhai has made it of an error: it names Rhai's type of error, and no kind.
fn from_rhai(value: &Dynamic) -> Option<Map> {
    let map = value.read_lock::<Map>()?;
    let is_error = map.get("error")?.as_immutable_string_ref().is_ok_and(|error| {
        error.starts_with("Error") && error.chars().all(|c| c.is_ascii_alphabetic())
    });
    let whole = is_error && map.contains_key("message") && !map.contains_key("kind");
    whole.then(|| map.clone())
}

/// The fields of Rhai's error map.
#[derive(Debug, PartialEq, Eq)]
struct RhaiErrorMap {
    message: String,
    source: String,
    line: Option<INT>,
    column: Option<INT>,
}

impl RhaiErrorMap {
    fn read(map: &Map) -> RhaiErrorMap {
        let text = |key: &str| map.get(key).map(text_of).unwrap_or_default();
        let number = |key: &str| map.get(key).and_then(|value| value.as_int().ok());
        let (message, source) = (text("message"), text("source"));
        let own = |message, source| RhaiErrorMap {
            message,
            source,
            line: number("line"),
            column: number("position"),
        };
        // Rhai's own fields are those of the outermost call.
        let Some(fields) = rhai_text::innermost(&message) else { return own(message, source) };
        let source = fields.source.map_or(source, str::to_owned);
        match fields.place {
            Some((line, column)) => {
                RhaiErrorMap { message: fields.message.to_owned(), source, line, column }
            }
            None => own(fields.message.to_owned(), source),
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
