//! The table of options.

use super::row::CreateOption;
use super::{mounts, namespaces, program, resources, security, supervision};
use crate::model::container::options::CreateOptions;
use crate::model::value::expression::Expression;

/// The options of one concern.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The title in help.
    pub title: &'static str,
    /// The options, in the order of help.
    pub options: &'static [CreateOption],
}

/// All options, in groups.
pub const GROUPS: [Group; 6] = [
    Group { title: "Program", options: program::OPTIONS },
    Group { title: "Security", options: security::OPTIONS },
    Group { title: "Resources", options: resources::OPTIONS },
    Group { title: "Mounts", options: mounts::OPTIONS },
    Group { title: "Namespaces", options: namespaces::OPTIONS },
    Group { title: "Supervision", options: supervision::OPTIONS },
];

/// Returns all options. A flag is applied after those before it.
pub fn create_options() -> impl Iterator<Item = &'static CreateOption> {
    GROUPS.iter().flat_map(|group| group.options)
}

/// Returns the options of a script that create such a container, with their values.
pub fn write_options(options: &CreateOptions) -> Vec<(&'static str, Expression)> {
    let written = |row: &CreateOption| Some((row.key?, (row.get)(options)?));
    create_options().filter_map(written).collect()
}
