//! What every verb is given: the engine, opened when it is first needed, and Ctrl-C.

use std::sync::Arc;

use once_cell::unsync::OnceCell;

use crate::cli::terminal::ending::{CommandResult, FAILED};
use crate::cli::terminal::outcome::print_error;
use crate::cli::terminal::screen::Terminal;
use crate::engine::{self, Backend, CancelToken, Settings};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// At most so many containers are worked on at once, as in Docker.
const MAX_CONCURRENT: usize = 50;

/// The engine and Ctrl-C, as verbs see them.
#[derive(Debug)]
pub struct CommandContext {
    pub(crate) settings: Settings,
    pub(crate) backend: OnceCell<Arc<dyn Backend>>,
    pub(crate) cancel: CancelToken,
    /// Whether it is the REPL's: there Ctrl-C leads back to the prompt, whatever runs.
    pub(crate) in_repl: bool,
}

impl CommandContext {
    /// A shell of its own, for one command.
    ///
    /// # Errors
    /// When no file descriptor is left.
    pub fn new(settings: Settings) -> Result<Self> {
        Ok(CommandContext {
            settings,
            backend: OnceCell::new(),
            cancel: CancelToken::new()?,
            in_repl: false,
        })
    }

    /// The engine.
    ///
    /// # Errors
    /// When the store can't be made or read.
    pub fn backend(&self) -> Result<&Arc<dyn Backend>> {
        self.backend.get_or_try_init(|| engine::open(&self.settings))
    }

    /// The flag that Ctrl-C raises once [`Shell::interruptible`] was asked for.
    pub fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// From now on Ctrl-C ends what is under way instead of the process, so that what was begun
    /// is put in order. So do SIGTERM and SIGHUP, but for the REPL, which they end.
    ///
    /// # Errors
    /// When the handler can't be installed.
    pub fn interruptible(&self) -> Result<&CancelToken> {
        match self.in_repl {
            true => self.cancel.cancel_on_interrupt()?,
            false => self.cancel.cancel_on_signal()?,
        }
        Ok(&self.cancel)
    }
}

/// Does `act` to each of the named containers, many at once. Names of successes are printed in
/// the order given, every failure is reported; the exit code is 1 if there was one.
///
/// # Errors
/// When the output can't be written, the engine can't be opened, or Ctrl-C ended it.
pub fn each<F>(
    shell: &CommandContext,
    screen: &mut Terminal,
    names: &[String],
    act: F,
) -> CommandResult
where
    F: Fn(&dyn Backend, &ContainerId) -> Result<()> + Sync,
{
    let backend = shell.backend()?.as_ref();
    let mut code = 0;
    for batch in names.chunks(MAX_CONCURRENT) {
        for (name, result) in batch.iter().zip(act_on_batch(backend, batch, &act)) {
            match result {
                Ok(()) => screen.line(name)?,
                Err(error) if error.kind() == Kind::Cancelled => return Err(error.into()),
                Err(error) => {
                    print_error(screen, &error);
                    code = FAILED;
                }
            }
        }
    }
    Ok(code)
}

fn act_on_batch<F>(backend: &dyn Backend, batch: &[String], act: &F) -> Vec<Result<()>>
where
    F: Fn(&dyn Backend, &ContainerId) -> Result<()> + Sync,
{
    let act = |name: &String| act(backend, &backend.find(name)?);
    if let [name] = batch {
        return vec![act(name)];
    }
    let act = &act;
    std::thread::scope(|scope| {
        let spawn = |name| {
            // Without a further thread it is done here, later but as well.
            std::thread::Builder::new().spawn_scoped(scope, move || act(name)).map_err(|_| name)
        };
        let begun: Vec<_> = batch.iter().map(spawn).collect();
        let ended = begun.into_iter().map(|thread| match thread {
            Ok(thread) => {
                thread.join().unwrap_or_else(|_| Err(Error::new(Kind::Bug, "a thread panicked")))
            }
            Err(name) => act(name),
        });
        ended.collect()
    })
}
