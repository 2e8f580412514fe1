//! The options of `create`, `run` and `ensure_running`, from the one table of options.

use rhai::{Dynamic, Map};

use super::convert::complete_env;
use super::parsed::ParsedOptions;
use super::table::keys;
use crate::model::Result;
use crate::model::container::options::CreateOptions;
use crate::model::creation::options::{CreateOption, create_options};
use crate::script::values;

/// How to create a container, and whether to attach to it.
#[derive(Debug, Default)]
pub struct Create {
    /// The options for the engine.
    pub options: CreateOptions,
    /// Stay attached until the container exits.
    pub attach: bool,
    /// Connect the caller's standard input.
    pub interactive: bool,
}

/// Reads the options of `create`, `run` and `ensure_running`.
pub fn create(function: &str, mut map: Map) -> Result<Create> {
    if let Some(env) = map.get_mut("env") {
        complete_env(env);
    }
    let given = ParsedOptions::new(function, keys(function), map)?;
    let mut options = CreateOptions::default();
    create_options().try_for_each(|row| apply(row, &given, &mut options))?;
    let interactive = given.flag("interactive")?;
    options.interactive |= interactive;
    Ok(Create { options, attach: given.flag("attach")? || interactive, interactive })
}

/// Returns the row of an option of `create`, `run`, `ensure_running` or `update`.
pub fn create_option(function: &str, key: &str) -> Option<&'static CreateOption> {
    let takes = matches!(function, "create" | "run" | "ensure_running" | "update");
    create_options().find(|row| takes && row.key == Some(key))
}

/// Applies the value of one row, if there is one.
pub(super) fn apply(
    row: &CreateOption,
    given: &ParsedOptions<'_>,
    options: &mut CreateOptions,
) -> Result<()> {
    let Some(key) = row.key else { return Ok(()) };
    let set = |value: &Dynamic| (row.set)(options, &values::expression(value, row.value_type));
    given.get_with(key, set).map(drop)
}
