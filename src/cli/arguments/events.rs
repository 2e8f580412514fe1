//! The arguments of `events`: Docker's flags.

use clap::Args;

use super::format::filter;

/// The arguments of `events`.
#[derive(Args, Debug)]
pub struct EventsArguments {
    /// Show all events created since timestamp, or a time ago such as 10m
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Stream events until this timestamp; 0s is now
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Filter output: container, event, image, label, scope, type, volume
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = filter)]
    pub filter: Vec<String>,
    /// Format output using a Go template, or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
}
