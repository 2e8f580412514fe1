//! The verbs that explain containers.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// A verb that explains containers.
#[derive(Debug, Subcommand)]
pub enum TeachVerb {
    /// Explain what a verb would do to a container, or what a container or image is
    Explain(ExplainArguments),
    /// Explain why a container is in its state
    Why(WhyArguments),
    /// Draw the life cycle, and the state of a container in it
    Diagram(DiagramArguments),
    /// Show the resources that a container uses and used in each of its states
    Resources(ResourcesArguments),
    /// Print the docker commands that create the same container
    Docker(DockerArguments),
    /// Translate a docker command to the script language, without running it
    FromDocker(FromDockerArguments),
}

/// The arguments of `explain`.
#[derive(Args, Debug)]
pub struct ExplainArguments {
    /// `start web`: what the verb would do; `web`: a container or an image; `web /etc`: the layers
    /// that have this path
    #[arg(value_names = ["VERB", "NAME"], num_args = 1..=2, required = true)]
    pub words: Vec<String>,
}

/// The arguments of `why`.
#[derive(Args, Debug)]
pub struct WhyArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

/// The arguments of `diagram`.
#[derive(Args, Debug)]
pub struct DiagramArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: Option<String>,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// Write an SVG image to the file
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// The arguments of `resources`.
#[derive(Args, Debug)]
pub struct ResourcesArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    /// Measure a running container for this time
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub time: String,
}

/// The arguments of `docker`.
#[derive(Args, Debug)]
pub struct DockerArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

/// The arguments of `from-docker`.
#[derive(Args, Debug)]
pub struct FromDockerArguments {
    /// Command, such as docker run -d nginx; a single word with spaces is split as a shell does
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub words: Vec<String>,
}
