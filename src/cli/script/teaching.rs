//! Verbs that explain containers, and the trace of any verb.

use crate::cli::arguments::teaching::{
    DiagramArguments, ExplainArguments, ResourcesArguments, TeachVerb,
};
use crate::cli::from_docker;
use crate::cli::terminal::ending::CommandResult;
use crate::cli::terminal::reader::reader;
use crate::cli::terminal::screen::Terminal;
use crate::cli::verb::context::CommandContext;
use crate::engine::{trace, write_atomic};
use crate::model::error::Context as _;
use crate::model::image::PullPolicy;
use crate::model::value::language::ReaderProfile;
use crate::model::value::units::parse_duration;
use crate::script::{Tracing, teaching};
use crate::ui;
use crate::ui::teach::{self, trace::TracedCall};

/// Carries out a verb that teaches.
///
/// # Errors
/// The engine's errors.
pub fn teach(shell: &CommandContext, screen: &mut Terminal, verb: &TeachVerb) -> CommandResult {
    match verb {
        TeachVerb::FromDocker(arguments) => translated(screen, &arguments.words),
        TeachVerb::Docker(arguments) => {
            let backend = shell.backend()?.as_ref();
            let id = backend.find(&arguments.container)?;
            screen.line(teaching::docker(backend, reader(), &id)?)?;
            Ok(0)
        }
        TeachVerb::Explain(arguments) => explain(shell, screen, arguments),
        TeachVerb::Why(arguments) => {
            let backend = shell.backend()?.as_ref();
            let text = teaching::why(backend, reader(), &backend.find(&arguments.container)?)?;
            screen.line(text)?;
            Ok(0)
        }
        TeachVerb::Diagram(arguments) => diagram(shell, screen, arguments),
        TeachVerb::Resources(arguments) => resources(shell, screen, arguments),
    }
}

/// Translates a Docker command line; needs no engine.
fn translated(screen: &mut Terminal, words: &[String]) -> CommandResult {
    let text = match words {
        [text] if text.contains(char::is_whitespace) => {
            teaching::from_docker(&from_docker::DockerTranslator, text)?
        }
        words => ui::expression::lines(&from_docker::read(words)?),
    };
    screen.line(text)?;
    Ok(0)
}

fn explain(
    shell: &CommandContext,
    screen: &mut Terminal,
    arguments: &ExplainArguments,
) -> CommandResult {
    let backend = shell.backend()?.as_ref();
    let text = match arguments.words.as_slice() {
        [name, path] if path.starts_with('/') => {
            teaching::sources(backend, reader(), &backend.find(name)?, path)?
        }
        [verb, name] => teaching::plan(backend, reader(), verb, &backend.find(name)?)?,
        [name, ..] => match backend.find(name) {
            Ok(id) => teaching::container(backend, reader(), &id)?,
            // A name of neither kind is most likely a misspelt container.
            Err(error) => match backend.image(name, PullPolicy::Never) {
                Ok(_) => teaching::image(backend, reader(), name)?,
                Err(_) => return Err(error.into()),
            },
        },
        [] => String::new(),
    };
    screen.text(&text)?;
    Ok(0)
}

fn diagram(
    shell: &CommandContext,
    screen: &mut Terminal,
    arguments: &DiagramArguments,
) -> CommandResult {
    let backend = shell.backend()?.as_ref();
    let id = arguments.container.as_deref().map(|name| backend.find(name)).transpose()?;
    let reader = ReaderProfile { ascii: arguments.ascii || reader().ascii, ..reader() };
    let picture = teaching::diagram(backend, reader, id.as_ref(), arguments.svg.is_some())?;
    match &arguments.svg {
        Some(path) => {
            let what = || format!("write `{}`", path.display());
            write_atomic(path, |out| out.write_all(picture.as_bytes()).context(what))?;
        }
        None => screen.text(&picture)?,
    }
    Ok(0)
}

fn resources(
    shell: &CommandContext,
    screen: &mut Terminal,
    arguments: &ResourcesArguments,
) -> CommandResult {
    let backend = shell.backend()?.as_ref();
    let id = backend.find(&arguments.container)?;
    let time = parse_duration(&arguments.time).map_err(|error| error.context("--time"))?;
    let cancel = shell.interruptible()?;
    screen.text(&teaching::resources(backend, reader(), &id, time, cancel)?)?;
    Ok(0)
}

/// Runs `work` and prints its trace on standard error.
pub fn traced(
    tracing: Tracing,
    screen: &mut Terminal,
    work: impl FnOnce(&mut Terminal) -> u8,
) -> u8 {
    if tracing == Tracing::Off {
        return work(screen);
    }
    let watcher: Option<trace::Watcher> = (tracing == Tracing::Stepwise).then(|| {
        let waits = std::sync::atomic::AtomicBool::new(true);
        let watch = move |step: &crate::model::script::trace::TraceStep| {
            use std::sync::atomic::Ordering;
            if waits.load(Ordering::Relaxed) {
                let again = super::host::step(&teach::trace::next(reader(), step)).unwrap_or(false);
                waits.store(again, Ordering::Relaxed);
            }
        };
        std::sync::Arc::new(watch) as trace::Watcher
    });
    trace::begin(watcher);
    let code = work(screen);
    let cause = TracedCall { words: String::new(), steps: trace::end() };
    let text = teach::trace::trace(reader(), &[cause]);
    // If standard error is closed, the trace cannot be printed.
    let _ = screen.notice(text.trim_end());
    let _ = screen.flush();
    code
}
