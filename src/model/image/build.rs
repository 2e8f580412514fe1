//! What an image is built from: steps, and what a container has changed.

use std::path::PathBuf;

use serde::Serialize;

use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

/// The name that an image can be given: a reference without a digest.
///
/// # Errors
/// [`Kind::Invalid`].
pub fn tag(text: &str) -> Result<Reference> {
    let reference: Reference = text.parse()?;
    if reference.digest().is_some() {
        let message = format!("refusing to create a tag with a digest reference: `{text}`");
        return Err(Error::new(Kind::Invalid, message).hint("write NAME or NAME:TAG"));
    }
    Ok(reference)
}

/// How something in a container differs from its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ChangeKind {
    /// It was there and is different.
    #[serde(rename = "C")]
    Changed,
    /// It was not there.
    #[serde(rename = "A")]
    Added,
    /// It is gone.
    #[serde(rename = "D")]
    Deleted,
}

impl ChangeKind {
    /// Docker's letter.
    pub fn letter(self) -> char {
        match self {
            ChangeKind::Changed => 'C',
            ChangeKind::Added => 'A',
            ChangeKind::Deleted => 'D',
        }
    }
}

/// One line of `diff`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// Where, absolute. Bytes that are not UTF-8 are replaced.
    pub path: String,
}

/// How `commit` makes an image of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitOptions {
    /// Who made it.
    pub author: String,
    /// What the history says of it.
    pub message: String,
    /// Instructions of a Dockerfile that change the configuration, such as `CMD ["sh"]`.
    pub changes: Vec<String>,
    /// Whether the container is frozen while it is read.
    pub pause: bool,
}

impl Default for CommitOptions {
    fn default() -> Self {
        CommitOptions {
            author: String::new(),
            message: String::new(),
            changes: Vec::new(),
            pause: true,
        }
    }
}

/// How `import` makes an image of a root file system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    /// What it is called.
    pub reference: Option<Reference>,
    /// What the history says of it.
    pub message: String,
    /// Instructions of a Dockerfile that set the configuration.
    pub changes: Vec<String>,
    /// Steps that set the configuration.
    pub steps: Vec<BuildStep>,
    /// This machine's where unset.
    pub platform: Option<Platform>,
}

/// How `build` reads a Dockerfile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BuildOptions {
    /// The file, if it is not `Dockerfile` in the context.
    pub file: Option<PathBuf>,
    /// Its text, if it is no file.
    pub text: Option<String>,
    /// What the image is called.
    pub tags: Vec<Reference>,
    /// `--build-arg`, in their order.
    pub arguments: Vec<(String, String)>,
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// The stage to build; the last where unset.
    pub target: Option<String>,
    /// Do all steps anew.
    pub no_cache: bool,
    /// Fetch the images that stages begin with.
    pub pull: bool,
    /// Whether the user sees what commands write, so that no error needs to repeat it.
    pub output_visible: bool,
}

/// A command as a Dockerfile writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CommandLine {
    /// For the image's shell.
    Shell(String),
    /// As it is.
    Exec(Vec<String>),
}

impl Default for CommandLine {
    fn default() -> Self {
        CommandLine::Exec(Vec::new())
    }
}

/// One step of a build: from one image to the next.
///
/// Its serialised form, with the parent's id and the content of the files it names, is what a
/// step is known by when it comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum BuildStep {
    /// Sets variables.
    Env(Vec<(String, String)>),
    /// Sets labels.
    Label(Vec<(String, String)>),
    /// Sets the default command.
    Cmd(CommandLine),
    /// Sets the program that the command is appended to.
    Entrypoint {
        /// The program and its first arguments.
        command: CommandLine,
        /// Whether the command stays: the one of the parent was written for another program.
        keep_cmd: bool,
    },
    /// Sets the working directory, relative to the present one, and makes it.
    Workdir(String),
    /// Sets user and group.
    User(String),
    /// Declares ports, such as `80` or `53/udp`.
    Expose(Vec<String>),
    /// Declares mount points.
    Volume(Vec<String>),
    /// Sets the signal that `stop` sends.
    StopSignal(String),
    /// Sets how its health is asked; `None` takes it away.
    Healthcheck(Option<Healthcheck>),
    /// Sets the shell.
    Shell(Vec<String>),
    /// Adds an instruction for builds that begin with this image.
    OnBuild(String),
    /// Forgets these instructions: they have been done.
    ForgetOnBuild,
    /// Says who made it.
    Maintainer(String),
    /// Adds a file.
    File {
        /// Where, absolute or relative to the working directory.
        path: String,
        /// What is in it; it counts by its digest.
        #[serde(skip)]
        content: Vec<u8>,
        /// Its mode.
        mode: u32,
    },
    /// Adds files.
    Copy(CopyStep),
    /// Runs a command in a container and keeps what it changed.
    Run(RunStep),
}

/// How the health of a container is asked. Times in nanoseconds, as images have them; 0 is unset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Healthcheck {
    /// The command; `None` is `NONE`.
    pub command: Option<CommandLine>,
    /// Between two questions.
    pub interval: u64,
    /// For an answer.
    pub timeout: u64,
    /// Before failures count.
    pub start_period: u64,
    /// Between two questions while it starts.
    pub start_interval: u64,
    /// How many failures make it unhealthy.
    pub retries: u64,
}

/// A command to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunStep {
    /// The command.
    pub command: CommandLine,
    /// Variables that it sees and the image does not keep.
    pub arguments: Vec<(String, String)>,
    /// The same, but neither history nor cache knows of them: proxies, which differ between
    /// machines and may hold passwords.
    #[serde(skip)]
    pub hidden: Vec<(String, String)>,
}

/// Files to copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopyStep {
    /// What the history calls it: `COPY` or `ADD`.
    pub verb: &'static str,
    /// Where they come from.
    pub from: CopySource,
    /// What is copied: patterns of names, or texts.
    pub sources: Vec<CopyItem>,
    /// Where to, absolute or relative to the working directory; a directory if it ends in `/`.
    pub to: String,
    /// `user[:group]`, looked up in the image; root where unset.
    pub owner: Option<String>,
    /// Their mode, if it is not the source's.
    pub mode: Option<u32>,
    /// Whether tar archives are unpacked (`ADD`).
    pub unpack: bool,
}

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CopySource {
    /// A directory of this machine, out of which nothing leads.
    Directory {
        /// Where it is. What is in it counts, not where it is.
        #[serde(skip)]
        path: PathBuf,
        /// The lines of its `.dockerignore`.
        #[serde(skip)]
        ignore: Vec<String>,
    },
    /// An image, by its id.
    Image(String),
    /// Nowhere: only texts can be added.
    Nothing,
}

/// One source of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CopyItem {
    /// A path below the source, `*`, `?` and `[...]` as in a shell.
    Path(String),
    /// A path below the source, as it is; empty is the source itself.
    Name(String),
    /// A file with this name and content.
    Text {
        /// Its name.
        name: String,
        /// What is in it.
        content: String,
    },
}
