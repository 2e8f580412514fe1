//! The one error of lifebox, and the masking of credentials in its texts.

pub(crate) mod credentials;
mod value;

pub use value::{Context, Error, Kind, Result};
