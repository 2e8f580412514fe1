//! What a script is given: its engine, its output, its limits and those who are told of it; and what
//! comes of it.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rhai::NativeCallContext;

use super::sandbox::policy::SandboxPolicy;
use crate::engine::{Backend, CancelToken};
use crate::model::observe::progress::{NoProgress, Progress};
use crate::model::script::test_result::TestResult;
use crate::model::value::expression::Expression;
use crate::model::value::id::ContainerId;
use crate::model::value::language::ReaderProfile;
use crate::model::{Error, Kind, Result};

/// Where the text of a script and of its containers goes.
pub trait Output: Send + Sync + fmt::Debug {
    /// One `print`, without the newline that ends it.
    ///
    /// # Errors
    /// What writing says; a closed pipe ends the script quietly.
    fn print(&self, text: &str) -> std::io::Result<()> {
        self.write_out(format!("{text}\n").as_bytes())
    }
    /// A text that may be longer than a screen; at a prompt it goes to a pager.
    ///
    /// # Errors
    /// As [`Output::print`].
    fn page(&self, text: &str) -> std::io::Result<()> {
        self.print(text)
    }
    /// One `debug`, or a message beside the output.
    ///
    /// # Errors
    /// What writing says.
    fn eprint(&self, text: &str) -> std::io::Result<()> {
        self.write_err(format!("{text}\n").as_bytes())
    }
    /// Shows a text and waits for the user, who is stepping; whether to wait again at the next one.
    /// Where nobody types, as this default has it, there is nobody to wait for.
    ///
    /// # Errors
    /// What reading or writing says.
    fn step(&self, _text: &str) -> std::io::Result<bool> {
        Ok(false)
    }
    /// Raw bytes that an attached container wrote to its standard output.
    ///
    /// # Errors
    /// What writing says.
    fn write_out(&self, bytes: &[u8]) -> std::io::Result<()>;
    /// Raw bytes that an attached container wrote to its standard error.
    ///
    /// # Errors
    /// What writing says.
    fn write_err(&self, bytes: &[u8]) -> std::io::Result<()>;
}

/// What a script is given by whoever runs it.
#[derive(Clone, Debug)]
pub struct Host {
    /// The containers and images.
    pub backend: Arc<dyn Backend>,
    /// Ends what is under way: Ctrl-C.
    pub cancel: CancelToken,
    /// What `args()` returns.
    pub args: Vec<String>,
    /// Where text goes.
    pub output: Arc<dyn Output>,
    /// Who is told how far images on their way are.
    pub progress: Arc<dyn Progress>,
    /// Whether reports are coloured.
    pub color: bool,
    /// Whom texts are for.
    pub reader: ReaderProfile,
    /// Who teaches, where somebody sits at the prompt.
    pub teacher: Option<Arc<dyn Teacher>>,
    /// Whether all that is done is told at the end of the script.
    pub trace: Tracing,
    /// How far a script may go.
    pub limits: Limits,
    /// What is around a script that is not trusted; all others may reach what the user may.
    pub sandbox: Option<Arc<SandboxPolicy>>,
    /// Who is told of its tests; without anybody they are printed.
    pub test_reporter: Option<Arc<dyn TestReporter>>,
    /// Who is told of the containers that the script works on, for a recording.
    pub observer: Option<Arc<dyn Observer>>,
    /// Who reads commands of Docker, for `from_docker`.
    pub command_line: Option<Arc<dyn CommandLineReader>>,
}

impl Host {
    /// Returns what an ordinary script is given: this engine, this output, no arguments and no
    /// limits. `cancel` ends the script.
    pub fn new(backend: Arc<dyn Backend>, output: Arc<dyn Output>, cancel: CancelToken) -> Self {
        Host {
            backend,
            cancel,
            args: Vec::new(),
            output,
            progress: Arc::new(NoProgress),
            color: false,
            reader: ReaderProfile::default(),
            teacher: None,
            trace: Tracing::Off,
            limits: Limits::default(),
            sandbox: None,
            test_reporter: None,
            observer: None,
            command_line: None,
        }
    }
}

