//! An option of the language: its name, its values and its sentence.

use super::list::list_or;
use crate::model::{Error, Kind};

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// A string.
    Text,
    /// A string or a number, such as the name or the number of a user.
    TextOrNumber,
    /// `true` or `false`.
    Flag,
    /// A whole number, not negative.
    UInt,
    /// A whole number of any sign.
    Int,
    /// A number of seconds or `"500ms"`.
    Duration,
    /// A number of bytes or `"512m"`.
    Size,
    /// A number, whole or not.
    Number,
    /// A duration, or -1 for no limit.
    StopTimeout,
    /// How long ago, or a date.
    Time,
    /// A signal's name or number.
    Signal,
    /// An array of strings, or a string that is split into words.
    Command,
    /// A map, or an array of `"KEY=VALUE"`.
    Pairs,
    /// One string or an array of them.
    StringList,
    /// An array of Docker's texts for mounts, or a map of their halves.
    Mounts,
    /// A word, `"container:NAME"` or a Container.
    NamespaceMode,
    /// A command for a shell, an array of words, a map, or false.
    Health,
    /// An array of conditions.
    Conditions,
    /// Handles or names.
    Handles,
    /// A status, or a number.
    State,
    /// A map of filters.
    Filter,
    /// A reference or an Image.
    Image,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl ValueType {
    /// Names the type, for messages and help.
    pub fn describe(self) -> String {
        match self {
            ValueType::Text => "a string".to_owned(),
            ValueType::TextOrNumber => "a string or a number".to_owned(),
            ValueType::Flag => "true or false".to_owned(),
            ValueType::UInt => "a whole number from 0".to_owned(),
            ValueType::Int => "a whole number".to_owned(),
            ValueType::Size => "bytes, or a size such as \"64k\", \"512m\", \"1.5g\"".to_owned(),
            ValueType::Number => "a number".to_owned(),
            ValueType::Duration => {
                "seconds, or a duration such as \"500ms\", \"10s\", \"2m\"".to_owned()
            }
            ValueType::StopTimeout => {
                "seconds, or a duration such as \"10s\"; -1 for no limit".to_owned()
            }
            ValueType::Time => "how long ago, such as \"10m\", or a date".to_owned(),
            ValueType::Signal => "a signal such as \"TERM\" or 15".to_owned(),
            ValueType::Command => "an array of strings, or a string of words".to_owned(),
            ValueType::Pairs => "a map, or an array of \"KEY=VALUE\"".to_owned(),
            ValueType::StringList => "a string or an array of strings".to_owned(),
            ValueType::Mounts => "an array such as [\"/srv:/data:ro\"], or a map".to_owned(),
            ValueType::NamespaceMode => "a string such as \"host\", or a Container".to_owned(),
            ValueType::Conditions => "an array of conditions".to_owned(),
            ValueType::Handles => "a handle, a name or an array of them".to_owned(),
            ValueType::State => {
                "a state such as \"running\"; with `http` a number such as 200".to_owned()
            }
            ValueType::Health => "a command, a map, or false".to_owned(),
            ValueType::Filter => {
                "a map such as #{ container: c, event: [\"die\", \"oom\"] }".to_owned()
            }
            ValueType::Image => "a reference or an Image".to_owned(),
            ValueType::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                list_or(&words.iter().map(String::as_str).collect::<Vec<_>>())
            }
        }
    }

    /// Returns the error for a value of another type.
    pub fn mismatch(self, got: &str) -> Error {
        Error::new(Kind::Invalid, format!("expected {}, got {got}", self.describe()))
    }
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// The key in scripts.
    pub name: &'static str,
    /// The type of the value.
    pub value_type: ValueType,
    /// What the option does: one sentence without a full stop, Docker's where the option is.
    pub about: &'static str,
}

/// Returns a row of a table.
pub const fn option_spec(
    name: &'static str,
    value_type: ValueType,
    about: &'static str,
) -> OptionSpec {
    OptionSpec { name, value_type, about }
}
