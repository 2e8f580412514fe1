//! The flag `--format` of verbs that have no other.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

/// The arguments of `version` and `info`.
#[derive(Args, Debug)]
pub struct FormatArguments {
    /// Format output using a Go template, or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
}

/// Returns the reader of a path that may be empty, which Docker takes for none.
pub fn maybe_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Reads a value of `--filter`, which Docker's client refuses without `=`; an empty one is none.
pub fn filter(text: &str) -> Result<String, &'static str> {
    match text.is_empty() || text.contains('=') {
        true => Ok(text.to_owned()),
        false => Err("bad format of filter (expected name=value)"),
    }
}
