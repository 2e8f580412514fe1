//! The command line as a whole: the global flags and all verbs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::build::{BuildVerb, FilesVerb};
use super::container::{
    CreateArguments, InspectArguments, KillArguments, LogsArguments, Names, PsArguments,
    RenameArguments, RmArguments, RunArguments, StartArguments, StopArguments,
};
use super::context::ContextVerb;
use super::docker_only;
use super::events::EventsArguments;
use super::exec::ProcessVerb;
use super::format::{FormatArguments, maybe_path};
use super::grammar;
use super::learn::LearnArguments;
use super::options::in_dockers_grammar;
use super::registry::{LoginArguments, LogoutArguments, PullArguments, PushArguments};
use super::resources::LimitVerb;
use super::script::{CheckArguments, DocsArguments, ScriptArguments};
use super::store::{
    BuilderVerb, HistoryArguments, ImagesArguments, InspectImageArguments, LoadArguments,
    PruneContainersArguments, PruneImagesArguments, RmiArguments, SaveArguments, SystemVerb,
    TagArguments,
};
use super::teaching::TeachVerb;
use super::test::TestArguments;
use super::volume::VolumeVerb;

/// The title of the global flags in help.
const GLOBAL: &str = "Global options";

/// A scriptable container engine: one static binary, no daemon.
#[derive(Debug, Parser)]
#[command(
    name = "lifebox",
    version,
    disable_version_flag = true,
    disable_help_subcommand = true,
    after_help = "lifebox                          Open the REPL\n\
                  lifebox [script] FILE [ARGS]     Run a script; `-` reads standard input\n\
                  lifebox -e TEXT [ARGS]           Run a text as a script\n\n\
                  Flags of `script`, such as --untrusted, may stand before FILE and -e."
)]
pub struct Arguments {
    /// The flags of all verbs.
    #[command(flatten)]
    pub global: GlobalArguments,
    /// Print version
    #[arg(short = 'v', long, short_alias = 'V', action = ArgAction::Version)]
    pub version: Option<bool>,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The flags that may stand before every verb, and some of them after it.
#[derive(Args, Debug)]
pub struct GlobalArguments {
    /// Directory of images and containers
    #[arg(long, value_name = "DIR", global = true, help_heading = GLOBAL)]
    pub root: Option<PathBuf>,
    /// Storage driver of new containers: overlay2, or vfs, which copies the image
    #[arg(long, value_name = "NAME", global = true, help_heading = GLOBAL)]
    pub storage_driver: Option<String>,
    /// Language of explanations: en or ko (default from LC_ALL, LC_MESSAGES or LANG)
    #[arg(long, value_name = "LANG", global = true, help_heading = GLOBAL)]
    pub lang: Option<String>,
    /// Print each step to standard error as it is done; `=step` pauses before each
    #[arg(long, value_name = "step", global = true, help_heading = GLOBAL, num_args = 0..=1, require_equals = true,
          default_missing_value = "", value_parser = ["", "step"], hide_possible_values = true)]
    pub trace: Option<String>,
    /// Location of client config files: credentials, formats, detach keys, proxies (default
    /// DOCKER_CONFIG, or ~/.docker)
    #[arg(long, value_name = "DIR", help_heading = GLOBAL, value_parser = maybe_path())]
    pub config: Option<PathBuf>,
    /// Accepted for Docker's sake, without effect: there is no daemon to debug
    #[arg(short = 'D', long, help_heading = GLOBAL)]
    pub debug: bool,
    /// Accepted for Docker's sake, without effect: there is no log of the engine
    #[arg(short, long, value_name = "LEVEL", help_heading = GLOBAL, hide_possible_values = true,
          value_parser = [PossibleValue::new("").hide(true), "debug".into(), "info".into(),
                          "warn".into(), "error".into(), "fatal".into()])]
    pub log_level: Option<String>,
}

/// A verb.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// A verb of containers, without the word `container`.
    #[command(flatten)]
    Container(ContainerVerb),
    /// Manage containers: `container ls`, `container inspect`, ...
    #[command(subcommand, name = "container")]
    OfContainer(OfContainer),
    /// Manage images: `image ls`, `image inspect`, `image rm`, ...
    #[command(subcommand, name = "image")]
    OfImage(OfImage),
    /// List images
    Images(ImagesArguments),
    /// Remove one or more images
    Rmi(RmiArguments),
    /// A verb of images, without the word `image`.
    #[command(flatten)]
    Image(ImageVerb),
    /// Manage lifebox: `system df`, `system check`, ...
    #[command(subcommand)]
    System(SystemVerb),
    /// Manage builds: `builder prune`, `builder build`
    #[command(subcommand)]
    Builder(BuilderVerb),
    /// Show the context of the client, which is always `default`
    #[command(subcommand)]
    Context(ContextVerb),
    /// Manage volumes: `volume create`, `volume ls`, ...
    #[command(subcommand)]
    Volume(VolumeVerb),
    /// Get real time events of containers, images and volumes
    Events(EventsArguments),
    /// Authenticate to a registry
    Login(LoginArguments),
    /// Log out from a registry
    Logout(LogoutArguments),
    /// A verb that explains containers.
    #[command(flatten)]
    Teach(TeachVerb),
    /// Show the version information
    Version(FormatArguments),
    /// Display system-wide information
    Info(FormatArguments),
    /// Run a script file
    Script(ScriptArguments),
    /// Learn about containers with lessons at the prompt
    Learn(LearnArguments),
    /// Run the tests in scripts
    Test(TestArguments),
    /// Check scripts for mistakes without running them
    Check(CheckArguments),
    /// Print the reference of the script language
    Docs(DocsArguments),
}

