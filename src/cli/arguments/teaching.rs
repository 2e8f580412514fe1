//! Verbs that show what a container is.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// One of them.
#[derive(Debug, Subcommand)]
pub enum TeachVerb {
    /// Explain what a verb would do to a container, or what a container or image is
    Explain(ExplainArguments),
    /// Tell why a container is as it is
    Why(WhyArguments),
    /// Draw the life cycle, with the place of a container in it
    Diagram(DiagramArguments),
    /// Show what a container uses and has used, in each of its states
    Resources(ResourcesArguments),
    /// Write the commands of Docker that would make a container
    Docker(DockerArguments),
    /// Write a command of Docker in the language of scripts; nothing is done
    FromDocker(FromDockerArguments),
}

/// `explain`
#[derive(Args, Debug)]
pub struct ExplainArguments {
    /// `start web`: what the verb would do; `web`: a container or an image; `web /etc`: which layer
    /// has that path
    #[arg(value_names = ["VERB", "NAME"], num_args = 1..=2, required = true)]
    pub words: Vec<String>,
}

/// `why`
#[derive(Args, Debug)]
pub struct WhyArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

/// `diagram`
#[derive(Args, Debug)]
pub struct DiagramArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: Option<String>,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// Write a picture to this file
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// `resources`
#[derive(Args, Debug)]
pub struct ResourcesArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
    /// How long one that runs is watched
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub time: String,
}

/// `docker`
#[derive(Args, Debug)]
pub struct DockerArguments {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub container: String,
}

/// `from-docker`
#[derive(Args, Debug)]
pub struct FromDockerArguments {
    /// The command, such as docker run -d nginx; one word with spaces is taken apart as a shell does
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub words: Vec<String>,
}
