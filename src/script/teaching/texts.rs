//! The texts: what a function returns and a verb prints.

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

/// The default time over which a running container is sampled.
pub const A_SECOND: Duration = Duration::from_secs(1);

/// The number of samples in that time.
const SAMPLES: u32 = 40;
/// The number of last log lines that may show why a container exited.
const LAST_LINES: u64 = 5;

/// Explains what a verb would do to a container.
///
/// # Errors
/// [`Kind::Refused`] if the verb is not legal now, [`Kind::Invalid`] for a word that is not a verb.
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
            format!("explain(): `{verb}` is not a verb that changes a container"),
        )
        .hint(format!("use one of: {}", verbs.join(", ")))
    })?;
    let state = backend.inspect(id)?.state;
    let (name, status) = (state.name, state.status.as_str());
    let steps = backend.plan_action(id, action)?;
    if status::transition(state.status, action) == Ok(Transition::Stays) {
        let status = messages::format_message(reader.language, &format!("status-{status}"), &[]);
        let facts = [("verb", verb), ("name", name.as_str()), ("status", status.as_str())];
        return Ok(format!(
            "{}\n",
            messages::format_message(reader.language, "explain-nothing", &facts)
        ));
    }
    Ok(ui::teach::trace::plan(reader, verb, name.as_str(), &steps))
}

/// Explains a container in the kernel and on the disk.
///
/// # Errors
/// When the container cannot be inspected.
pub fn container(backend: &dyn Backend, reader: ReaderProfile, id: &ContainerId) -> Result<String> {
    Ok(ui::teach::introspection::container(reader.language, &backend.introspect(id)?))
}

/// Explains which layers a path of a container comes from.
///
/// # Errors
/// [`Kind::Invalid`] for a path that is not absolute; when a layer cannot be read.
pub fn sources(
    backend: &dyn Backend,
    reader: ReaderProfile,
    id: &ContainerId,
    path: &str,
) -> Result<String> {
    Ok(ui::teach::introspection::sources(reader.language, path, &backend.path_layers(id, path)?))
}

/// Explains an image on the disk.
///
/// # Errors
/// When the image cannot be read.
pub fn image(backend: &dyn Backend, reader: ReaderProfile, reference: &str) -> Result<String> {
    Ok(ui::teach::introspection::image(reader.language, &backend.introspect_image(reference)?))
}

/// Explains why a container has its status.
///
/// # Errors
/// When its record or log cannot be read.
pub fn why(backend: &dyn Backend, reader: ReaderProfile, id: &ContainerId) -> Result<String> {
    let container = backend.inspect(id)?;
    let options = LogOptions { tail: Some(LAST_LINES), ..LogOptions::default() };
    let mut lines = Vec::new();
    // A container with a damaged record has no readable log.
    if let Ok(mut log) = backend.logs(id, &options) {
        let cancel = CancelToken::new()?;
        while let Ok(Some(line)) = log.next_line(None, &cancel) {
            lines.push(line.text().trim_end().to_owned());
        }
    }
    Ok(ui::teach::why::status_reason(reader.language, &container, &lines))
}

/// Draws the life cycle, with the status of a container marked; as text or as SVG.
///
/// # Errors
/// When the container cannot be found.
pub fn diagram(
    backend: &dyn Backend,
    reader: ReaderProfile,
    id: Option<&ContainerId>,
    svg: bool,
) -> Result<String> {
    let state = id.map(|id| backend.inspect(id)).transpose()?.map(|container| container.state);
    let current = state.as_ref().map(|state| (state.name.as_str(), state.status));
    Ok(match svg {
        true => ui::teach::diagram::svg(reader.language, current),
        false => ui::teach::diagram::diagram(reader.language, current, reader.ascii),
    })
}

/// Formats the current and past resource usage of a container. A running container is sampled for
/// `time`.
///
/// # Errors
/// When the container cannot be measured, or [`Kind::Cancelled`].
pub fn resources(
    backend: &dyn Backend,
    reader: ReaderProfile,
    id: &ContainerId,
    time: Duration,
    cancel: &CancelToken,
) -> Result<String> {
    let what = || "measure the container".to_owned();
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

/// Returns the Docker commands that create such a container and bring it to its present status.
///
/// # Errors
/// When its record is damaged.
pub fn docker(backend: &dyn Backend, reader: ReaderProfile, id: &ContainerId) -> Result<String> {
    let container = backend.inspect(id)?;
    // Without the image, its defaults must be written out.
    let image = backend.image(&container.spec.image.id.to_string(), PullPolicy::Never);
    let config = image.map(|image| image.config).unwrap_or_default();
    Ok(ui::docker::commands(reader.language, &container, &config)?.join("\n"))
}

/// Translates Docker commands into statements of the language, one a line.
///
/// # Errors
/// For a text that is not a command or has no translation, with its name.
pub fn from_docker(commands: &dyn CommandLineReader, text: &str) -> Result<String> {
    let read = |words: Vec<String>| commands.read(&words);
    let all = shell::commands(text)?.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    if all.is_empty() {
        return Err(Error::new(Kind::Invalid, "expected a Docker command")
            .hint("write a command such as `docker run -d nginx`"));
    }
    Ok(ui::expression::lines(&all.concat()))
}
