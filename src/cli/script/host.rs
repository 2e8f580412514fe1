//! Scripts and the REPL: what they are given of the terminal, and the verbs typed into the REPL.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read as _, Write};
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::CommandFactory as _;
use once_cell::unsync::OnceCell;

use super::report;
use crate::cli::arguments::{Arguments, SandboxFlags, ScriptArguments, Verb, parse};
use crate::cli::dispatch::perform;
use crate::cli::route::Program;
use crate::cli::terminal::ending::FAILED;
use crate::cli::terminal::outcome::{finish, print_error};
use crate::cli::terminal::pager;
use crate::cli::terminal::reader::reader;
use crate::cli::terminal::screen::{Stream, Terminal, stderr, stdout};
use crate::cli::verb::context::CommandContext;
use crate::cli::{arg_errors, from_docker};
use crate::engine::{self, Backend, CancelToken, Settings};
use crate::model::error::Context as _;
use crate::model::value::units::{parse_bytes, parse_duration};
use crate::model::{Error, Kind, Result};
use crate::repl;
use crate::script::lessons::Player;
use crate::script::{self, Host, Limits, Output, SandboxPolicy, Source, Tracing};

/// Runs a script within the bounds that its flags say, and returns its exit code.
pub fn script(
    settings: &Settings,
    program: Program,
    arguments: Vec<String>,
    bounds: &SandboxFlags,
    trace: Tracing,
) -> u8 {
    let within = run_options(program, arguments, bounds);
    match within.map(|within| ScriptRun { trace, ..within }) {
        Ok(within) => run_with_limits(settings, within),
        Err(error) => failed(&error),
    }
}

/// A script and within what it runs.
struct ScriptRun {
    program: Program,
    arguments: Vec<String>,
    limits: Limits,
    sandbox: Option<Arc<SandboxPolicy>>,
    dry_run: bool,
    trace: Tracing,
    report: Option<PathBuf>,
}

/// What the value of `--trace` asks for.
pub fn tracing(flag: Option<&str>) -> Tracing {
    match flag {
        None => Tracing::Off,
        Some("step") => Tracing::Stepwise,
        Some(_) => Tracing::AtTheEnd,
    }
}

/// What the flags say.
fn run_options(
    program: Program,
    arguments: Vec<String>,
    bounds: &SandboxFlags,
) -> Result<ScriptRun> {
    let (limits, fence) = (limits(bounds)?, sandbox_policy(bounds, &program)?);
    let (dry_run, report) = (bounds.dry_run, bounds.report.clone());
    Ok(ScriptRun {
        program,
        arguments,
        limits,
        sandbox: fence,
        dry_run,
        trace: Tracing::Off,
        report,
    })
}

impl ScriptArguments {
    /// The script, what its `args()` returns, and within what it runs.
    pub fn parts(self) -> (Program, Vec<String>, SandboxFlags) {
        let mut words = self.file_and_arguments.into_iter();
        let program = Program::from_word(&words.next().unwrap_or_default());
        (program, words.collect(), self.sandbox_flags)
    }
}

fn run_with_limits(settings: &Settings, within: ScriptRun) -> u8 {
    let ScriptRun { program, arguments, limits, sandbox: fence, dry_run, trace, report } = within;
    // Without sleep a loop that never ends would be all that it does.
    let limits = if dry_run { limits.or(Limits { time: Some(DRY), ..limits }) } else { limits };
    let settings = &Settings { registries: fence.is_none(), ..settings.clone() };
    let prepared = report::check(report.as_deref(), dry_run).and_then(|()| {
        let host = open(settings, arguments)?;
        let host = Host { limits, sandbox: fence, trace, ..host };
        let host = if dry_run { simulated(settings, host)? } else { host };
        let source = source(program)?;
        host.cancel.cancel_on_signal()?;
        if let Some(most) = limits.memory {
            engine::bound_memory(most);
        }
        Ok((host, source))
    });
    match prepared {
        Ok((host, source)) => report::run(host, source, report.as_deref()),
        Err(error) => failed(&error),
    }
}

/// Opens the REPL and returns its exit code.
pub fn repl(settings: &Settings) -> u8 {
    match open(settings, Vec::new()) {
        Ok(host) => {
            let teacher: Arc<dyn script::Teacher> =
                Arc::new(super::learn::ReplTeacher::new(settings));
            let host = at_prompt(Host { teacher: Some(teacher), ..host });
            let commands = ReplCommandLine { settings: settings.clone(), host: host.clone() };
            let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
            let startup = startup().filter(|_| terminal);
            let history = history();
            let settings = repl::Settings { history, banner: terminal, startup, course: None };
            repl::run(host, &commands, settings)
        }
        Err(error) => failed(&error),
    }
}

