//! The arguments of the verbs of scripts: `script`, `check` and `docs`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The arguments of `check`.
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// Scripts to check; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Format of the findings
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckForm,
    /// Fail on warnings too
    #[arg(long)]
    pub strict: bool,
}

/// A format of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckForm {
    /// Each finding with its line of the script
    #[default]
    Plain,
    /// One line for each finding, as compilers do
    Short,
    /// JSON
    Json,
}

/// The arguments of `docs`.
#[derive(Args, Debug)]
pub struct DocsArguments {
    /// Format of the reference: for people, programs or editors
    #[arg(long, value_enum, default_value_t)]
    pub format: DocsForm,
}

/// A format of the reference.
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

/// The arguments of `script`.
#[derive(Args, Debug)]
pub struct ScriptArguments {
    /// The limits within which the script runs.
    #[command(flatten)]
    pub sandbox_flags: SandboxFlags,
    /// Script to run, `-` for standard input, and the arguments that `args()` returns
    #[arg(value_names = ["FILE", "ARGS"], required = true, trailing_var_arg = true,
          allow_hyphen_values = true)]
    pub file_and_arguments: Vec<String>,
}

/// The limits of a script: flags of `script`, and of `lifebox` before a script.
#[derive(Args, Debug, Default, PartialEq, Eq)]
pub struct SandboxFlags {
    /// Print what the script would do, in order, without doing it
    #[arg(long)]
    pub dry_run: bool,
    /// Write an HTML report of the script and its containers to the file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Stop the script after this time with exit code 124; cleanups get a minute more
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// Stop the script after this number of operations of the language
    #[arg(long, value_name = "N")]
    pub max_ops: Option<u64>,
    /// Stop the script with exit code 137 if it needs more memory
    #[arg(long, value_name = "SIZE")]
    pub max_memory: Option<String>,
    /// Confine the script to its folder and its own containers, volumes and tags, without
    /// registries, your environment or the host's files; limit it to 5m (10s more for cleanups),
    /// 100 million operations and 256m. It can read all images, and sees name, status, image and
    /// times of other containers. Its containers use processors, memory, processes and disk
    /// without limit. For a script of a stranger use --isolated
    #[arg(long)]
    pub untrusted: bool,
    /// Run the script as with --untrusted, in an empty store of its own that is removed at the end:
    /// recommended for scripts of strangers
    #[arg(long)]
    pub isolated: bool,
}

impl SandboxFlags {
    /// Returns whether the script is not trusted.
    pub fn is_untrusted(&self) -> bool {
        self.untrusted || self.isolated
    }

    /// Returns the first of these flags that is set.
    pub fn flag(&self) -> Option<&'static str> {
        let flags = [
            ("--dry-run", self.dry_run),
            ("--report", self.report.is_some()),
            ("--untrusted", self.untrusted),
            ("--isolated", self.isolated),
            ("--timeout", self.timeout.is_some()),
            ("--max-ops", self.max_ops.is_some()),
            ("--max-memory", self.max_memory.is_some()),
        ];
        flags.into_iter().find(|(_, is_set)| *is_set).map(|(flag, _)| flag)
    }
}
