//! `inspect`: prints containers, images and volumes as Docker's JSON.

use serde::Serialize as _;
use serde_json::Value;

use super::context::CommandContext;
use super::images::check_platform;
use crate::cli::arguments::store::InspectImageArguments;
use crate::cli::arguments::{InspectArguments, Subject};
use crate::cli::terminal::command_result::{BAD_TEMPLATE, CommandError, CommandResult, FAILED};
use crate::cli::terminal::finish::print_error;
use crate::cli::terminal::screen::Terminal;
use crate::engine::Backend;
use crate::model::observe::volume;
use crate::model::value::visible::escape_json;
use crate::model::{Error, Kind, Result};
use crate::ui::format::template::Template;

/// Carries out `inspect`. `only` is the noun before the verb.
///
/// # Errors
/// When the template is invalid, or the output cannot be written. A missing name is reported and
/// makes the exit code 1; the other documents are still printed.
pub fn inspect(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &InspectArguments,
    only: Option<Subject>,
) -> CommandResult {
    let backend = context.backend()?.as_ref();
    let only = only.or(arguments.kind);
    show(terminal, arguments.format.as_deref(), &arguments.names, |name| {
        look_up(backend, name, only, arguments.size)
    })
}

/// Carries out `image inspect`.
///
/// # Errors
/// As [`inspect`]. [`Kind::NotFound`] for an image of another platform.
pub fn images(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &InspectImageArguments,
) -> CommandResult {
    let backend = context.backend()?.as_ref();
    show(terminal, arguments.format.as_deref(), &arguments.images, |name| {
        check_platform(context, arguments.platform.as_ref(), &[name])?;
        backend.image_json(name)
    })
}

/// Prints the documents of these names.
///
/// # Errors
/// As [`inspect`].
pub fn show(
    terminal: &mut Terminal,
    format: Option<&str>,
    names: &[String],
    look_up: impl Fn(&str) -> Result<Value>,
) -> CommandResult {
    let format = format.filter(|format| !format.is_empty());
    let template = match format {
        Some("json") | None => None,
        Some(text) => Some(Template::parse(text).map_err(CommandError::with_code(BAD_TEMPLATE))?),
    };
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for name in names {
        match look_up(name) {
            Ok(value) => found.push(value),
            Err(error) => errors.push(error),
        }
    }
    if let Some(template) = template {
        for value in &found {
            terminal.line(template.render(value)?)?;
        }
        // As Docker, whose output ends with a newline then too.
        if found.is_empty() {
            terminal.line("")?;
        }
    } else if format.is_some() {
        terminal.line(escape_json(&Value::Array(found).to_string()))?;
    } else {
        terminal.text(&escape_json(&indented(&Value::Array(found))))?;
    }
    errors.iter().for_each(|error| print_error(terminal, error));
    Ok(if errors.is_empty() { 0 } else { FAILED })
}

/// Returns the container of this name, or else the image or the volume.
fn look_up(backend: &dyn Backend, name: &str, only: Option<Subject>, size: bool) -> Result<Value> {
    match only {
        Some(Subject::Container) => return container(backend, name, size),
        Some(Subject::Image) => return backend.image_json(name),
        Some(Subject::Volume) => return backend.volume(name).map(|one| volume::inspect(&one)),
        None => {}
    }
    let is_missing = |error: &Error| matches!(error.kind(), Kind::NotFound | Kind::Invalid);
    container(backend, name, size)
        .or_else(|error| match error.kind() {
            Kind::NotFound => backend.image_json(name),
            _ => Err(error),
        })
        .or_else(|error| match is_missing(&error) {
            true => backend.volume(name).map(|one| volume::inspect(&one)),
            false => Err(error),
        })
        .map_err(|error| match is_missing(&error) {
            true => Error::new(Kind::NotFound, format!("no such object: `{name}`"))
                .hint("see `lifebox ps -a`, `lifebox images` and `lifebox volume ls`"),
            false => error,
        })
}

/// Returns a container's document; with `size` as Docker's `--size`, what it has written too.
fn container(backend: &dyn Backend, name: &str, size: bool) -> Result<Value> {
    let id = backend.find(name)?;
    let mut shown = backend.inspect_json(&id)?;
    if size {
        let written = backend.container_size(&id)?;
        let image = backend.inspect(&id)?.spec.image.id;
        let of_image = backend.image_json(image.as_str()).map(|image| image["Size"].as_u64());
        let of_image = of_image.ok().flatten().unwrap_or_default();
        shown["SizeRw"] = written.into();
        shown["SizeRootFs"] = written.saturating_add(of_image).into();
    }
    Ok(shown)
}

/// Formats JSON with an indentation of four spaces, as Docker's.
fn indented(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    let written = value.serialize(&mut serializer);
    bytes.push(b'\n');
    // Neither can fail for a value in memory; the compact form is the same data.
    match (written, String::from_utf8(bytes)) {
        (Ok(()), Ok(text)) => text,
        _ => format!("{value}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_as_dockers() {
        for text in [
            include_str!("../../../tests/reference/inspect-exited.json"),
            include_str!("../../../tests/reference/image-inspect.json"),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(indented(&value).trim_end(), text.trim_end());
        }
        assert_eq!(indented(&Value::Array(vec![])), "[]\n");
    }
}
