//! What things are: ids, names, references, options, specs, status, log lines, units, errors.
//!
//! Pure data and rules. Nothing here reads a file, asks the kernel or prints, so every rule can
//! be tested as a value. Imports nothing of ours.

pub mod container;
pub mod creation;
pub mod error;
pub mod image;
pub mod inspect;
pub mod observe;
pub mod script;
pub mod value;

pub use error::{Error, Kind, Result};
