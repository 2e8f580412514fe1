//! Verbs that explain containers, and the trace of any verb.

use crate::cli::arguments::teaching::{
    DiagramArguments, ExplainArguments, ResourcesArguments, TeachVerb,
};
use crate::cli::from_docker;
use crate::cli::terminal::command_result::CommandResult;
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
pub fn teach(context: &CommandContext, terminal: &mut Terminal, verb: &TeachVerb) -> CommandResult {
    match verb {
        TeachVerb::FromDocker(arguments) => translated(terminal, &arguments.words),
        TeachVerb::Docker(arguments) => {
            let backend = context.backend()?.as_ref();
            let id = backend.find(&arguments.container)?;
            terminal.line(teaching::docker(backend, reader(), &id)?)?;
            Ok(0)
        }
        TeachVerb::Explain(arguments) => explain(context, terminal, arguments),
        TeachVerb::Why(arguments) => {
            let backend = context.backend()?.as_ref();
            let text = teaching::why(backend, reader(), &backend.find(&arguments.container)?)?;
            terminal.line(text)?;
            Ok(0)
        }
        TeachVerb::Diagram(arguments) => diagram(context, terminal, arguments),
        TeachVerb::Resources(arguments) => resources(context, terminal, arguments),
    }
}

/// Translates a Docker command line; needs no engine.
fn translated(terminal: &mut Terminal, words: &[String]) -> CommandResult {
    let text = match words {
        [text] if text.contains(char::is_whitespace) => {
            teaching::from_docker(&from_docker::DockerTranslator, text)?
        }
        words => ui::expression::lines(&from_docker::read(words)?),
    };
    terminal.line(text)?;
    Ok(0)
}

fn explain(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &ExplainArguments,
) -> CommandResult {
    let backend = context.backend()?.as_ref();
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
    terminal.text(&text)?;
    Ok(0)
}

fn diagram(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &DiagramArguments,
) -> CommandResult {
    let backend = context.backend()?.as_ref();
    let id = arguments.container.as_deref().map(|name| backend.find(name)).transpose()?;
    let reader = ReaderProfile { ascii: arguments.ascii || reader().ascii, ..reader() };
    let picture = teaching::diagram(backend, reader, id.as_ref(), arguments.svg.is_some())?;
    match &arguments.svg {
        Some(path) => {
            let what = || format!("write `{}`", path.display());
            write_atomic(path, |out| out.write_all(picture.as_bytes()).context(what))?;
        }
        None => terminal.text(&picture)?,
    }
    Ok(0)
}

fn resources(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &ResourcesArguments,
) -> CommandResult {
    let backend = context.backend()?.as_ref();
    let id = backend.find(&arguments.container)?;
    let time = parse_duration(&arguments.time).map_err(|error| error.context("--time"))?;
    let cancel = context.interruptible()?;
    terminal.text(&teaching::resources(backend, reader(), &id, time, cancel)?)?;
    Ok(0)
}

/// Runs `work` and prints its trace on standard error.
pub fn traced(
    tracing: Tracing,
    terminal: &mut Terminal,
    work: impl FnOnce(&mut Terminal) -> u8,
) -> u8 {
    if tracing == Tracing::Off {
        return work(terminal);
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
    let code = work(terminal);
    let cause = TracedCall { words: String::new(), steps: trace::end() };
    let text = teach::trace::trace(reader(), &[cause]);
    // If standard error is closed, the trace cannot be printed.
    let _ = terminal.err().and_then(|err| std::io::Write::write_all(err, text.as_bytes()));
    let _ = terminal.flush();
    code
}
