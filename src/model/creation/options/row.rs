//! A row of the table of options: what all faces of an option need to know.

use std::num::ParseIntError;

use crate::model::container::options::CreateOptions;
use crate::model::value::expression::Expression;
use crate::model::value::option_spec::{OptionSpec, ValueType};
use crate::model::{Error, Kind, Result};

/// An option of `create`, `run` and `update`.
#[derive(Clone, Copy, Debug)]
pub struct CreateOption {
    /// The key in scripts. `None` for a flag whose option has another form in scripts.
    pub key: Option<&'static str>,
    /// The flag of the command line.
    pub flag: Option<Flag>,
    /// The type of the value.
    pub value_type: ValueType,
    /// What the option does: one sentence without a full stop, Docker's where the flag is Docker's.
    pub about: &'static str,
    /// Whether `update` takes the option.
    pub live: bool,
    /// Whether `build` takes the option too, for the containers of `RUN`.
    pub building: bool,
    /// Whether a script that runs with `--untrusted` may set the option.
    pub trust: Trust,
    /// Returns the value, if it is not the default.
    pub get: fn(&CreateOptions) -> Option<Expression>,
    /// Sets a value. Lists grow by it, all others are replaced. The error does not name the
    /// option: the caller knows whether it is a flag or a key.
    pub set: fn(&mut CreateOptions, &Expression) -> Result<()>,
}

/// A flag of the command line.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// The name, without `--`.
    pub long: &'static str,
    /// The letter, without `-`.
    pub short: Option<char>,
    /// Another name.
    pub alias: Option<&'static str>,
    /// What help calls the value; empty for a flag without one.
    pub value_name: &'static str,
}

/// Whether a script that is not trusted may set an option.
#[derive(Clone, Copy, Debug)]
pub enum Trust {
    /// The option gives no way out of the container.
    Any,
    /// No value is allowed.
    Denied,
    /// These values are denied.
    DeniedIf(fn(&CreateOptions) -> bool),
}

type Get = fn(&CreateOptions) -> Option<Expression>;
type Set = fn(&mut CreateOptions, &Expression) -> Result<()>;

impl CreateOption {
    pub(super) const fn new(
        key: &'static str,
        value_type: ValueType,
        trust: Trust,
        about: &'static str,
        get: Get,
        set: Set,
    ) -> Self {
        CreateOption {
            key: Some(key),
            flag: None,
            value_type,
            about,
            live: false,
            building: false,
            trust,
            get,
            set,
        }
    }

    /// Returns a row for a flag whose option has another form in scripts.
    pub(super) const fn flag_only(
        long: &'static str,
        value_name: &'static str,
        value_type: ValueType,
        about: &'static str,
        get: Get,
        set: Set,
    ) -> Self {
        let option = CreateOption::new("", value_type, Trust::Any, about, get, set);
        CreateOption { key: None, ..option.flag(long, value_name) }
    }

    pub(super) const fn flag(self, long: &'static str, value_name: &'static str) -> Self {
        let flag = Flag { long, short: None, alias: None, value_name };
        CreateOption { flag: Some(flag), ..self }
    }

    pub(super) const fn switch(self, long: &'static str) -> Self {
        self.flag(long, "")
    }

    pub(super) const fn short(mut self, letter: char) -> Self {
        if let Some(flag) = &mut self.flag {
            flag.short = Some(letter);
        }
        self
    }

    pub(super) const fn alias(mut self, name: &'static str) -> Self {
        if let Some(flag) = &mut self.flag {
            flag.alias = Some(name);
        }
        self
    }

    pub(super) const fn building(self) -> Self {
        CreateOption { building: true, ..self }
    }

    pub(super) const fn live(self) -> Self {
        CreateOption { live: true, ..self }
    }

    /// Returns the row as an option of a function; `None` for a flag alone.
    pub fn spec(&self) -> Option<OptionSpec> {
        let name = self.key?;
        Some(OptionSpec { name, value_type: self.value_type, about: self.about })
    }

    /// Returns whether `options` set this option to a value that `--untrusted` denies.
    pub fn is_denied(&self, options: &CreateOptions) -> bool {
        match self.trust {
            Trust::Any => false,
            Trust::Denied => (self.get)(options).is_some(),
            Trust::DeniedIf(denied) => denied(options),
        }
    }

    /// Reads the value of a flag and sets it.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with flag and value, in Docker's form; [`Kind::Unsupported`] for values
    /// that only Docker has.
    pub fn set_flag(&self, options: &mut CreateOptions, word: &str) -> Result<()> {
        let value = value_of_flag(self.value_type, word);
        value.and_then(|value| (self.set)(options, &value)).map_err(|error| match self.flag {
            Some(flag) if !flag.value_name.is_empty() && error.kind() == Kind::Invalid => {
                error.about(format_args!("invalid argument {word:?} for \"{flag}\" flag"))
            }
            _ => error,
        })
    }
}

impl std::fmt::Display for Flag {
    /// Writes the flag as Docker's errors do: `-m, --memory`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.short {
            Some(letter) => write!(f, "-{letter}, --{}", self.long),
            None => write!(f, "--{}", self.long),
        }
    }
}

fn not_whole(error: &ParseIntError) -> Error {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    let message = match error.kind() {
        PosOverflow | NegOverflow => "the number is out of range",
        _ => "expected a whole number",
    };
    Error::new(Kind::Invalid, message).hint("write a whole number, such as 10")
}

/// Converts the word after a flag into the value that a script would give.
fn value_of_flag(value_type: ValueType, word: &str) -> Result<Expression> {
    Ok(match value_type {
        ValueType::Flag => Expression::Flag(true),
        // A flag's word is one word, where a string in a script is split. An empty one resets.
        ValueType::Command => Expression::list(Some(word).filter(|word| !word.is_empty())),
        ValueType::Int | ValueType::UInt | ValueType::StopTimeout => {
            Expression::Number(word.parse().map_err(|error| not_whole(&error))?)
        }
        ValueType::Text
        | ValueType::TextOrNumber
        | ValueType::Duration
        | ValueType::Size
        | ValueType::Number
        | ValueType::Time
        | ValueType::Signal
        | ValueType::Pairs
        | ValueType::StringList
        | ValueType::Mounts
        | ValueType::NamespaceMode
        | ValueType::Health
        | ValueType::Conditions
        | ValueType::Handles
        | ValueType::State
        | ValueType::Filter
        | ValueType::Image
        | ValueType::OneOf(_) => Expression::text(word),
    })
}
