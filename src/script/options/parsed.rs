//! A map of options with checked keys, and the readers of its values.

use jiff::Timestamp;
use rhai::{Dynamic, Map};

use super::convert::pairs;
use crate::model::value::option_spec::OptionSpec;
use crate::model::value::suggest::suggest;
use crate::model::{Error, Kind, Result};
use crate::script::values;

/// Options that the language has and this version does not support yet.
const NOT_YET: &[&str] = &["ports"];

/// A map of options whose keys are in the table of the function.
#[derive(Debug)]
pub struct ParsedOptions<'a> {
    function: &'a str,
    known: Vec<OptionSpec>,
    map: Map,
}

impl<'a> ParsedOptions<'a> {
    /// Checks the keys of `map` against those of `function`. An option with the value `()` counts
    /// as absent.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a key that is not in the table.
    pub fn new(function: &'a str, known: impl Into<Vec<OptionSpec>>, mut map: Map) -> Result<Self> {
        let known = known.into();
        for given in map.keys() {
            if !known.iter().any(|key| key.name == given.as_str()) {
                return Err(unknown(function, given, &known));
            }
        }
        map.retain(|_, value| !value.is_unit());
        for value in map.values_mut() {
            *value = std::mem::take(value).flatten();
        }
        Ok(ParsedOptions { function, known, map })
    }

    /// Returns the value of an option, read by `read`; an error names function, option and type.
    pub(super) fn get<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Dynamic) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.map.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.type_error(name, value))
    }

    /// As [`Self::get`], for a reader that returns its own error.
    pub(super) fn get_with<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Dynamic) -> Result<T>,
    ) -> Result<Option<T>> {
        self.map
            .get(name)
            .map(read)
            .transpose()
            .map_err(|error| error.about(format_args!("{}(): option `{name}`", self.function)))
    }

    /// Returns the value of a flag; false if it is absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.get(name, |value| value.as_bool().ok())?.unwrap_or(false))
    }

    /// Returns the earlier of `before` and `until`.
    pub(super) fn end_time(&self) -> Result<Option<Timestamp>> {
        let now = Timestamp::now();
        let read = |name| self.get_with(name, |value| values::moment(value, now));
        Ok([read("before")?, read("until")?].into_iter().flatten().min())
    }

    /// Returns a whole number from 0.
    pub(super) fn count(&self, name: &str) -> Result<Option<u64>> {
        self.get(name, |value| u64::try_from(value.as_int().ok()?).ok())
    }

    /// Returns the words of a command.
    pub(super) fn command(&self, name: &str) -> Result<Option<Vec<String>>> {
        self.get_with(name, values::command)
    }

    /// Returns the labels, each as `key` or `key=value`.
    pub(super) fn labels(&self) -> Result<Vec<String>> {
        let labels = self.get("label", pairs)?.unwrap_or_default();
        let text = |(key, value): (String, String)| match value.is_empty() {
            true => key,
            false => format!("{key}={value}"),
        };
        Ok(labels.into_iter().map(text).collect())
    }

    /// Returns whether the option has a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// Returns the map.
    pub(super) fn into_map(self) -> Map {
        self.map
    }

    fn type_error(&self, name: &str, value: &Dynamic) -> Error {
        let takes = self.known.iter().find(|key| key.name == name);
        let wanted = takes.map(|key| key.value_type.describe()).unwrap_or_default();
        let given = match values::scalar(value) {
            Some(text) if value.is_string() => format!("\"{text}\""),
            Some(text) => text,
            None => values::type_of(value).to_owned(),
        };
        let message =
            format!("{}(): option `{name}`: expected {wanted}, got {given}", self.function);
        Error::new(Kind::Invalid, message)
    }
}

/// Returns the error for a key that is not in the table, with the nearest one.
fn unknown(function: &str, given: &str, known: &[OptionSpec]) -> Error {
    let see = format!("see help(\"{function}\")");
    if NOT_YET.contains(&given) {
        let message = format!("{function}(): option `{given}` is not supported yet");
        return Error::new(Kind::Unsupported, message).hint(see);
    }
    let hint = match suggest(given, known.iter().map(|key| key.name)) {
        Some(near) => format!("did you mean `{near}`? {see}"),
        None => see,
    };
    Error::new(Kind::Invalid, format!("{function}(): no option `{given}`")).hint(hint)
}
