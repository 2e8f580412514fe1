//! Options of what shows how a container works.

use rhai::Map;

use super::parsed::ParsedOptions;
use crate::model::Result;
use crate::model::value::option_spec::{OptionSpec, ValueType, option_spec};
use crate::script::values;

/// Of `trace`.
pub const TRACE_KEYS: &[OptionSpec] =
    &[option_spec("step", ValueType::Flag, "Stop before each step and wait for Enter")];

/// Of `diagram`.
pub const DIAGRAM_KEYS: &[OptionSpec] = &[
    option_spec("ascii", ValueType::Flag, "Draw with ASCII characters only"),
    option_spec("svg", ValueType::Text, "Write an SVG image to this file"),
];

/// How a diagram is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagram {
    /// In ASCII alone; as the terminal says where unset.
    pub ascii: Option<bool>,
    /// As SVG, to this file.
    pub svg: Option<String>,
}

/// Whether a trace goes step by step.
pub fn trace(map: Map) -> Result<bool> {
    ParsedOptions::new("trace", TRACE_KEYS, map)?.flag("step")
}

/// How a diagram is to be drawn.
pub fn diagram(map: Map) -> Result<Diagram> {
    let given = ParsedOptions::new("diagram", DIAGRAM_KEYS, map)?;
    let ascii = given.get("ascii", |value| value.as_bool().ok())?;
    Ok(Diagram { ascii, svg: given.get("svg", values::text)? })
}
