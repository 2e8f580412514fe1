//! The arguments of `test`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The arguments of `test`.
#[derive(Args, Debug)]
pub struct TestArguments {
    /// Scripts, or directories with scripts named NAME_test.rhai
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Run only tests whose names contain this text
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Format of the results; tap and junit move the output of scripts to standard error
    #[arg(long, value_enum, default_value_t)]
    pub format: Form,
    /// Stop each script after this time
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
}

/// A format of test results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people
    #[default]
    Plain,
    /// TAP version 14
    Tap,
    /// JUnit XML, written at the end
    Junit,
}
