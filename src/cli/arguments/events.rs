//! What may be typed after `events`: Docker's flags.

use clap::Args;

/// `events`
#[derive(Args, Debug)]
pub struct EventsArguments {
    /// Show also what happened from this time on: a time stamp, or how long ago, such as 10m
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// End at this time; 0s is now
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only some: container, event, image, label, type, volume
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// A Go template or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
}
