//! `inspect`: prints containers and images as Docker's JSON.

use serde::Serialize as _;
use serde_json::Value;

use super::context::CommandContext;
use crate::cli::arguments::{InspectArguments, Subject};
use crate::cli::terminal::command_result::{BAD_TEMPLATE, CommandError, CommandResult, FAILED};
use crate::cli::terminal::finish::print_error;
use crate::cli::terminal::screen::Terminal;
use crate::engine::Backend;
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
        look_up(backend, name, only)
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
    } else if format.is_some() {
        terminal.line(escape_json(&Value::Array(found).to_string()))?;
    } else {
        terminal.text(&escape_json(&indented(&Value::Array(found))))?;
    }
    errors.iter().for_each(|error| print_error(terminal, error));
    Ok(if errors.is_empty() { 0 } else { FAILED })
}

/// Returns the container of this name, or else the image.
fn look_up(backend: &dyn Backend, name: &str, only: Option<Subject>) -> Result<Value> {
    let container = || backend.find(name).and_then(|id| backend.inspect_json(&id));
    match only {
        Some(Subject::Container) => container(),
        Some(Subject::Image) => backend.image_json(name),
        None => container().or_else(|error| match error.kind() {
            Kind::NotFound => backend.image_json(name).map_err(|error| match error.kind() {
                Kind::NotFound | Kind::Invalid => {
                    Error::new(Kind::NotFound, format!("no such object: `{name}`"))
                        .hint("see `lifebox ps -a` and `lifebox images`")
                }
                _ => error,
            }),
            _ => Err(error),
        }),
    }
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
