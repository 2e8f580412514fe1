//! What a script gets from its host (engine, output, limits, observers), and its outcome.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rhai::NativeCallContext;

use super::sandbox::policy::SandboxPolicy;
use crate::engine::stream::{InputStream, read_limited, read_text};
use crate::engine::{Backend, CancelToken};
use crate::model::error::Context as _;
use crate::model::observe::progress::{NoProgress, Progress};
use crate::model::script::test_result::TestResult;
use crate::model::value::bom::without_bom;
use crate::model::value::expression::Expression;
use crate::model::value::id::ContainerId;
use crate::model::value::language::ReaderProfile;
use crate::model::{Error, Kind, Result};

/// The largest script, in bytes.
const MAX_SCRIPT: u64 = 64 << 20;

/// Where the text of a script and of its containers goes.
pub trait Output: Send + Sync + fmt::Debug {
    /// Prints one text of `print`, without the newline after it.
    ///
    /// # Errors
    /// When writing fails; a closed pipe ends the script without an error.
    fn print(&self, text: &str) -> std::io::Result<()> {
        self.write_out(format!("{text}\n").as_bytes())
    }
    /// Prints a text that may be longer than a screen; the prompt pages it.
    ///
    /// # Errors
    /// As [`Output::print`].
    fn page(&self, text: &str) -> std::io::Result<()> {
        self.print(text)
    }
    /// Prints one text of `debug`, or a message, to standard error.
    ///
    /// # Errors
    /// What writing says.
    fn eprint(&self, text: &str) -> std::io::Result<()> {
        self.write_err(format!("{text}\n").as_bytes())
    }
    /// Shows a text and waits for the user, who steps through a trace. Returns whether to wait at
    /// the next step again. The default does not wait: no user types.
    ///
    /// # Errors
    /// When reading or writing fails.
    fn step(&self, _text: &str) -> std::io::Result<bool> {
        Ok(false)
    }
    /// Writes bytes that an attached container wrote to its standard output.
    ///
    /// # Errors
    /// What writing says.
    fn write_out(&self, bytes: &[u8]) -> std::io::Result<()>;
    /// Writes bytes that an attached container wrote to its standard error.
    ///
    /// # Errors
    /// What writing says.
    fn write_err(&self, bytes: &[u8]) -> std::io::Result<()>;
    /// Returns the first error of writing, unless the reader was gone. The program that runs the
    /// script reports it, and ends with a code of failure. The default keeps none.
    fn lost(&self) -> Option<Error> {
        None
    }
}

/// What a script gets from the program that runs it.
#[derive(Clone, Debug)]
pub struct ScriptHost {
    /// The containers and images.
    pub backend: Arc<dyn Backend>,
    /// Cancels running calls: Ctrl-C.
    pub cancel: CancelToken,
    /// What `args()` returns.
    pub args: Vec<String>,
    /// Where text goes.
    pub output: Arc<dyn Output>,
    /// Reports the progress of downloads and uploads.
    pub progress: Arc<dyn Progress>,
    /// Whether reports are coloured.
    pub color: bool,
    /// Language and terminal of the reader.
    pub reader: ReaderProfile,
    /// Gives the lessons; none where there is no prompt.
    pub teacher: Option<Arc<dyn Teacher>>,
    /// Whether and when the steps of the engine are printed.
    pub trace: Tracing,
    /// The limits of the script.
    pub limits: Limits,
    /// The sandbox of an untrusted script; none for a script with the user's rights.
    pub sandbox: Option<Arc<SandboxPolicy>>,
    /// Receives the results of tests; without it they are printed.
    pub test_reporter: Option<Arc<dyn TestReporter>>,
    /// Receives the containers that the script uses, for a recording.
    pub observer: Option<Arc<dyn Observer>>,
    /// Translates Docker commands, for `from_docker`.
    pub command_line: Option<Arc<dyn CommandLineReader>>,
}

