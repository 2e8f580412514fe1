//! `test`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `test`
#[derive(Args, Debug)]
pub struct TestArguments {
    /// Scripts, and directories with scripts that are called NAME_test.rhai
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Only tests whose names have this in them
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// How the results are written; with tap and junit, what scripts print goes to standard error
    #[arg(long, value_enum, default_value_t)]
    pub format: Form,
    /// End each script after so long
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
}

/// How the results of tests are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people
    #[default]
    Plain,
    /// TAP version 14
    Tap,
    /// JUnit's XML, at the end
    Junit,
}
