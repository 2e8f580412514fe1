//! The flag `--format` of verbs that have no other.

use clap::Args;

/// The arguments of `version` and `info`.
#[derive(Args, Debug)]
pub struct FormatArguments {
    /// Format output using a Go template, or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
}
