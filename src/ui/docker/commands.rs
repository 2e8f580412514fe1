//! The Docker commands that create a container and bring it to its status.

use super::flags;
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
use crate::ui::messages::format_message;

/// Returns the commands that create such a container and bring it to its status, a line each.
/// Comments before them name the options that Docker expresses differently.
///
/// # Errors
/// [`Kind::Corrupt`] if the container's record is damaged; [`Kind::Unsupported`] for a NUL byte.
pub fn commands(
    language: Language,
    container: &Container,
    image: &ImageConfig,
) -> Result<Vec<String>> {
    let state = &container.state;
    let name = state.name.as_str();
    if state.status == Status::Dead {
        let message = format!("cannot translate `{name}`: its record is damaged");
        return Err(Error::new(Kind::Corrupt, message).cause(state.error.clone()));
    }
    let options = overrides::overrides(container, image);
    // Input that closes with its client is not that of `run -d`.
    let is_once = container.spec.config.stdin_once();
    let verb: &[&str] = match state.status {
        Status::Created => &["create"],
        _ if is_once => &["create"],
        _ => &["run", "-d"],
    };
    let mut lines = notes(language, &options);
    let mut words: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
    words.extend(self::words(&container.spec.image.reference, &options));
    lines.push(line(&words)?);
    if is_once && state.status != Status::Created {
        lines.push(line(&["start".to_owned(), name.to_owned()])?);
    }
    for verb in status_commands(state.status, state.stopped.as_ref()) {
        lines.push(line(&[verb, vec![name.to_owned()]].concat())?);
    }
    Ok(lines)
}

/// Returns the words after `docker create`: flags, image and command.
pub fn words(image: &str, options: &CreateOptions) -> Vec<String> {
    let mut words = flags::all(options);
    words.push(image.to_owned());
    // Docker's `--entrypoint` takes one word. The other words go before the command; the program is
    // executed with the same arguments.
    words.extend(options.entrypoint.iter().flat_map(|list| list.iter().skip(1).cloned()));
    words.extend(options.cmd.iter().flatten().cloned());
    words
}

/// Quotes a Docker command for a shell.
///
/// # Errors
/// [`Kind::Unsupported`] for a NUL byte.
pub fn line(words: &[String]) -> Result<String> {
    shell::quoted_visibly(std::iter::once("docker").chain(words.iter().map(String::as_str)))
}

/// Returns the verbs that bring a running container to a status.
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
        (Status::Created | Status::Running | Status::Restarting | Status::Dead, _) => &[],
    };
    verbs.iter().map(|words| words.iter().map(|word| (*word).to_owned()).collect()).collect()
}

/// Returns the comments on options that Docker expresses differently.
fn notes(language: Language, options: &CreateOptions) -> Vec<String> {
    let part =
        matches!(options.stop_timeout, Some(StopTimeout::After(time)) if time.subsec_nanos() > 0);
    let words = options.entrypoint.as_ref().is_some_and(|words| words.len() > 1);
    let test = options.supervision.health.test.first().is_some_and(|kind| kind == "CMD");
    let notes = [(part, "docker-seconds"), (words, "docker-entrypoint"), (test, "docker-health")];
    let notes = notes.iter().filter(|(holds, _)| *holds);
    notes.map(|(_, id)| format!("# {}", format_message(language, id, &[]))).collect()
}
