//! Small values with a text form: ids, accounts, names, digests, references, platforms, signals,
//! sizes and
//! durations; and expressions of the language as data.

pub mod account;
pub mod bom;
pub mod capability;
pub mod digest;
pub mod env;
pub mod expression;
pub mod health_check;
pub mod id;
pub(super) mod json;
pub mod language;
pub mod list;
pub mod name;
pub(super) mod name_words;
pub mod option_spec;
pub mod platform;
pub mod port;
pub mod reference;
pub mod shell;
pub mod signal;
pub mod suggest;
pub mod units;
pub mod visible;