impl ScriptHost {
    /// Returns the host of an ordinary script: this engine and this output, no arguments and no
    /// limits. `cancel` ends the script.
    pub fn new(backend: Arc<dyn Backend>, output: Arc<dyn Output>, cancel: CancelToken) -> Self {
        ScriptHost {
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

    /// Returns the exit code after the signal that cancelled.
    pub fn interrupted_code(&self) -> u8 {
        CancelToken::exit_code()
    }
}

/// Gives lessons.
pub trait Teacher: Send + Sync + fmt::Debug {
    /// Gives lessons, from this one on, until the learner leaves; `cancel` is the prompt's Ctrl-C.
    ///
    /// # Errors
    /// When there is no such lesson, or the store of the lessons cannot be created.
    fn learn(&self, lesson: Option<&str>, cancel: &CancelToken) -> Result<()>;
}

/// Translates shell commands. The command line implements it, since only the command line knows
/// Docker's flags, and this room must not import it.
pub trait CommandLineReader: Send + Sync + fmt::Debug {
    /// Returns a command as statements of the language; nothing is run.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a text that is not a command, [`Kind::Unsupported`] for a command
    /// without a translation; both name the verb or flag.
    fn read(&self, words: &[String]) -> Result<Vec<Expression>>;
}

/// Receives the result of each test.
pub trait TestReporter: Send + Sync + fmt::Debug {
    /// Returns whether to run the test of this title.
    fn selects(&self, title: &str) -> bool;
    /// Receives the result of a test.
    fn finished(&self, case: &TestResult);
}

/// Observes the containers that a script uses.
pub trait Observer: Send + Sync + fmt::Debug {
    /// Called before a function acts on a container.
    fn note_use(&self, ctx: &NativeCallContext, id: &ContainerId);
    /// Called after a container has changed.
    fn refresh(&self, id: &ContainerId);
}

/// Whether and when the steps of the engine are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracing {
    /// Never.
    #[default]
    Off,
    /// At the end of the script.
    AtTheEnd,
    /// Each step before it is done; the user confirms it.
    Stepwise,
}

/// The limits of a script; `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The time limit, without cleanups.
    pub time: Option<Duration>,
    /// The time limit of the cleanups after the time limit; a minute by default.
    pub cleanup: Option<Duration>,
    /// The limit of operations of the language.
    pub operations: Option<u64>,
    /// The limit of additional memory of the process, in bytes. The program that runs the script
    /// enforces it.
    pub memory: Option<u64>,
}

impl Limits {
    /// Returns these limits, with those of `others` for each that is not set.
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
    /// Standard input.
    Stdin,
    /// A text from the command line.
    Text {
        /// Its name in reports, such as `-e`.
        name: String,
        /// The script.
        text: String,
    },
}

impl Source {
    /// Returns its name in reports.
    pub fn name(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Stdin => "standard input".to_owned(),
            Source::Text { name, .. } => name.clone(),
        }
    }
}

/// How a script ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The code of `exit(n)`, or 0; 1 after an uncaught error, 124 at the time limit, 130 after
    /// Ctrl-C, 143 after SIGTERM.
    pub exit_code: u8,
    /// The error report, for standard error.
    pub report: Option<String>,
    /// Whether the script ran to its last statement, or a failed test explains why not.
    pub completed: bool,
}

/// Returns standard input; an error of `check` ends a wait for it.
pub(crate) fn standard_input<'a>(
    check: &'a (dyn Fn() -> Result<()> + Sync),
) -> impl std::io::Read + 'a {
    InputStream::stdin(check)
}

/// Reads a script: returns its name and its text.
pub(crate) fn read(source: Source, cancel: &CancelToken) -> Result<(String, String)> {
    let (name, check) = (source.name(), || cancel.check());
    let what = || format!("cannot read script `{name}`");
    let text = match source {
        Source::Text { text, .. } => text,
        Source::File(path) => read_text(&path, MAX_SCRIPT, &check).context(what)?,
        Source::Stdin => {
            let bytes = read_limited(InputStream::stdin(&check), MAX_SCRIPT, &name)?;
            String::from_utf8(bytes).map_err(|_| {
                Error::new(Kind::Invalid, format!("{}: the text is not UTF-8", what()))
            })?
        }
    };
    Ok((name, without_bom(&text).to_owned()))
}
