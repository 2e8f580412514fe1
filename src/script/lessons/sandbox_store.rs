//! The environment of a lesson: a store with only the image `host`, values, and scripts that check
//! the engine unseen.

use std::sync::Arc;
use std::time::Duration;

use super::format::Lesson;
use super::values::{self, Values};
use crate::engine::{Backend, CancelToken};
use crate::model::container::options::RemoveOptions;
use crate::model::image::PullPolicy;
use crate::model::image::usage::RemoveImageOptions;
use crate::model::observe::volume::RemoveVolumeOptions;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::script::host::{Limits, Output, ScriptHost};
use crate::script::session::Session;

/// The limits of a lesson's script: time and operations.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(20);
pub(super) const OPERATIONS: u64 = 5_000_000;

/// Chooses the values of a lesson; no two are equal.
pub(super) fn chosen(lesson: &Lesson) -> Result<Values> {
    let mut chosen = Values::new();
    for (name, kind) in &lesson.values {
        let mut value = values::choose(kind)?;
        for _ in 0..20 {
            if !chosen.values().any(|known| *known == value) {
                break;
            }
            value = values::choose(kind)?;
        }
        chosen.insert(name.clone(), value);
    }
    Ok(chosen)
}

/// Removes everything that an earlier lesson may have left: all but the image `host`.
///
/// # Errors
/// When something cannot be removed.
pub fn clear(backend: &dyn Backend) -> Result<()> {
    let cancel = &CancelToken::new()?;
    let all = RemoveOptions { force: true, volumes: true };
    for container in backend.ps()? {
        backend.rm(&container.spec.id, &all, cancel)?;
    }
    let mut going: Vec<String> = Vec::new();
    for image in backend.images()? {
        let is_host = |tag: &Reference| tag.familiar() == "host:latest";
        let kept = image.tags.iter().any(is_host);
        going.extend(image.tags.iter().filter(|tag| !is_host(tag)).map(Reference::familiar));
        if !kept && image.tags.is_empty() && !image.intermediate {
            going.push(image.id.to_string());
        }
    }
    let going: Vec<&str> = going.iter().map(String::as_str).collect();
    for removed in backend.rmi_each(&going, &RemoveImageOptions { force: true })? {
        removed?;
    }
    let volumes = backend.volumes()?;
    let names: Vec<&str> = volumes.iter().map(|volume| volume.volume.name.as_str()).collect();
    let force = RemoveVolumeOptions { force: true, created: None };
    for removed in backend.volume_rm_each(&names, &force)? {
        removed?;
    }
    backend.image("host", PullPolicy::Missing).map(drop)
}

/// Runs the `before` script of a lesson.
pub(super) fn prepare(host: &ScriptHost, lesson: &Lesson, values: &Values) -> Result<()> {
    if lesson.before.trim().is_empty() {
        return Ok(());
    }
    ask(host, &lesson.before, values).map(drop).map_err(|report| {
        Error::new(Kind::Invalid, format!("the lesson `{}` cannot begin", lesson.id))
            .cause(report.trim_end())
    })
}

/// Evaluates a script of a lesson in its own interpreter; `Err` is the report of its failure.
pub(super) fn ask(host: &ScriptHost, script: &str, values: &Values) -> Result<String, String> {
    // A script that hangs is ended by its time limit or by Ctrl-C.
    let cancel = host.cancel.child().map_err(|error| error.to_string())?;
    let limits =
        Limits { time: Some(SCRIPT_TIMEOUT), operations: Some(OPERATIONS), ..Limits::default() };
    let mut session = Session::new(ScriptHost { limits, cancel, ..quiet(host) });
    session.value("lesson", &values::put(script, values))
}

/// Returns a host with the same engine, and without output and observers.
pub(super) fn quiet(host: &ScriptHost) -> ScriptHost {
    ScriptHost { output: Arc::new(NoOutput), ..host.clone() }
}

/// The output of a check is discarded.
#[derive(Debug)]
struct NoOutput;

impl Output for NoOutput {
    fn write_out(&self, _bytes: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    fn write_err(&self, _bytes: &[u8]) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns whether two answers are equal, apart from quotes, case and space; numbers are compared
/// by value.
pub(super) fn is_same(right: &str, given: &str) -> bool {
    let plain = |text: &str| text.trim().trim_matches(['"', '\'', '`']).trim().to_lowercase();
    let (right, given) = (plain(right), plain(given));
    let numbers = right.parse::<f64>().ok().zip(given.parse::<f64>().ok());
    right == given || numbers.is_some_and(|(right, given)| (right - given).abs() < 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_compared_by_what_they_say() {
        for (right, given, same) in [
            ("137", "137", true),
            ("137", " 137.0 ", true),
            ("exited", "\"Exited\"", true),
            ("137", "1", false),
            ("", "x", false),
        ] {
            assert_eq!(is_same(right, given), same, "{right} {given}");
        }
    }
}
