//! What may be typed: Docker's verbs and flags. Only what it means as text; nothing is done here.

pub mod build;
mod container;
mod events;
pub mod exec;
mod health;
pub mod learn;
mod mounts;
mod namespaces;
pub mod registry;
mod resources;
mod security;
pub mod store;
mod supervision;
pub mod teaching;
pub mod test;
#[cfg(test)]
mod tests;
pub mod volume;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::build::{BuildVerb, FilesVerb};
pub use self::container::*;
pub use self::events::EventsArguments;
use self::learn::LearnArguments;
use self::registry::{LoginArguments, LogoutArguments, PullArguments, PushArguments};
pub use self::resources::{LimitVerb, StatsArguments, UpdateArguments};
use self::store::{
    HistoryArguments, ImagesArguments, LoadArguments, PruneContainersArguments,
    PruneImagesArguments, RmiArguments, SaveArguments, SystemVerb, TagArguments,
};
use self::teaching::TeachVerb;
use self::test::TestArguments;
use self::volume::VolumeVerb;
use crate::cli::arguments::exec::ProcessVerb;

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

/// `version` and `info`
#[derive(Args, Debug)]
pub struct FormatArguments {
    /// A Go template or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    pub format: Option<String>,
}

/// `check`
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// The scripts; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// How the findings are written
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckForm,
    /// Fail for warnings too
    #[arg(long)]
    pub strict: bool,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckForm {
    /// With their lines
    #[default]
    Plain,
    /// One line each, as compilers do
    Short,
    /// JSON
    Json,
}

/// `docs`
#[derive(Args, Debug)]
pub struct DocsArguments {
    /// For people, for programs, or for editors
    #[arg(long, value_enum, default_value_t)]
    pub format: DocsForm,
}

/// A form of the reference.
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

/// `script`
#[derive(Args, Debug)]
pub struct ScriptArguments {
    /// Within what the script runs.
    #[command(flatten)]
    pub sandbox_flags: SandboxFlags,
    /// The script, `-` for standard input, and what its `args()` returns
    #[arg(value_names = ["FILE", "ARGS"], required = true, trailing_var_arg = true,
          allow_hyphen_values = true)]
    pub file_and_arguments: Vec<String>,
}

/// Within what a script runs: flags of `script`, and of `lifebox` before a script.
#[derive(Args, Debug, Default, PartialEq, Eq)]
pub struct SandboxFlags {
    /// Tell what the script would do, in order, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write what the script did, with all its containers, as a page of HTML to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// End the script after so long, with exit code 124; cleanups may take a minute more
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// End the script after so many operations of the language
    #[arg(long, value_name = "N")]
    pub max_ops: Option<u64>,
    /// End the script where it would use more memory, with exit code 137
    #[arg(long, value_name = "SIZE")]
    pub max_memory: Option<String>,
    /// Keep the script in its folder, to the containers that it makes, and from registries and your
    /// environment, let its containers see nothing of this machine, and limit its time (5m, 10s
    /// more for cleanups), operations (100 million) and memory (256m)
    #[arg(long)]
    pub untrusted: bool,
}

impl SandboxFlags {
    /// The first of these flags that is set.
    pub fn flag(&self) -> Option<&'static str> {
        let flags = [
            ("--dry-run", self.dry_run),
            ("--report", self.report.is_some()),
            ("--untrusted", self.untrusted),
            ("--timeout", self.timeout.is_some()),
            ("--max-ops", self.max_ops.is_some()),
            ("--max-memory", self.max_memory.is_some()),
        ];
        flags.into_iter().find(|(_, is_set)| *is_set).map(|(flag, _)| flag)
    }
}