/// For the panic hook: whether a script's report will tell of this panic.
pub fn reports_panic(info: &PanicHookInfo<'_>) -> bool {
    script::took_panic(info)
}

/// The same with an engine that does nothing: what it would do is printed.
fn simulated(settings: &Settings, host: Host) -> Result<Host> {
    let output = host.output.clone();
    let tell = move |line: &str| {
        // Where nobody reads any more, the script's own next line ends it.
        let _ = output.print(line);
    };
    let backend = engine::dry::open(host.backend.clone(), &settings.root, Arc::new(tell))?;
    Ok(Host { backend, ..host })
}

/// How far a script may go.
///
/// # Errors
/// [`Kind::Invalid`] for a time that is none.
pub fn limits(bounds: &SandboxFlags) -> Result<Limits> {
    let time = bounds.timeout.as_deref().map(parse_duration).transpose();
    let time = time.map_err(|error| error.context("--timeout"))?;
    let memory = bounds.max_memory.as_deref().map(parse_bytes).transpose();
    let memory = memory.map_err(|error| error.context("--max-memory"))?;
    let operations = bounds.max_ops.filter(|most| *most > 0);
    let own = Limits { time, cleanup: None, operations, memory };
    Ok(if bounds.untrusted { own.or(UNTRUSTED) } else { own })
}

/// What is around a script that is not trusted: its folder, or the working directory.
///
/// # Errors
/// When that is not there.
pub fn sandbox_policy(
    bounds: &SandboxFlags,
    program: &Program,
) -> Result<Option<Arc<SandboxPolicy>>> {
    if !bounds.untrusted {
        return Ok(None);
    }
    let folder = match program {
        Program::File(path) => path.parent().filter(|parent| !parent.as_os_str().is_empty()),
        Program::Stdin | Program::Text(_) => None,
    };
    SandboxPolicy::new(folder.unwrap_or(Path::new("."))).map(|fence| Some(Arc::new(fence)))
}

/// How long a dry run may take, where nobody says otherwise.
const DRY: Duration = Duration::from_secs(60);

/// How far a script may go that is not trusted, where nobody says otherwise.
const UNTRUSTED: Limits = Limits {
    time: Some(Duration::from_secs(300)),
    // As long as a container is given to stop.
    cleanup: Some(Duration::from_secs(10)),
    operations: Some(100_000_000),
    memory: Some(256 << 20),
};

fn failed(error: &Error) -> u8 {
    print_error(&mut Terminal::new(), error);
    FAILED
}

fn open(settings: &Settings, args: Vec<String>) -> Result<Host> {
    let cancel = CancelToken::new()?;
    Ok(host(engine::open(settings)?, cancel, args))
}

/// What scripts are given here: an engine, what ends them, and this terminal.
pub fn host(backend: Arc<dyn Backend>, cancel: CancelToken, args: Vec<String>) -> Host {
    Host {
        backend,
        cancel,
        args,
        output: Arc::new(ScriptOutput {
            out: Mutex::new(stdout()),
            err: Mutex::new(stderr()),
            pages: false,
        }),
        progress: crate::cli::terminal::progress::of_script(),
        limits: Limits::default(),
        test_reporter: None,
        observer: None,
        sandbox: None,
        command_line: Some(Arc::new(from_docker::DockerTranslator)),
        reader: reader(),
        teacher: None,
        trace: Tracing::Off,
        color: io::stderr().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
    }
}

/// The script that a word on the command line means.
///
/// # Errors
/// When standard input can't be read.
pub fn source(program: Program) -> Result<Source> {
    Ok(match program {
        Program::File(path) => Source::File(path),
        Program::Text(text) => Source::Text { name: "-e".to_owned(), text },
        Program::Stdin => {
            let mut bytes = Vec::new();
            let read = io::stdin().lock().read_to_end(&mut bytes);
            read.context(|| "read the script from standard input".to_owned())?;
            let text = String::from_utf8(bytes)
                .map_err(|_| Error::new(Kind::Invalid, "the script is not UTF-8 text"))?;
            Source::Text { name: "standard input".to_owned(), text }
        }
    })
}

/// Talks with a learner, whose course is told of each turn.
pub fn lessons(settings: &Settings, host: Host, player: Player) -> u8 {
    let host = at_prompt(host);
    let commands = ReplCommandLine { settings: settings.clone(), host: host.clone() };
    let course = Some(Rc::new(RefCell::new(player)));
    let settings = repl::Settings { history: history(), banner: false, startup: None, course };
    repl::run(host, &commands, settings)
}

/// `LIFEBOX_STARTUP`, or a file among the user's settings, if it is there.
fn startup() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = variable("LIFEBOX_STARTUP") {
        return Some(file.into());
    }
    let settings = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")));
    settings.map(|settings| settings.join("lifebox/startup.rhai")).filter(|file| file.exists())
}

