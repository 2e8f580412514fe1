//! `exec`, `attach` and `port`; attaches this terminal to a container.

use super::context::CommandContext;
use super::{copy, environment, top};
use std::time::Duration;

use crate::cli::arguments::InvalidFlag;
use crate::cli::arguments::exec::{AttachArguments, ExecArguments, PortArguments, ProcessVerb};
use crate::cli::terminal::command_result::{CommandError, CommandResult, ENGINE_FAILED, FAILED};
use crate::cli::terminal::screen;
use crate::cli::terminal::screen::Terminal;
use crate::engine::{Attach, Backend, CancelToken};
use crate::model::container::exec::{AttachOutcome, DetachKeys, ExecOptions};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// Carries out a verb of processes in a container.
///
/// # Errors
/// The engine's errors, as for all verbs of this file.
pub fn process_verb(
    context: &CommandContext,
    terminal: &mut Terminal,
    verb: &ProcessVerb,
) -> CommandResult {
    match verb {
        ProcessVerb::Exec(arguments) => exec(context, terminal, arguments),
        ProcessVerb::Attach(arguments) => attach(context, terminal, arguments),
        ProcessVerb::Top(arguments) => top::top(context, terminal, arguments),
        ProcessVerb::Cp(arguments) => copy::cp(context, terminal, arguments),
        ProcessVerb::Port(arguments) => port(context, arguments),
    }
}

/// Carries out `exec`. The exit code is the program's.
fn exec(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &ExecArguments,
) -> CommandResult {
    let Some((container, command)) = arguments.container_and_command.split_first() else {
        return Err(Error::new(Kind::Invalid, "exec requires a container and a command")
            .hint("usage: lifebox exec CONTAINER COMMAND...")
            .into());
    };
    let flags = environment::of_flags(&arguments.env);
    let flags = flags.map_err(CommandError::with_code(ENGINE_FAILED))?;
    let files = environment::of_files(&arguments.env_file, context.cancel())?;
    let options = ExecOptions {
        cmd: command.to_vec(),
        env: [files, flags].concat(),
        user: arguments.user.clone(),
        workdir: arguments.workdir.clone().filter(|workdir| !workdir.is_empty()),
        privileged: arguments.privileged,
        tty: arguments.tty,
        detach: arguments.detach,
        stdin: None,
        timeout: None,
    };
    let connection = AttachSettings {
        stdin: arguments.interactive && !arguments.detach,
        tty: arguments.tty && !arguments.detach,
        // With a terminal a signal ends this client: shells there ignore SIGTERM.
        forward_signals: !arguments.detach && !arguments.tty,
        detach_keys: keys(context, terminal, arguments.detach_keys.as_deref())?,
        start: false,
        outputs: ALL_OUTPUTS,
    };
    let id = context.backend()?.find(container)?;
    connect(context, terminal, connection, |backend, attach, cancel| {
        let left = backend.exec(&id, &options, attach, cancel)?;
        // With `-d` the exit code is 0: nothing was attached.
        Ok(if options.detach { AttachOutcome::Exited(0) } else { left })
    })
    .map_err(|error| {
        // With `-d` no program's code is told, so neither is that of one that is missing.
        let code = error.exit_code().filter(|_| !arguments.detach).unwrap_or(FAILED);
        CommandError::Failed(error, code)
    })
}

/// Carries out `attach`. The exit code is the container's.
fn attach(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &AttachArguments,
) -> CommandResult {
    let id = context.backend()?.find(&arguments.container)?;
    let config = context.backend()?.inspect(&id)?.spec.config;
    let connection = AttachSettings {
        stdin: !arguments.no_stdin && config.open_stdin,
        tty: config.tty,
        forward_signals: arguments.sig_proxy,
        detach_keys: keys(context, terminal, arguments.detach_keys.as_deref())?,
        start: false,
        outputs: ALL_OUTPUTS,
    };
    Ok(attach_to(context, terminal, &id, connection)?)
}

/// Carries out `port`: prints no port, because there are no published ports.
fn port(context: &CommandContext, arguments: &PortArguments) -> CommandResult {
    let backend = context.backend()?;
    let container = backend.inspect(&backend.find(&arguments.container)?)?;
    let Some(port) = &arguments.port else { return Ok(0) };
    let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    if number.parse::<u16>().is_err() || !matches!(protocol, "tcp" | "udp" | "sctp") {
        return Err(Error::new(Kind::Invalid, format!("invalid port: {port}"))
            .hint("write a number up to 65535, with a protocol unless it is tcp: 80, 53/udp")
            .into());
    }
    let name = &container.state.name;
    let message = format!("no public port '{number}/{protocol}' published for {name}");
    Err(Error::new(Kind::NotFound, message).into())
}

