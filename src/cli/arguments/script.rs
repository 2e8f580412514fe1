//! What may be typed after the verbs of scripts: `script`, `check` and `docs`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `check`
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// The scripts; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// How the findings are written
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckForm,
    /// Fail for warnings too
    #[arg(long)]
    pub strict: bool,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckForm {
    /// With their lines
    #[default]
    Plain,
    /// One line each, as compilers do
    Short,
    /// JSON
    Json,
}

/// `docs`
#[derive(Args, Debug)]
pub struct DocsArguments {
    /// For people, for programs, or for editors
    #[arg(long, value_enum, default_value_t)]
    pub format: DocsForm,
}

/// A form of the reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DocsForm {
    /// Markdown
    #[default]
    Markdown,
    /// JSON
    Json,
    /// Rhai's definition file
    #[value(name = "d.rhai")]
    Rhai,
}

/// `script`
#[derive(Args, Debug)]
pub struct ScriptArguments {
    /// Within what the script runs.
    #[command(flatten)]
    pub sandbox_flags: SandboxFlags,
    /// The script, `-` for standard input, and what its `args()` returns
    #[arg(value_names = ["FILE", "ARGS"], required = true, trailing_var_arg = true,
          allow_hyphen_values = true)]
    pub file_and_arguments: Vec<String>,
}

/// Within what a script runs: flags of `script`, and of `lifebox` before a script.
#[derive(Args, Debug, Default, PartialEq, Eq)]
pub struct SandboxFlags {
    /// Tell what the script would do, in order, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write what the script did, with all its containers, as a page of HTML to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// End the script after so long, with exit code 124; cleanups may take a minute more
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// End the script after so many operations of the language
    #[arg(long, value_name = "N")]
    pub max_ops: Option<u64>,
    /// End the script where it would use more memory, with exit code 137
    #[arg(long, value_name = "SIZE")]
    pub max_memory: Option<String>,
    /// Keep the script in its folder, to the containers that it makes, and from registries and your
    /// environment, let its containers see nothing of this machine, and limit its time (5m, 10s
    /// more for cleanups), operations (100 million) and memory (256m)
    #[arg(long)]
    pub untrusted: bool,
}

impl SandboxFlags {
    /// The first of these flags that is set.
    pub fn flag(&self) -> Option<&'static str> {
        let flags = [
            ("--dry-run", self.dry_run),
            ("--report", self.report.is_some()),
            ("--untrusted", self.untrusted),
            ("--timeout", self.timeout.is_some()),
            ("--max-ops", self.max_ops.is_some()),
            ("--max-memory", self.max_memory.is_some()),
        ];
        flags.into_iter().find(|(_, is_set)| *is_set).map(|(flag, _)| flag)
    }
}
