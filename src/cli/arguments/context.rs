//! The verbs after `context`. lifebox has one engine, so there is one context, as Docker shows it.

use clap::{Args, Subcommand};

/// A verb of the context.
#[derive(Debug, Subcommand)]
pub enum ContextVerb {
    /// List contexts
    #[command(visible_alias = "list")]
    Ls(ListContextsArguments),
    /// Display detailed information on one or more contexts, as JSON
    Inspect(InspectContextsArguments),
    /// Print the name of the current context
    Show,
    /// Set the current context: only `default`
    Use(UseContextArguments),
}

/// The arguments of `context ls`.
#[derive(Args, Debug)]
pub struct ListContextsArguments {
    /// Format output using a Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Only show context names
    #[arg(short, long)]
    pub quiet: bool,
}

/// The arguments of `context inspect`.
#[derive(Args, Debug)]
pub struct InspectContextsArguments {
    /// Format output using a Go template, or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Names of contexts (default the current one)
    #[arg(value_name = "CONTEXT")]
    pub names: Vec<String>,
}

/// The arguments of `context use`.
#[derive(Args, Debug)]
pub struct UseContextArguments {
    /// The context
    #[arg(value_name = "CONTEXT")]
    pub name: String,
}
