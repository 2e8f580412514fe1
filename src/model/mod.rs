//! What things are: ids, names, references, options, specs, status, log lines, units, errors.
//!
//! Pure data and rules. Nothing here reads a file, asks the kernel or prints, so every rule can
//! be tested as a value. Imports nothing of ours.

pub mod anatomy;
pub mod asked;
pub mod build;
pub mod capability;
pub mod case;
pub mod chronicle;
pub mod container;
pub mod deed;
pub mod digest;
pub mod ending;
pub mod error;
pub mod event;
pub mod exec;
pub mod expression;
pub mod health;
pub mod history;
pub mod id;
pub mod image;
pub mod image_filter;
pub mod inspect;
pub mod language;
pub mod log;
pub mod merge;
pub mod mounts;
pub mod name;
mod names;
pub mod nearest;
pub mod options;
pub mod platform;
pub mod progress;
pub mod reference;
pub mod report;
pub mod resources;
pub mod security;
pub mod sharing;
pub mod shell;
pub mod sign;
pub mod signal;
pub mod stats;
pub mod status;
pub mod storage;
pub mod system;
pub mod top;
pub mod units;
pub mod upkeep;
pub mod usage;
pub mod volume;

pub use error::{Error, Kind, Result};
