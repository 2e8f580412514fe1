//! The verbs that move containers through their life.

use std::time::Duration;

use super::context::{Shell, each};
use crate::cli::arguments::{KillArguments, Names, RenameArguments, RmArguments, StopArguments};
use crate::cli::terminal::outcome::{FAILED, Outcome, complain};
use crate::cli::terminal::screen::Screen;
use crate::model::container::options::{Grace, StopOptions};
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::model::{Kind, Result};

/// `pause`
///
/// # Errors
/// As [`each`]; so for all verbs of this file.
pub fn pause(shell: &Shell, screen: &mut Screen, arguments: &Names) -> Outcome {
    each(shell, screen, &arguments.names, |backend, id| backend.pause(id))
}

/// `unpause`
pub fn unpause(shell: &Shell, screen: &mut Screen, arguments: &Names) -> Outcome {
    each(shell, screen, &arguments.names, |backend, id| backend.unpause(id))
}

/// `kill`
pub fn kill(shell: &Shell, screen: &mut Screen, arguments: &KillArguments) -> Outcome {
    let signal: Signal = arguments.signal.parse()?;
    each(shell, screen, &arguments.names, |backend, id| backend.kill(id, signal))
}

/// `stop`
pub fn stop(shell: &Shell, screen: &mut Screen, arguments: &StopArguments) -> Outcome {
    let options = stop_options(arguments)?;
    let cancel = shell.interruptible()?;
    each(shell, screen, &arguments.names, |backend, id| backend.stop(id, &options, cancel))
}

/// `restart`
pub fn restart(shell: &Shell, screen: &mut Screen, arguments: &StopArguments) -> Outcome {
    let options = stop_options(arguments)?;
    let cancel = shell.interruptible()?;
    each(shell, screen, &arguments.names, |backend, id| backend.restart(id, &options, cancel))
}

/// `rm`. With `-f` a container that is not there is what was wanted; its name is not printed.
pub fn rm(shell: &Shell, screen: &mut Screen, arguments: &RmArguments) -> Outcome {
    let cancel = shell.interruptible()?;
    let force = arguments.force;
    let backend = shell.backend()?;
    let missing = |name: &String| backend.find(name).is_err_and(|e| e.kind() == Kind::NotFound);
    let mut names = arguments.names.clone();
    names.retain(|name| !(force && missing(name)));
    each(shell, screen, &names, |backend, id| {
        let removed = match arguments.volumes {
            true => backend.rm_with_volumes(id, force, cancel),
            false => backend.rm(id, force, cancel),
        };
        match removed {
            // Another command was quicker.
            Err(error) if force && error.kind() == Kind::NotFound => Ok(()),
            other => other,
        }
    })
}

/// `rename`
pub fn rename(shell: &Shell, arguments: &RenameArguments) -> Outcome {
    let backend = shell.backend()?;
    let id = backend.find(&arguments.container)?;
    let name: ContainerName = arguments.new_name.parse()?;
    backend.rename(&id, &name)?;
    Ok(0)
}

/// `wait`: one after the other, as Docker does.
pub fn wait(shell: &Shell, screen: &mut Screen, arguments: &Names) -> Outcome {
    let backend = shell.backend()?;
    let cancel = shell.interruptible()?;
    let mut code = 0;
    for name in &arguments.names {
        match backend.find(name).and_then(|id| backend.wait(&id, None, cancel)) {
            Ok(exit_code) => {
                screen.line(exit_code)?;
                screen.flush()?;
            }
            Err(error) if error.kind() == Kind::Cancelled => return Err(error.into()),
            Err(error) => {
                complain(screen, &error);
                code = FAILED;
            }
        }
    }
    Ok(code)
}

fn stop_options(arguments: &StopArguments) -> Result<StopOptions> {
    let signal = arguments.signal.as_deref().map(str::parse).transpose()?;
    Ok(StopOptions { signal, timeout: arguments.time.map(grace) })
}

/// A grace time in seconds; a negative one is for ever.
pub fn grace(seconds: i64) -> Grace {
    u64::try_from(seconds)
        .map_or(Grace::Forever, |seconds| Grace::For(Duration::from_secs(seconds)))
}
