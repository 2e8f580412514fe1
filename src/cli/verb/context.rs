//! The context of every verb: the engine, opened on first use, and Ctrl-C.

use std::sync::Arc;

use once_cell::unsync::OnceCell;

use super::client_config::ClientConfig;
use crate::cli::terminal::command_result::{CommandResult, FAILED};
use crate::cli::terminal::finish::print_error;
use crate::cli::terminal::screen::Terminal;
use crate::engine::{self, Backend, CancelToken, Settings};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// The maximum number of containers that a verb handles concurrently, as in Docker.
const MAX_CONCURRENT: usize = 50;

/// The engine and Ctrl-C for a verb.
#[derive(Debug)]
pub struct CommandContext {
    pub(crate) settings: Settings,
    pub(crate) backend: OnceCell<Arc<dyn Backend>>,
    pub(crate) config: OnceCell<ClientConfig>,
    pub(crate) cancel: CancelToken,
    /// Whether the verb runs in the REPL, where Ctrl-C returns to the prompt.
    pub(crate) in_repl: bool,
}

impl CommandContext {
    /// Creates the context of one command.
    ///
    /// # Errors
    /// When no file descriptor is left.
    pub fn new(settings: Settings) -> Result<Self> {
        Ok(CommandContext {
            settings,
            backend: OnceCell::new(),
            config: OnceCell::new(),
            cancel: CancelToken::new()?,
            in_repl: false,
        })
    }

    /// Returns the engine; opens it on the first call.
    ///
    /// # Errors
    /// When the store cannot be created or read.
    pub fn backend(&self) -> Result<&Arc<dyn Backend>> {
        self.backend.get_or_try_init(|| engine::open(&self.settings))
    }

    /// Returns what Docker's `config.json` says, read on the first call. One that cannot be read is
    /// left out with a warning, as in Docker.
    pub fn config(&self, terminal: &mut Terminal) -> &ClientConfig {
        self.config.get_or_init(|| {
            let Some(path) = self.settings.client_config() else { return ClientConfig::default() };
            ClientConfig::read(&path, &self.cancel).unwrap_or_else(|error| {
                let path = path.display();
                let warning = format!("WARNING: Error loading config file: {path}: {error}");
                // Standard error may be closed.
                let _ = terminal.notice(warning);
                ClientConfig::default()
            })
        })
    }

    /// Returns the token that Ctrl-C cancels after [`CommandContext::interruptible`].
    pub fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// Makes Ctrl-C cancel the running operation instead of ending the process, so that it can
    /// clean up. SIGTERM and SIGHUP do so too, except in the REPL, which they end.
    ///
    /// # Errors
    /// When the handler cannot be installed.
    pub fn interruptible(&self) -> Result<&CancelToken> {
        match self.in_repl {
            true => self.cancel.cancel_on_interrupt()?,
            false => self.cancel.cancel_on_signal()?,
        }
        Ok(&self.cancel)
    }
}

/// Applies `act` to each of the named containers, concurrently. Prints the names of successes in
/// the order given, and every error. The exit code is 1 if one failed.
///
/// # Errors
/// When the output cannot be written, the engine cannot be opened, or after Ctrl-C.
pub fn each<F>(
    context: &CommandContext,
    terminal: &mut Terminal,
    names: &[String],
    act: F,
) -> CommandResult
where
    F: Fn(&dyn Backend, &ContainerId) -> Result<()> + Sync,
{
    let backend = context.backend()?.as_ref();
    let mut code = 0;
    for batch in names.chunks(MAX_CONCURRENT) {
        for (name, result) in batch.iter().zip(act_on_batch(backend, batch, &act)) {
            match result {
                Ok(()) => terminal.line(name)?,
                Err(error) if error.kind() == Kind::Cancelled => return Err(error.into()),
                Err(error) => {
                    print_error(terminal, &error);
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
            // If no thread can be started, this thread does the work later.
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
