//! Build steps, and the changes of a container.

use std::path::PathBuf;

use serde::Serialize;

use crate::model::Result;
use crate::model::container::options::CreateOptions;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;

/// Parses a name for an image: a reference without a digest.
///
/// # Errors
/// As the reference is read, and [`Reference::check_tag`].
pub fn tag(text: &str) -> Result<Reference> {
    let reference: Reference = text.parse()?;
    reference.check_tag()?;
    Ok(reference)
}

/// How a path of a container differs from its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ChangeKind {
    /// The path is changed.
    #[serde(rename = "C")]
    Changed,
    /// The path is new.
    #[serde(rename = "A")]
    Added,
    /// The path is deleted.
    #[serde(rename = "D")]
    Deleted,
}

impl ChangeKind {
    /// Returns Docker's letter.
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
    /// The kind of change.
    pub kind: ChangeKind,
    /// The absolute path. Bytes that are not UTF-8 are replaced.
    pub path: String,
}

/// The options of `commit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitOptions {
    /// The author.
    pub author: String,
    /// The comment in the history.
    pub message: String,
    /// Instructions of a Dockerfile that change the configuration, such as `CMD ["sh"]`.
    pub changes: Vec<String>,
    /// Whether the container is paused meanwhile.
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

/// The options of `import`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    /// The reference of the new image.
    pub reference: Option<Reference>,
    /// The comment in the history.
    pub message: String,
    /// Instructions of a Dockerfile that set the configuration.
    pub changes: Vec<String>,
    /// Steps that set the configuration.
    pub steps: Vec<BuildStep>,
    /// The platform; the host's where unset.
    pub platform: Option<Platform>,
}

/// The options of `build`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BuildOptions {
    /// The file, if it is not `Dockerfile` in the context.
    pub file: Option<PathBuf>,
    /// The text, instead of a file.
    pub text: Option<String>,
    /// The references of the new image.
    pub tags: Vec<Reference>,
    /// `--build-arg`, in their order.
    pub arguments: Vec<(String, String)>,
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// The stage to build; the last where unset.
    pub target: Option<String>,
    /// Whether to ignore the build cache.
    pub no_cache: bool,
    /// Whether to pull the base images.
    pub pull: bool,
    /// The options of the containers that run commands.
    pub run: CreateOptions,
    /// What `RUN --mount=type=secret` mounts.
    pub secrets: Vec<BuildSecret>,
    /// Whether the caller only writes the image elsewhere: the store neither names nor lists it.
    pub unlisted: bool,
    /// Whether the output of commands is printed, so that no error needs to repeat it.
    pub output_visible: bool,
}

/// A command as a Dockerfile writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CommandLine {
    /// A line for the image's shell.
    Shell(String),
    /// Program and arguments.
    Exec(Vec<String>),
}

impl Default for CommandLine {
    fn default() -> Self {
        CommandLine::Exec(Vec::new())
    }
}

/// One step of a build: from one image to the next.
///
/// The serialized form, with the parent's id and the content of the files that the step names, is
/// the step's key in the build cache.
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
        /// Whether the parent's command stays; it was written for another program.
        keep_cmd: bool,
    },
    /// Sets the working directory, relative to the present one, and creates it.
    Workdir(String),
    /// Sets user and group.
    User(String),
    /// Declares ports, such as `80` or `53/udp`.
    Expose(Vec<String>),
    /// Declares mount points.
    Volume(Vec<String>),
    /// Sets the signal that `stop` sends.
    StopSignal(String),
    /// Sets the health check; `None` removes it.
    Healthcheck(Option<Healthcheck>),
    /// Sets the shell.
    Shell(Vec<String>),
    /// Adds an instruction for builds that begin with this image.
    OnBuild(String),
    /// Removes these `ONBUILD` instructions, which have run.
    ForgetOnBuild,
    /// Sets the author.
    Maintainer(String),
    /// Adds a file.
    File {
        /// The path, absolute or relative to the working directory.
        path: String,
        /// The content; its digest is part of the step's key.
        #[serde(skip)]
        content: Vec<u8>,
        /// The mode.
        mode: u32,
    },
    /// Adds files.
    Copy(CopyStep),
    /// Runs a command in a container and keeps the changes.
    Run(RunStep),
}