/// Who gives lessons.
pub trait Teacher: Send + Sync + fmt::Debug {
    /// Gives lessons, from this one on, until the learner leaves; `cancel` is the prompt's Ctrl-C.
    ///
    /// # Errors
    /// When there is no such lesson, or the lessons' store can't be made.
    fn learn(&self, lesson: Option<&str>, cancel: &CancelToken) -> Result<()>;
}

/// Reads commands as they are typed into a shell. The command line knows Docker's flags, and no
/// script can know the command line.
pub trait CommandLineReader: Send + Sync + fmt::Debug {
    /// What a command does, as statements of the language. Nothing is done.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for what is no command,
    /// [`Kind::Unsupported`] for what cannot be said; both name
    /// the verb or flag.
    fn read(&self, words: &[String]) -> Result<Vec<Expression>>;
}

/// Who is told of each test when it has ended.
pub trait TestReporter: Send + Sync + fmt::Debug {
    /// Whether a test of this title is to be run.
    fn selects(&self, title: &str) -> bool;
    /// A test has ended.
    fn finished(&self, case: &TestResult);
}

/// Who is told of the containers that a script works on.
pub trait Observer: Send + Sync + fmt::Debug {
    /// A function is called about a container, which is as it was before.
    fn note_use(&self, ctx: &NativeCallContext, id: &ContainerId);
    /// A container has just changed.
    fn refresh(&self, id: &ContainerId);
}

/// Whether deeds are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracing {
    /// They are not.
    #[default]
    Off,
    /// When all is done.
    AtTheEnd,
    /// Each before it is done, and the user says go.
    Stepwise,
}

/// How far a script may go; without them it may do all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How long, its cleanups not counted.
    pub time: Option<Duration>,
    /// How long its cleanups may take once its time is over; a minute where nobody says.
    pub cleanup: Option<Duration>,
    /// How many operations of the language.
    pub operations: Option<u64>,
    /// How many bytes of memory the process may use more. Whoever runs the script sees to it.
    pub memory: Option<u64>,
}

impl Limits {
    /// These, and `others` where they say nothing.
    pub fn or(self, others: Limits) -> Self {
        Limits {
            time: self.time.or(others.time),
            cleanup: self.cleanup.or(others.cleanup),
            operations: self.operations.or(others.operations),
            memory: self.memory.or(others.memory),
        }
    }
}

/// A script to run.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file; its name is shown in reports, and its imports are relative to it.
    File(PathBuf),
    /// A text that was typed or piped.
    Text {
        /// What reports call it, such as `-e`.
        name: String,
        /// The script.
        text: String,
    },
}

impl Source {
    /// What reports call it.
    pub fn name(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Text { name, .. } => name.clone(),
        }
    }
}

/// How a script ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Of `exit(n)`, else 0; 1 after an uncaught error, 124 when its time was over, 130 after
    /// Ctrl-C, 143 after SIGTERM.
    pub exit_code: u8,
    /// What went wrong, drawn for standard error.
    pub report: Option<String>,
    /// Whether it came to its last statement, or a failed test of it has told why not.
    pub completed: bool,
}

/// The name and the text of a script.
pub(super) fn read(source: Source) -> Result<(String, String)> {
    match source {
        Source::Text { name, text } => Ok((name, text)),
        Source::File(path) => {
            let name = path.display().to_string();
            let mut bytes = Vec::new();
            std::fs::File::open(&path)
                .and_then(|mut file| file.read_to_end(&mut bytes))
                .map_err(|error| Error::from_io(format!("cannot read script `{name}`"), &error))?;
            let text = String::from_utf8(bytes).map_err(|_| {
                Error::new(
                    Kind::Invalid,
                    format!("cannot read script `{name}`: it is not UTF-8 text"),
                )
            })?;
            Ok((name, text))
        }
    }
}