/// Parses `-a`: which of standard output and standard error are shown.
///
/// # Errors
/// [`Kind::Invalid`] for the name of no stream, in Docker's words.
pub fn outputs(streams: &[String]) -> Result<[bool; 2], InvalidFlag> {
    let mut shown = [streams.is_empty(); 2];
    for name in streams {
        match name.to_ascii_lowercase().as_str() {
            // `-i` alone decides whether there is any.
            "stdin" => {}
            "stdout" => shown[0] = true,
            "stderr" => shown[1] = true,
            _ => {
                let message = format!(
                    "invalid argument {name:?} for \"-a, --attach\" flag: valid streams are STDIN, \
                     STDOUT and STDERR"
                );
                let error = Error::new(Kind::Invalid, message).hint("write --attach STDOUT");
                return Err(InvalidFlag { error, by_client: true });
            }
        }
    }
    Ok(shown)
}

/// Parses detach keys: those of the flag, else those of Docker's `config.json`.
pub fn keys(
    context: &CommandContext,
    terminal: &mut Terminal,
    flag: Option<&str>,
) -> Result<DetachKeys> {
    let default = || context.config(terminal).detach_keys.as_deref();
    let text = flag.filter(|text| !text.is_empty()).or_else(default).unwrap_or_default();
    if text.is_empty() { Ok(DetachKeys::default()) } else { text.parse() }
}

/// The parts of this process that a container is attached to, besides its output.
#[derive(Clone, Debug)]
pub struct AttachSettings {
    /// Standard input.
    pub stdin: bool,
    /// The container has a terminal.
    pub tty: bool,
    /// Signals.
    pub forward_signals: bool,
    /// The keys that detach.
    pub detach_keys: DetachKeys,
    /// Whether to start the container first.
    pub start: bool,
    /// Whether standard output and standard error are shown.
    pub outputs: [bool; 2],
}

/// All that a container writes is shown.
pub const ALL_OUTPUTS: [bool; 2] = [true; 2];

impl AttachSettings {
    /// Refuses an input that is not a terminal for a container with a TTY.
    pub fn check(&self) -> Result<()> {
        if self.stdin && self.tty && !rustix::termios::isatty(rustix::stdio::stdin()) {
            return Err(Error::new(Kind::Invalid, "the input device is not a TTY")
                .hint("leave out -t to read from a pipe or a file"));
        }
        Ok(())
    }
}

/// Attaches to a container until the container exits or the user detaches.
pub fn attach_to(
    context: &CommandContext,
    terminal: &mut Terminal,
    id: &ContainerId,
    with: AttachSettings,
) -> Result<u8> {
    connect(context, terminal, with, |backend, attach, cancel| backend.attach(id, attach, cancel))
}

fn connect(
    context: &CommandContext,
    terminal: &mut Terminal,
    with: AttachSettings,
    act: impl FnOnce(&dyn Backend, Attach<'_>, &CancelToken) -> Result<AttachOutcome>,
) -> Result<u8> {
    with.check()?;
    let forward_signals = with.forward_signals && !context.in_repl;
    let cancel = match forward_signals {
        true => context.cancel(),
        false => context.interruptible()?,
    };
    let _ = terminal.flush();
    let (input, output) = (rustix::stdio::stdin(), rustix::stdio::stdout());
    let is_terminal = |fd: &_| rustix::termios::isatty(fd);
    let (mut nowhere, mut also_nowhere) = (std::io::sink(), std::io::sink());
    let mut stdout = screen::stdout().until(cancel).at_most(Duration::ZERO);
    let mut stderr = screen::stderr().until(cancel).at_most(Duration::ZERO);
    let attach = Attach {
        start: with.start,
        stdin: with.stdin.then_some(input),
        // Without a reader, signals are still forwarded.
        stdout: if with.outputs[0] { &mut stdout } else { &mut nowhere },
        stderr: if with.outputs[1] { &mut stderr } else { &mut also_nowhere },
        forward_signals,
        detach_keys: with.detach_keys,
        terminal: [input, output].into_iter().find(is_terminal).filter(|_| with.tty),
    };
    match act(context.backend()?.as_ref(), attach, cancel)? {
        AttachOutcome::Exited(code) => Ok(u8::try_from(code).unwrap_or(FAILED)),
        // As Docker: only who joined what runs already is told.
        AttachOutcome::Detached if with.start => Ok(0),
        AttachOutcome::Detached => {
            use std::io::Write as _;
            if let Ok(err) = terminal.err() {
                let _ = writeln!(err, "read escape sequence");
            }
            Ok(FAILED)
        }
    }
}
