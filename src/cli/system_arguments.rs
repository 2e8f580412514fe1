//! What may be typed after the verbs of the engine itself.

use clap::Args;

/// `version` and `info`
#[derive(Args, Debug)]
pub struct FormatArguments {
    /// A Go template or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
}

/// `script`
#[derive(Args, Debug)]
pub struct ScriptArguments {
    /// The script, `-` for standard input, and what its `args()` returns
    #[arg(value_names = ["FILE", "ARGS"], required = true, trailing_var_arg = true,
          allow_hyphen_values = true)]
    pub file_and_arguments: Vec<String>,
}
