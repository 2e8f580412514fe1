//! Converts between script values and plain ones: text, numbers, durations, times, JSON.

mod convert;
pub(super) mod event;
pub(super) mod exec_result;
pub(super) mod format;
pub(super) mod handle;
pub(super) mod log_line;
pub(super) mod nesting;
pub(super) mod noun;

pub use self::convert::{
    command, duration, expression, from_json, int, moment, parameter, quoted, scalar, signal,
    strings, text, time, type_of,
};
