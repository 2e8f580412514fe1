//! A container in the words of Docker: the commands that would make the same one.

mod flags;

pub use flags::log_options;

use crate::model::container::Container;
use crate::model::container::options::{CreateOptions, StopTimeout};
use crate::model::container::phase::StopRecord;
use crate::model::container::status::Status;
use crate::model::creation::overrides;
use crate::model::image::ImageConfig;
use crate::model::value::language::Language;
use crate::model::value::shell;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};

use super::messages::format_message;

/// The commands that make such a container and bring it to its present state, a line each. What
/// Docker can only say in another way is told in comments before.
///
/// # Errors
/// [`Kind::Corrupt`] where its record is damaged; [`Kind::Unsupported`] for a text that no shell
/// takes.
pub fn commands(
    language: Language,
    container: &Container,
    image: &ImageConfig,
) -> Result<Vec<String>> {
    let state = &container.state;
    let name = state.name.as_str();
    if state.status == Status::Dead {
        let message = format!("what `{name}` was made of cannot be told: its record is damaged");
        return Err(Error::new(Kind::Corrupt, message).cause(state.error.clone()));
    }
    let options = overrides::overrides(container, image);
    let verb: &[&str] = match state.status {
        Status::Created => &["create"],
        _ => &["run", "-d"],
    };
    let mut lines = notes(language, &options);
    let mut words: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
    words.extend(self::words(&container.spec.image.reference, &options));
    lines.push(line(&words)?);
    for verb in status_commands(state.status, state.stopped.as_ref()) {
        lines.push(line(&[verb, vec![name.to_owned()]].concat())?);
    }
    Ok(lines)
}

/// What follows `docker create`: flags, image and command.
pub fn words(image: &str, options: &CreateOptions) -> Vec<String> {
    let mut words = flags::all(options);
    words.push(image.to_owned());
    // Docker's flag takes one word; the others come before the command, which is the same to run.
    words.extend(options.entrypoint.iter().flat_map(|list| list.iter().skip(1).cloned()));
    words.extend(options.cmd.iter().flatten().cloned());
    words
}

/// A command of Docker, quoted for a shell.
///
/// # Errors
/// [`Kind::Unsupported`] for a NUL byte.
pub fn line(words: &[String]) -> Result<String> {
    shell::quoted(std::iter::once("docker").chain(words.iter().map(String::as_str)))
}

/// The verbs that bring what runs to a state.
fn status_commands(status: Status, stopped: Option<&StopRecord>) -> Vec<Vec<String>> {
    let verbs: &[&[&str]] = match (status, stopped) {
        (Status::Paused, _) => &[&["pause"]],
        (Status::Exited, Some(stopped)) if stopped.stop => &[&["stop"]],
        (Status::Exited, Some(stopped)) if stopped.signal == Signal::KILL => {
            &[&["kill"], &["wait"]]
        }
        (Status::Exited, Some(stopped)) => {
            &[&["kill", "--signal", &stopped.signal.to_string()], &["wait"]]
        }
        (Status::Exited, None) => &[&["wait"]],
        _ => &[],
    };
    verbs.iter().map(|words| words.iter().map(|word| (*word).to_owned()).collect()).collect()
}

/// What Docker can only say in another way.
fn notes(language: Language, options: &CreateOptions) -> Vec<String> {
    let part =
        matches!(options.stop_timeout, Some(StopTimeout::After(time)) if time.subsec_nanos() > 0);
    let words = options.entrypoint.as_ref().is_some_and(|words| words.len() > 1);
    let test = options.supervision.health.test.first().is_some_and(|kind| kind == "CMD");
    let notes = [(part, "docker-seconds"), (words, "docker-entrypoint"), (test, "docker-health")];
    let notes = notes.iter().filter(|(holds, _)| *holds);
    notes.map(|(_, id)| format!("# {}", format_message(language, id, &[]))).collect()
}
