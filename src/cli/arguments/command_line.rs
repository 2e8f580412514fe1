//! The command line as a whole: the global flags and all verbs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::build::{BuildVerb, FilesVerb};
use super::container::{
    CreateArguments, InspectArguments, KillArguments, LogsArguments, Names, PsArguments,
    RenameArguments, RmArguments, RunArguments, StartArguments, StopArguments,
};
use super::events::EventsArguments;
use super::exec::ProcessVerb;
use super::format::FormatArguments;
use super::learn::LearnArguments;
use super::registry::{LoginArguments, LogoutArguments, PullArguments, PushArguments};
use super::resources::LimitVerb;
use super::script::{CheckArguments, DocsArguments, ScriptArguments};
use super::store::{
    HistoryArguments, ImagesArguments, LoadArguments, PruneContainersArguments,
    PruneImagesArguments, RmiArguments, SaveArguments, SystemVerb, TagArguments,
};
use super::teaching::TeachVerb;
use super::test::TestArguments;
use super::volume::VolumeVerb;

/// A scriptable container engine: one static binary, no daemon.
#[derive(Debug, Parser)]
#[command(
    name = "lifebox",
    version,
    disable_help_subcommand = true,
    after_help = "lifebox                          opens the REPL\n\
                  lifebox [script] FILE [ARGS]     runs a script; `-` reads standard input\n\
                  lifebox -e TEXT [ARGS]           runs a text; before it and before FILE the\n\
                  \x20                                flags of `script` count: --untrusted, ..."
)]
pub struct Arguments {
    /// The directory of images and containers.
    #[arg(long, value_name = "DIR", global = true)]
    pub root: Option<PathBuf>,
    /// How the root of a new container is made: overlay2, or vfs, a copy of its image
    #[arg(long, value_name = "NAME", global = true)]
    pub storage_driver: Option<String>,
    /// The language of explanations: en or ko; else as LC_ALL, LC_MESSAGES or LANG say
    #[arg(long, value_name = "LANG", global = true)]
    pub lang: Option<String>,
    /// Tell on standard error what was done, step by step; `=step` stops before each
    #[arg(long, value_name = "step", global = true, num_args = 0..=1, require_equals = true,
          default_missing_value = "", value_parser = ["", "step"])]
    pub trace: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// A verb.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// A verb of containers, without the word `container`.
    #[command(flatten)]
    Container(ContainerVerb),
    /// Containers: `container ls`, `container inspect`, ...
    #[command(subcommand, name = "container")]
    OfContainer(OfContainer),
    /// Images: `image ls`, `image inspect`, `image rm`, `image load`
    #[command(subcommand)]
    Image(ImageVerb),
    /// List images
    Images(ImagesArguments),
    /// Remove images
    Rmi(RmiArguments),
    /// Give an image a further name
    Tag(TagArguments),
    /// Show the steps by which an image was made
    History(HistoryArguments),
    /// The engine as a whole: `system df`, ...
    #[command(subcommand)]
    System(SystemVerb),
    /// Volumes: `volume create`, `volume ls`, ...
    #[command(subcommand)]
    Volume(VolumeVerb),
    /// Show what happens to containers, images and volumes
    Events(EventsArguments),
    /// Load images from an archive of `docker save` or skopeo
    Load(LoadArguments),
    /// A verb that makes images.
    #[command(flatten)]
    Build(BuildVerb),
    /// Save images to an archive that `docker load` and skopeo read
    Save(SaveArguments),
    /// Fetch an image from a registry
    Pull(PullArguments),
    /// Send an image to a registry
    Push(PushArguments),
    /// Log in to a registry
    Login(LoginArguments),
    /// Log out of a registry
    Logout(LogoutArguments),
    /// A verb that shows what a container is.
    #[command(flatten)]
    Teach(TeachVerb),
    /// Show the version
    Version(FormatArguments),
    /// Show what this engine and this host are
    Info(FormatArguments),
    /// Run a script
    Script(ScriptArguments),
    /// Learn what a container is: lessons at the prompt
    Learn(LearnArguments),
    /// Run the tests in scripts
    Test(TestArguments),
    /// Find mistakes in scripts without running them
    Check(CheckArguments),
    /// Write the reference of the language
    Docs(DocsArguments),
}

/// A verb of containers.
#[derive(Debug, Subcommand)]
pub enum ContainerVerb {
    /// Make a container from an image; nothing runs yet
    Create(CreateArguments),
    /// Make a container and run it
    Run(RunArguments),
    /// Run the programs of containers
    Start(StartArguments),
    /// Freeze containers
    Pause(Names),
    /// Thaw containers
    Unpause(Names),
    /// Ask containers to end, and kill them after a grace time
    Stop(StopArguments),
    /// Send a signal to containers
    Kill(KillArguments),
    /// Stop and start containers
    Restart(StopArguments),
    /// Remove containers
    #[command(visible_alias = "remove")]
    Rm(RmArguments),
    /// Wait until containers have ended, and print their exit codes
    Wait(Names),
    /// Give a container another name
    Rename(RenameArguments),
    /// List containers
    #[command(visible_aliases = ["ls", "list"])]
    Ps(PsArguments),
    /// Show what a container wrote
    Logs(LogsArguments),
    /// Show all about containers or images, as JSON
    Inspect(InspectArguments),
    /// A verb about what containers use and may use.
    #[command(flatten)]
    Limit(LimitVerb),
    /// A verb of a container's files.
    #[command(flatten)]
    Files(FilesVerb),
    /// A verb that gets into a container.
    #[command(flatten)]
    Process(ProcessVerb),
}

/// A verb of containers after the word `container`.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, made by the parser")]
pub enum OfContainer {
    /// One that needs no such word.
    #[command(flatten)]
    Plain(ContainerVerb),
    /// Remove containers that do not run
    Prune(PruneContainersArguments),
}

/// A verb of images.
#[derive(Debug, Subcommand)]
pub enum ImageVerb {
    /// List images
    #[command(visible_alias = "list")]
    Ls(ImagesArguments),
    /// Show all about images, as JSON
    Inspect(InspectArguments),
    /// Remove images
    #[command(visible_alias = "remove")]
    Rm(RmiArguments),
    /// Give an image a further name
    Tag(TagArguments),
    /// Show the steps by which an image was made
    History(HistoryArguments),
    /// Remove images that nobody needs
    Prune(PruneImagesArguments),
    /// Load images from an archive
    Load(LoadArguments),
    /// A verb that makes images.
    #[command(flatten)]
    Build(BuildVerb),
    /// Save images to an archive
    Save(SaveArguments),
    /// Fetch an image from a registry
    Pull(PullArguments),
    /// Send an image to a registry
    Push(PushArguments),
}

/// Reads the words of a command line, without the program's name.
///
/// # Errors
/// What clap says; `arg_errors` explains it.
pub fn parse(words: &[OsString]) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(
        std::iter::once(OsString::from("lifebox")).chain(words.iter().cloned()),
    )
}