/// A health check. Times in nanoseconds, as in images; 0 is unset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Healthcheck {
    /// The command; `None` is `NONE`.
    pub command: Option<CommandLine>,
    /// The time between two runs.
    pub interval: u64,
    /// The timeout of a run.
    pub timeout: u64,
    /// The time before failures count.
    pub start_period: u64,
    /// The time between two runs in the start period.
    pub start_interval: u64,
    /// How many failures in a row make the container unhealthy.
    pub retries: u64,
}

/// A command to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunStep {
    /// The command.
    pub command: CommandLine,
    /// Variables of the command that the image does not keep.
    pub arguments: Vec<(String, String)>,
    /// Variables that neither history nor cache records: proxies, which differ between
    /// machines and may hold passwords.
    #[serde(skip)]
    pub hidden: Vec<(String, String)>,
    /// Whether the command has no network, also where the build's other commands have one.
    #[serde(skip)]
    pub without_network: bool,
    /// What the command sees besides the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<RunMount>,
}

/// A mount of `RUN --mount`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunMount {
    /// The path, absolute or relative to the working directory.
    pub target: String,
    /// Whether the command cannot write.
    pub read_only: bool,
    /// What is mounted.
    pub source: RunMountSource,
}

/// What a `RUN --mount` mounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum RunMountSource {
    /// Files as `COPY` finds them; what is written is discarded.
    Files(CopyStep),
    /// A directory that later builds find again.
    Cache {
        /// Its name.
        id: String,
        /// The mode of a new one.
        mode: u32,
        /// User and group of a new one.
        owner: (u32, u32),
        /// Whether one command at a time uses it.
        locked: bool,
    },
    /// An empty directory in memory.
    Tmpfs {
        /// The most bytes, as the user wrote it.
        size: Option<String>,
    },
    /// A secret of the build, as a file.
    Secret {
        /// Its id.
        id: String,
        /// The mode.
        mode: u32,
        /// User and group.
        owner: (u32, u32),
    },
}

/// A secret of `--secret`. Its `Debug` form has only the id.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildSecret {
    /// The name in the Dockerfile.
    pub id: String,
    /// The content.
    pub content: Vec<u8>,
}

impl std::fmt::Debug for BuildSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuildSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Files to copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopyStep {
    /// The instruction in the history: `COPY` or `ADD`.
    pub verb: &'static str,
    /// The source.
    pub from: CopySource,
    /// The items to copy: patterns of names, or texts.
    pub sources: Vec<CopyItem>,
    /// The target, absolute or relative to the working directory; a directory if it ends in `/`.
    pub to: String,
    /// `user[:group]`, looked up in the image; root where unset.
    pub owner: Option<String>,
    /// The mode, if it is not the source's.
    pub mode: Option<u32>,
    /// Whether tar archives are unpacked (`ADD`).
    pub unpack: bool,
    /// Whether the directories of a source are kept (`--parents`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub parents: bool,
    /// Patterns of what is left out, as lines of a `.dockerignore` relative to each source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<String>,
}

/// The source of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CopySource {
    /// A directory of the host, which paths and links cannot leave.
    Directory {
        /// The path. The step's key depends on the content and not on the path.
        #[serde(skip)]
        path: PathBuf,
        /// The lines of its `.dockerignore`.
        #[serde(skip)]
        ignore: Vec<String>,
    },
    /// An image, by its id.
    Image(String),
    /// No source: only texts can be added.
    Nothing,
}

/// One item of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CopyItem {
    /// A path below the source, `*`, `?` and `[...]` as in a shell.
    Path(String),
    /// A path below the source, literally; empty is the source itself.
    Name(String),
    /// A file with this name and content.
    Text {
        /// Its name.
        name: String,
        /// The content.
        content: String,
    },
}
