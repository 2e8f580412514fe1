//! An option of a function: its name, its values and its sentence.

pub use crate::model::value::value_type::ValueType;

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub value_type: ValueType,
    /// What it does, in a few words.
    pub about: &'static str,
}

/// One row of a table.
pub(super) const fn option_spec(
    name: &'static str,
    value_type: ValueType,
    about: &'static str,
) -> OptionSpec {
    OptionSpec { name, value_type, about }
}