/// `LIFEBOX_HISTORY`, or a file among the user's state; none where there is no home.
fn history() -> Option<PathBuf> {
    state_file("LIFEBOX_HISTORY", "history")
}

/// A file that a variable names, or one among the user's state.
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

/// The terminal of this process, for scripts, whose parallel parts write whole lines.
#[derive(Debug)]
struct ScriptOutput {
    out: Mutex<Stream>,
    err: Mutex<Stream>,
    /// Whether somebody is at a prompt, and long texts go to a pager.
    pages: bool,
}

/// The same host for somebody at a prompt.
fn at_prompt(host: Host) -> Host {
    let (out, err) = (Mutex::new(stdout()), Mutex::new(stderr()));
    Host { output: Arc::new(ScriptOutput { out, err, pages: true }), ..host }
}

fn lock(stream: &Mutex<Stream>) -> MutexGuard<'_, Stream> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows a text on standard error and waits for Enter; whether to wait at the next one too.
///
/// # Errors
/// What reading or writing says.
pub fn step(text: &str) -> io::Result<bool> {
    stderr().write_all(format!("{text}\n").as_bytes())?;
    let mut answer = String::new();
    let count = io::stdin().read_line(&mut answer)?;
    Ok(count > 0 && !answer.trim().eq_ignore_ascii_case("c"))
}

impl Output for ScriptOutput {
    fn print(&self, text: &str) -> io::Result<()> {
        lock(&self.out).write_all(format!("{text}\n").as_bytes())
    }

    fn page(&self, text: &str) -> io::Result<()> {
        if self.pages && pager::page(text) { Ok(()) } else { self.print(text) }
    }

    fn eprint(&self, text: &str) -> io::Result<()> {
        lock(&self.err).write_all(format!("{text}\n").as_bytes())
    }

    fn step(&self, text: &str) -> io::Result<bool> {
        step(text)
    }

    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        lock(&self.out).write_all(bytes)
    }

    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        lock(&self.err).write_all(bytes)
    }
}

/// The verbs, typed into the REPL: the same dispatch, with the REPL's engine and Ctrl-C.
#[derive(Debug)]
struct ReplCommandLine {
    settings: Settings,
    host: Host,
}

impl repl::CommandLine for ReplCommandLine {
    fn verbs(&self) -> Vec<String> {
        let command = Arguments::command();
        command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect()
    }

    fn run(&self, words: &[String]) -> u8 {
        let mut screen = Terminal::new();
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let arguments = match parse(&words) {
            Ok(arguments) => arguments,
            Err(error) => return arg_errors::show(&mut screen, &error, &words),
        };
        if arguments.root.is_some() {
            let error = Error::new(Kind::Invalid, "--root cannot be changed in the REPL")
                .hint("begin another: lifebox --root DIR");
            return finish(&mut screen, Err(error.into()));
        }
        if let Verb::Script(script) = arguments.verb {
            let (program, arguments, bounds) = script.parts();
            let prepared = run_options(program, arguments, &bounds).and_then(|within| {
                let ScriptRun {
                    program,
                    arguments: args,
                    limits,
                    sandbox: fence,
                    dry_run,
                    report,
                    ..
                } = within;
                report::check(report.as_deref(), dry_run)?;
                if limits.memory.is_some() {
                    let message = "the memory of a script cannot be limited in the REPL";
                    let error = Error::new(Kind::Invalid, message);
                    return Err(error.hint("run it by itself: lifebox script --untrusted FILE"));
                }
                let host = Host { args, limits, sandbox: fence, ..self.host.clone() };
                let host = if dry_run { simulated(&self.settings, host)? } else { host };
                Ok((host, source(program)?, report))
            });
            return match prepared {
                Ok((host, source, report)) => report::run(host, source, report.as_deref()),
                Err(error) => finish(&mut screen, Err(error.into())),
            };
        }
        let shell = CommandContext {
            settings: self.settings.clone(),
            backend: OnceCell::with_value(self.host.backend.clone()),
            cancel: self.host.cancel.clone(),
            in_repl: true,
        };
        let outcome = perform(&shell, &mut screen, &arguments.verb);
        finish(&mut screen, outcome)
    }

    fn page(&self, text: &str) -> bool {
        pager::page(text)
    }

    fn edit(&self, text: &str) -> Result<String> {
        pager::edit(text)
    }

    fn flags(&self, verb: &str) -> Vec<String> {
        let command = Arguments::command();
        let Some(verb) = command.find_subcommand(verb) else { return Vec::new() };
        let long = verb.get_arguments().filter_map(|flag| flag.get_long());
        let short = verb.get_arguments().filter_map(|flag| flag.get_short());
        let long = long.map(|name| format!("--{name}"));
        long.chain(short.map(|letter| format!("-{letter}"))).collect()
    }
}
