//! Builds the `ScriptHost` of scripts: the engine, the terminal, limits and the sandbox.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::cli::arguments::SandboxFlags;
use crate::cli::from_docker::DockerTranslator;
use crate::cli::route::Program;
use crate::cli::terminal::reader::reader;
use crate::cli::terminal::screen::{Stream, stderr, stdout};
use crate::cli::terminal::{pager, progress};
use crate::engine::stream::InputStream;
use crate::engine::{self, Backend, CancelToken, Settings};
use crate::model::value::units::{parse_bytes, parse_duration};
use crate::model::{Error, Result};
use crate::script::{Limits, Output, SandboxPolicy, ScriptHost, Source, Tracing};

/// The default limits with `--untrusted`.
const UNTRUSTED: Limits = Limits {
    time: Some(Duration::from_secs(300)),
    // As long as the default stop timeout of a container.
    cleanup: Some(Duration::from_secs(10)),
    operations: Some(100_000_000),
    memory: Some(256 << 20),
};

/// Opens the engine for scripts, fenced for one that is not trusted.
///
/// # Errors
/// When the store cannot be opened, or no file descriptor is left.
pub fn open(
    settings: &Settings,
    args: Vec<String>,
    sandbox: Option<&SandboxPolicy>,
) -> Result<ScriptHost> {
    let cancel = CancelToken::new()?;
    let backend = match sandbox {
        Some(policy) => engine::open_fenced(settings, policy.images())?,
        None => engine::open(settings)?,
    };
    Ok(host(backend, cancel, args))
}

/// Builds a host with this engine, this cancel token and the terminal of this process.
pub fn host(backend: Arc<dyn Backend>, cancel: CancelToken, args: Vec<String>) -> ScriptHost {
    let output = Arc::new(ScriptOutput::new(cancel.clone(), false));
    ScriptHost {
        args,
        progress: progress::of_script(),
        command_line: Some(Arc::new(DockerTranslator)),
        reader: reader(),
        color: io::stderr().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        ..ScriptHost::new(backend, output, cancel)
    }
}

/// Returns the source of a script.
pub fn source(program: Program) -> Source {
    match program {
        Program::File(path) => Source::File(path),
        Program::Text(text) => Source::Text { name: "-e".to_owned(), text },
        Program::Stdin => Source::Stdin,
    }
}

/// Replaces the engine by one for `--dry-run`, which prints what it would do.
///
/// # Errors
/// When the store cannot be read.
pub fn simulated(settings: &Settings, host: ScriptHost) -> Result<ScriptHost> {
    let output = host.output.clone();
    let print = move |line: &str| {
        // If the output cannot be written, the script's own next line ends it.
        let _ = output.print(line);
    };
    let own = host.sandbox.as_ref().map(|policy| policy.images());
    let is_fenced = own.is_some();
    let real = engine::open_read_only(settings, own)?;
    let backend = engine::dry::open(real, &settings.root, is_fenced, Arc::new(print))?;
    Ok(ScriptHost { backend, ..host })
}

/// Returns the limits that the flags set.
///
/// # Errors
/// [`crate::model::Kind::Invalid`] for an invalid time or size.
pub fn limits(flags: &SandboxFlags) -> Result<Limits> {
    let time = flags.timeout.as_deref().map(parse_duration).transpose();
    let time = time.map_err(|error| error.context("--timeout"))?;
    let memory = flags.max_memory.as_deref().map(parse_bytes).transpose();
    let memory = memory.map_err(|error| error.context("--max-memory"))?;
    let operations = flags.max_ops.filter(|most| *most > 0);
    let limits = Limits { time, cleanup: None, operations, memory };
    Ok(if flags.is_untrusted() { limits.or(UNTRUSTED) } else { limits })
}

/// Returns the policy of `--untrusted`, which allows the script's folder. For a script that is not
/// a file, that is the working directory.
///
/// # Errors
/// When the folder does not exist.
pub fn sandbox_policy(
    flags: &SandboxFlags,
    program: &Program,
) -> Result<Option<Arc<SandboxPolicy>>> {
    if !flags.is_untrusted() {
        return Ok(None);
    }
    let folder = match program {
        Program::File(path) => path.parent().filter(|parent| !parent.as_os_str().is_empty()),
        Program::Stdin | Program::Text(_) => None,
    };
    SandboxPolicy::new(folder.unwrap_or(Path::new("."))).map(|policy| Some(Arc::new(policy)))
}

/// Reads the value of `--trace`.
pub fn tracing(flag: Option<&str>) -> Tracing {
    match flag {
        None => Tracing::Off,
        Some("step") => Tracing::Stepwise,
        Some(_) => Tracing::AtTheEnd,
    }
}

/// Returns the file that a variable names, or a file in the user's state directory.
pub fn state_file(name: &str, file: &str) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = variable(name) {
        return Some(file.into());
    }
    let state = variable("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    state.map(|state| state.join("lifebox").join(file))
}

/// The terminal of this process as the output of a script. Parallel threads write whole lines.
#[derive(Debug)]
struct ScriptOutput {
    out: Mutex<Stream>,
    err: Mutex<Stream>,
    /// Ends the wait for Enter, and for a reader of the output.
    cancel: CancelToken,
    /// Whether long texts go to the pager, as at a prompt.
    pages: bool,
    /// The first errno of writing other than EPIPE.
    lost: OnceLock<i32>,
}

/// The hint for output that cannot be written.
const ELSEWHERE: &str = "free space where the output goes, or redirect it: lifebox FILE > OTHER";

impl ScriptOutput {
    fn new(cancel: CancelToken, pages: bool) -> ScriptOutput {
        let (out, err) = (stdout().until(&cancel), stderr().until(&cancel));
        let (out, err) = (Mutex::new(out), Mutex::new(err));
        ScriptOutput { out, err, cancel, pages, lost: OnceLock::new() }
    }

    fn write(&self, stream: &Mutex<Stream>, bytes: &[u8]) -> io::Result<()> {
        let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(bytes).inspect_err(|error| {
            let cancelled = Error::downcast_io(error).is_some();
            if error.kind() != io::ErrorKind::BrokenPipe && !cancelled {
                let _ = self.lost.set(error.raw_os_error().unwrap_or(libc::EIO));
            }
        })
    }
}

/// Sends long texts to the pager, for a user at a prompt.
pub fn at_prompt(host: ScriptHost) -> ScriptHost {
    let output = Arc::new(ScriptOutput::new(host.cancel.clone(), true));
    ScriptHost { output, ..host }
}

/// Prints a text on standard error and waits for Enter. Returns whether to wait again at the next
/// step.
///
/// # Errors
/// When the terminal cannot be read or written, or `cancel` ends the wait.
pub fn step(text: &str, cancel: &CancelToken) -> io::Result<bool> {
    stderr().until(cancel).write_all(format!("{text}\n").as_bytes())?;
    let answer = InputStream::stdin(&|| cancel.check()).line()?;
    Ok(!answer.is_empty() && !answer.trim().eq_ignore_ascii_case("c"))
}

impl Output for ScriptOutput {
    fn page(&self, text: &str) -> io::Result<()> {
        if self.pages && pager::page(text) { Ok(()) } else { self.print(text) }
    }

    fn step(&self, text: &str) -> io::Result<bool> {
        step(text, &self.cancel)
    }

    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        self.write(&self.out, bytes)
    }

    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        self.write(&self.err, bytes)
    }

    fn lost(&self) -> Option<Error> {
        self.lost
            .get()
            .map(|errno| Error::from_errno("cannot write the output", *errno).hint(ELSEWHERE))
    }
}
