//! The verbs of the life cycle.

use super::context::{CommandContext, each};
use crate::cli::arguments::{KillArguments, Names, RenameArguments, RmArguments, StopArguments};
use crate::cli::terminal::command_result::{CommandResult, FAILED};
use crate::cli::terminal::finish::print_error;
use crate::cli::terminal::screen::Terminal;
use crate::engine::{Backend, CancelToken};
use crate::model::container::options::{RemoveOptions, StopOptions, StopTimeout};
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::model::{Kind, Result};
use std::time::Duration;

/// Carries out `pause`.
///
/// # Errors
/// As [`each`], as do all verbs of this file.
pub fn pause(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &Names,
) -> CommandResult {
    each(context, terminal, &arguments.names, |backend, id| backend.pause(id))
}

/// Carries out `unpause`.
pub fn unpause(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &Names,
) -> CommandResult {
    each(context, terminal, &arguments.names, |backend, id| backend.unpause(id))
}

/// Carries out `kill`.
pub fn kill(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &KillArguments,
) -> CommandResult {
    let signal = match arguments.signal.as_str() {
        "" => Signal::KILL,
        signal => signal.parse()?,
    };
    each(context, terminal, &arguments.names, |backend, id| backend.kill(id, signal))
}

/// Carries out `stop`.
pub fn stop(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &StopArguments,
) -> CommandResult {
    stop_each(context, terminal, arguments, |backend, id, options, cancel| {
        backend.stop(id, options, cancel)
    })
}

/// Carries out `restart`.
pub fn restart(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &StopArguments,
) -> CommandResult {
    stop_each(context, terminal, arguments, |backend, id, options, cancel| {
        backend.restart(id, options, cancel)
    })
}

/// Carries out `rm`. With `-f` a missing container is not an error; its name is not printed.
pub fn rm(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &RmArguments,
) -> CommandResult {
    let cancel = context.interruptible()?;
    let force = arguments.force;
    let options = RemoveOptions { force, volumes: arguments.volumes };
    let backend = context.backend()?;
    let missing = |name: &String| backend.find(name).is_err_and(|e| e.kind() == Kind::NotFound);
    let mut names = arguments.names.clone();
    names.retain(|name| !(force && missing(name)));
    each(context, terminal, &names, |backend, id| {
        match backend.rm(id, &options, cancel) {
            // Another command has removed the container.
            Err(error) if force && error.kind() == Kind::NotFound => Ok(()),
            other => other,
        }
    })
}

/// Carries out `rename`.
pub fn rename(context: &CommandContext, arguments: &RenameArguments) -> CommandResult {
    let backend = context.backend()?;
    let id = backend.find(&arguments.container)?;
    let name: ContainerName = arguments.new_name.parse()?;
    backend.rename(&id, &name)?;
    Ok(0)
}

/// Carries out `wait`: in the order given, as Docker does.
pub fn wait(context: &CommandContext, terminal: &mut Terminal, arguments: &Names) -> CommandResult {
    let backend = context.backend()?;
    let cancel = context.interruptible()?;
    let mut code = 0;
    for name in &arguments.names {
        match backend.find(name).and_then(|id| backend.wait(&id, None, cancel)) {
            Ok(exit_code) => {
                terminal.line(exit_code)?;
                terminal.flush()?;
            }
            Err(error) if error.kind() == Kind::Cancelled => return Err(error.into()),
            Err(error) => {
                print_error(terminal, &error);
                code = FAILED;
            }
        }
    }
    Ok(code)
}

/// `stop` or `restart`, a method of the contract.
type StopVerb = fn(&dyn Backend, &ContainerId, &StopOptions, &CancelToken) -> Result<()>;

/// Applies a verb that stops, with the signal and the timeout of the flags.
fn stop_each(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &StopArguments,
    verb: StopVerb,
) -> CommandResult {
    let signal = arguments.signal.as_deref().filter(|signal| !signal.is_empty());
    let signal = signal.map(str::parse).transpose()?;
    let options = StopOptions { signal, timeout: arguments.timeout.map(grace) };
    let cancel = context.interruptible()?;
    each(context, terminal, &arguments.names, |backend, id| verb(backend, id, &options, cancel))
}

/// Converts a grace period in seconds; a negative one is infinite.
pub fn grace(seconds: i64) -> StopTimeout {
    u64::try_from(seconds)
        .map_or(StopTimeout::NoLimit, |seconds| StopTimeout::After(Duration::from_secs(seconds)))
}
