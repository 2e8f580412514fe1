//! The flag `--format` of verbs that have no other.

use clap::Args;

/// The arguments of `version` and `info`.
#[derive(Args, Debug)]
pub struct FormatArguments {
    /// Format output using a Go template, or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
}

/// Reads a value of `--filter`, which Docker's client refuses without `=`.
pub fn filter(text: &str) -> Result<String, &'static str> {
    match text.contains('=') {
        true => Ok(text.to_owned()),
        false => Err("bad format of filter (expected name=value)"),
    }
}
