//! The options of `update`.

use rhai::Map;

use super::create::apply;
use super::parsed::ParsedOptions;
use super::table::keys;
use crate::model::Result;
use crate::model::container::Changes;
use crate::model::container::options::CreateOptions;
use crate::model::creation::options::create_options;

/// Reads the options of `update`.
pub fn update(map: Map) -> Result<Changes> {
    let given = ParsedOptions::new("update", keys("update"), map)?;
    let mut options = CreateOptions::default();
    create_options().filter(|row| row.live).try_for_each(|row| apply(row, &given, &mut options))?;
    let restart = given.has("restart").then_some(options.supervision.restart);
    Ok(Changes { resources: options.resources, restart })
}
