//! What teaching shows, taken from an engine and put into words: for functions and verbs alike.
//! No script engine is needed for any of it.

pub(super) mod trace;

use std::time::Duration;

use crate::engine::{Backend, CancelToken};
use crate::model::container::status;
use crate::model::container::status::{Action, Transition};
use crate::model::error::Context as _;
use crate::model::image::PullPolicy;
use crate::model::observe::log::LogOptions;
use crate::model::observe::stats::Stats;
use crate::model::value::id::ContainerId;
use crate::model::value::language::ReaderProfile;
use crate::model::value::shell;
use crate::model::{Error, Kind, Result};
use crate::script::host::CommandLineReader;
use crate::ui::{self, messages};

/// How long what runs is watched where nobody says otherwise.
pub const A_SECOND: Duration = Duration::from_secs(1);
/// How many samples that gives.
const SAMPLES: u32 = 40;
/// How many of the last lines may tell why a container ended.
const LAST_LINES: u64 = 5;

/// What a verb would do to a container.
///
/// # Errors
/// [`Kind::Refused`] where it is not legal now, [`Kind::Invalid`] for a word that is no verb.
pub fn plan(
    backend: &dyn Backend,
    reader: ReaderProfile,
    verb: &str,
    id: &ContainerId,
) -> Result<String> {
    let action = Action::from_verb(verb).ok_or_else(|| {
        let verbs =
            Action::ALL.into_iter().filter(|action| action.changes_status()).map(Action::verb);
        let verbs: Vec<_> = verbs.collect();
        Error::new(
            Kind::Invalid,
            format!("explain(): `{verb}` is no verb that changes a container"),
        )
        .hint(format!("one of: {}", verbs.join(", ")))
    })?;
    let state = backend.inspect(id)?.state;
    let (name, status) = (state.name, state.status.as_str());
    let deeds = backend.plan_action(id, action)?;
    if status::transition(state.status, action) == Ok(Transition::Stays) {
        let status = messages::format_message(reader.language, &format!("status-{status}"), &[]);
        let facts = [("verb", verb), ("name", name.as_str()), ("status", status.as_str())];
        return Ok(format!(
            "{}\n",
            messages::format_message(reader.language, "explain-nothing", &facts)
        ));
    }
    Ok(ui::teach::trace::plan(reader, verb, name.as_str(), &deeds))
}

/// A container in the kernel and on the disk.
///
/// # Errors
/// When it can't be looked into.
pub fn container(backend: &dyn Backend, reader: ReaderProfile, id: &ContainerId) -> Result<String> {
    Ok(ui::teach::introspection::container(reader.language, &backend.introspect(id)?))
}

/// Where what a container has at a path comes from.
///
/// # Errors
/// [`Kind::Invalid`] for a path that is not absolute; when a layer can't be read.
pub fn sources(
    backend: &dyn Backend,
    reader: ReaderProfile,
    id: &ContainerId,
    path: &str,
) -> Result<String> {
    Ok(ui::teach::introspection::sources(reader.language, path, &backend.path_layers(id, path)?))
}

/// An image on the disk.
///
/// # Errors
/// When it can't be read.
pub fn image(backend: &dyn Backend, reader: ReaderProfile, reference: &str) -> Result<String> {
    Ok(ui::teach::introspection::image(reader.language, &backend.introspect_image(reference)?))
}

/// Why a container is as it is.
///
/// # Errors
/// When its record or log can't be read.
pub fn why(backend: &dyn Backend, reader: ReaderProfile, id: &ContainerId) -> Result<String> {
    let container = backend.inspect(id)?;
    let options = LogOptions { tail: Some(LAST_LINES), ..LogOptions::default() };
    let mut lines = Vec::new();
    // One whose record is damaged has no log that could be read.
    if let Ok(mut log) = backend.logs(id, &options) {
        let cancel = CancelToken::new()?;
        while let Ok(Some(line)) = log.next_line(None, &cancel) {
            lines.push(line.text().trim_end().to_owned());
        }
    }
    Ok(ui::teach::why::status_reason(reader.language, &container, &lines))
}

/// The life cycle, with the place of a container in it; as text or as SVG.
///
/// # Errors
/// When the container can't be found.
pub fn diagram(
    backend: &dyn Backend,
    reader: ReaderProfile,
    id: Option<&ContainerId>,
    svg: bool,
) -> Result<String> {
    let state = id.map(|id| backend.inspect(id)).transpose()?.map(|container| container.state);
    let here = state.as_ref().map(|state| (state.name.as_str(), state.status));
    Ok(match svg {
        true => ui::teach::diagram::svg(reader.language, here),
        false => ui::teach::diagram::diagram(reader.language, here, reader.ascii),
    })
}

/// What a container uses and has used. One that runs is watched for `time`.
///
/// # Errors
/// When it can't be measured, or [`Kind::Cancelled`].
pub fn resources(
    backend: &dyn Backend,
    reader: ReaderProfile,
    id: &ContainerId,
    time: Duration,
    cancel: &CancelToken,
) -> Result<String> {
    let what = || "measure it".to_owned();
    let mut samples: Vec<Stats> = vec![backend.stats(id).context(what)?];
    if backend.inspect(id)?.state.status.is_live() && !backend.is_dry_run() {
        for _ in 0..SAMPLES {
            cancel.sleep(time / SAMPLES)?;
            samples.push(backend.stats(id).context(what)?);
        }
    }
    let disk = backend.container_size(id)?;
    let container = backend.inspect(id)?;
    let measured = ui::table::resources::Measured { container, samples, disk };
    Ok(ui::table::resources::resources(reader, &measured))
}

/// The commands of Docker that make such a container and bring it to its present state.
///
/// # Errors
/// When its record is damaged.
pub fn docker(backend: &dyn Backend, reader: ReaderProfile, id: &ContainerId) -> Result<String> {
    let container = backend.inspect(id)?;
    // Where the image is gone, all that came of it has to be said.
    let image = backend.image(&container.spec.image.id.to_string(), PullPolicy::Never);
    let config = image.map(|image| image.config).unwrap_or_default();
    Ok(ui::docker::commands(reader.language, &container, &config)?.join("\n"))
}

/// The statements of the language that do the same as commands of Docker, a line each.
///
/// # Errors
/// For what is no command or cannot be said, with its name.
pub fn from_docker(commands: &dyn CommandLineReader, text: &str) -> Result<String> {
    let read = |words: Vec<String>| commands.read(&words);
    let all = shell::commands(text)?.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    if all.is_empty() {
        return Err(Error::new(Kind::Invalid, "a command of Docker is wanted")
            .hint("such as: docker run -d nginx"));
    }
    Ok(ui::expression::lines(&all.concat()))
}
