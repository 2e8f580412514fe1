//! The options of `trace` and `diagram`.

use rhai::Map;

use super::parsed::ParsedOptions;
use crate::model::Result;
use crate::model::value::option_spec::{OptionSpec, ValueType, option_spec};
use crate::script::values;

/// The options of `trace`.
pub const TRACE_KEYS: &[OptionSpec] =
    &[option_spec("step", ValueType::Flag, "Stop before each step and wait for Enter")];

/// The options of `diagram`.
pub const DIAGRAM_KEYS: &[OptionSpec] = &[
    option_spec("ascii", ValueType::Flag, "Draw with ASCII characters only"),
    option_spec("svg", ValueType::Text, "Write an SVG image to this file"),
];

/// The options of `diagram`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagram {
    /// Whether to draw with ASCII characters only; by default as the terminal requires.
    pub ascii: Option<bool>,
    /// The file to write an SVG image to.
    pub svg: Option<String>,
}

/// Reads the options of `trace`: whether to stop before each step.
pub fn trace(map: Map) -> Result<bool> {
    ParsedOptions::new("trace", TRACE_KEYS, map)?.flag("step")
}

/// Reads the options of `diagram`.
pub fn diagram(map: Map) -> Result<Diagram> {
    let given = ParsedOptions::new("diagram", DIAGRAM_KEYS, map)?;
    let ascii = given.get("ascii", |value| value.as_bool().ok())?;
    Ok(Diagram { ascii, svg: given.get("svg", values::text)? })
}