/// A verb of containers.
#[derive(Debug, Subcommand)]
pub enum ContainerVerb {
    /// Create a new container
    Create(CreateArguments),
    /// Create and run a new container from an image
    Run(RunArguments),
    /// Start one or more stopped containers
    Start(StartArguments),
    /// Pause all processes within one or more containers
    Pause(Names),
    /// Unpause all processes within one or more containers
    Unpause(Names),
    /// Stop one or more running containers
    Stop(StopArguments),
    /// Kill one or more running containers, or send them a signal
    Kill(KillArguments),
    /// Restart one or more containers
    Restart(StopArguments),
    /// Remove one or more containers
    #[command(visible_alias = "remove")]
    Rm(RmArguments),
    /// Block until one or more containers stop, then print their exit codes
    Wait(Names),
    /// Rename a container
    Rename(RenameArguments),
    /// List containers
    #[command(visible_aliases = ["ls", "list"])]
    Ps(PsArguments),
    /// Fetch the logs of a container
    Logs(LogsArguments),
    /// Return low-level information on containers and images, as JSON
    Inspect(InspectArguments),
    /// A verb of the usage and the limits of containers.
    #[command(flatten)]
    Limit(LimitVerb),
    /// A verb of a container's files.
    #[command(flatten)]
    Files(FilesVerb),
    /// A verb of the processes and files inside a container.
    #[command(flatten)]
    Process(ProcessVerb),
}

/// A verb of containers after the word `container`.
#[derive(Debug, Subcommand)]
pub enum OfContainer {
    /// A verb that works without the word too.
    #[command(flatten)]
    Plain(Box<ContainerVerb>),
    /// Remove all stopped containers
    Prune(PruneContainersArguments),
}

/// A verb of images.
#[derive(Debug, Subcommand)]
pub enum ImageVerb {
    /// Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
    Tag(TagArguments),
    /// Show the history of an image
    History(HistoryArguments),
    /// Load images from a tar archive, as `docker save` or skopeo writes it
    Load(LoadArguments),
    /// A verb that creates images.
    #[command(flatten)]
    Build(BuildVerb),
    /// Save one or more images to a tar archive, as `docker load` and skopeo read it
    Save(SaveArguments),
    /// Download an image from a registry
    Pull(PullArguments),
    /// Upload an image to a registry
    Push(PushArguments),
}

/// A verb of images after the word `image`.
#[derive(Debug, Subcommand)]
pub enum OfImage {
    /// List images
    #[command(visible_alias = "list")]
    Ls(ImagesArguments),
    /// Display detailed information on one or more images, as JSON
    Inspect(InspectImageArguments),
    /// Remove one or more images
    #[command(visible_aliases = ["rmi", "remove"])]
    Rm(RmiArguments),
    /// Remove unused images
    Prune(PruneImagesArguments),
    /// A verb that works without the word too.
    #[command(flatten)]
    Plain(ImageVerb),
}

/// Reads the words of a command line with the tree of all verbs.
///
/// # Errors
/// Fails as clap does; `arg_errors` explains the error.
pub(super) fn parse_whole(words: &[OsString]) -> Result<Arguments, clap::Error> {
    let asked = grammar::without_help(words);
    let words = asked.as_deref().unwrap_or(words);
    let line = |words: &[OsString]| [&[OsString::from("lifebox")], words].concat();
    let read = |words: &[OsString]| {
        let command = grammar::as_docker(Arguments::command(), words, in_dockers_grammar);
        command.try_get_matches_from(line(words))
    };
    let mut matches = read(words);
    let mut left = words.to_vec();
    // A flag that only Docker has changes nothing where it is switched off.
    while let Some((at, kept)) = matches.as_ref().err().and_then(|error| switched_off(error, &left))
    {
        left.splice(at..=at, kept);
        matches = read(&left);
    }
    // As Docker: a noun alone shows its help.
    let asks = |error: &clap::Error| {
        use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, MissingSubcommand};
        let kinds = [DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, MissingSubcommand];
        kinds.contains(&error.kind())
    };
    match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Err(error) if asks(&error) => {
            let help = grammar::help(&Arguments::command(), words);
            Arguments::command().try_get_matches_from(line(&help)).err().map_or(Err(error), Err)
        }
        result => result,
    }
}

/// Returns which word switches off the flag that `error` does not know, and what stays of it: `-i`
/// of `-iP=false`.
fn switched_off(error: &clap::Error, words: &[OsString]) -> Option<(usize, Option<OsString>)> {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let path = verb_path(words).join(" ");
    let verb = docker_only::short(&path);
    words.iter().enumerate().find_map(|(at, word)| {
        let (name, value) = word.to_str()?.split_once('=')?;
        let others = match name == flag {
            true => "-",
            // Of the letters that may stand before it none takes a value.
            false => name.strip_suffix(flag.strip_prefix('-')?)?,
        };
        let letters = others.strip_prefix('-')?;
        let is_off = letters.chars().all(|letter| "dit".contains(letter));
        let is_off = is_off && docker_only::is_off(verb, flag, value);
        is_off.then(|| (at, (!letters.is_empty()).then(|| others.into())))
    })
}

/// Returns the verb in `words` with the noun before it, by their names: `container ls`.
pub fn verb_path(words: &[OsString]) -> Vec<String> {
    grammar::path(&Arguments::command(), words)
}
