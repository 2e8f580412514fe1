//! A container as Docker commands that create the same one.

mod commands;
mod flags;

use crate::model::container::phase::StopRecord;
pub use commands::{commands, line, words};
pub use flags::log_options;
