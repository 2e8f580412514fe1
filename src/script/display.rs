//! Formats the value of a REPL input: tables for lists of handles, lines for events, a summary for
//! one handle, otherwise as the script would write the value.

use rhai::{Array, Dynamic, Engine, ImmutableString, Map};

use crate::model::value::visible::{escape_line, one_line};
use crate::model::{Error, Kind, Result};
use crate::script::bounded::text_of;
use crate::script::flow::logs::Logs;
use crate::script::values;
use crate::script::values::event::Event;
use crate::script::values::format;
use crate::script::values::handle::{Container, Image};
use crate::ui::format::columns::align;

/// Returns the text of a value; `None` for `()`.
pub fn value(engine: &Engine, value: &Dynamic) -> Option<String> {
    let value = value.clone().flatten();
    if value.is_unit() {
        return None;
    }
    if let Some(list) = value.read_lock::<Array>().filter(|list| !list.is_empty()) {
        let event = |item: &Dynamic| item.read_lock::<Event>().map(|event| event.line());
        let events: Option<Vec<_>> = list.iter().map(event).collect();
        if let Some(text) = events.map(|lines| lines.join("\n")).or_else(|| of_handles(&list)) {
            return Some(text);
        }
    }
    if let Some(container) = value.read_lock::<Container>() {
        return Some(container_summary(&container));
    }
    if let Some(image) = value.read_lock::<Image>() {
        return Some(image_summary(&image));
    }
    if let Some(logs) = value.read_lock::<Logs>() {
        return logs.text(None).ok().map(|text| text.trim_end_matches('\n').to_owned());
    }
    if let Some(text) = value.read_lock::<ImmutableString>().filter(|text| text.contains('\n')) {
        // A string of several lines, such as a table, is not quoted: quotes would make it
        // unreadable.
        return Some(text.trim_end_matches('\n').to_owned());
    }
    Some(pretty(engine, &value, 0))
}

/// The width up to which a value is printed in one line.
const WIDEST: usize = 76;
/// The length in bytes from which a value is not laid out: that writes each part again.
const LONGEST: usize = 16 << 20;

/// Formats a value as the script would write it: in one line if it fits, otherwise one entry a
/// line.
fn pretty(engine: &Engine, value: &Dynamic, depth: usize) -> String {
    let text = engine.eval_fn_call::<ImmutableString>("to_debug", None, (value.clone(),));
    let line = text.map_or_else(|_| text_of(value), |text| text.to_string());
    if line.len() > LONGEST || line.chars().count() + 2 * depth <= WIDEST {
        return line;
    }
    let inner = "  ".repeat(depth + 1);
    let whole = |open: &str, entries: Vec<String>, close: &str| {
        let lines: Vec<String> = entries.iter().map(|entry| format!("{inner}{entry},\n")).collect();
        format!("{open}\n{}{}{close}", lines.concat(), "  ".repeat(depth))
    };
    if let Some(map) = value.read_lock::<Map>().filter(|map| !map.is_empty()) {
        let entry = |(key, value): (&_, &Dynamic)| {
            format!("{key:?}: {}", pretty(engine, &value.clone().flatten(), depth + 1))
        };
        return whole("#{", map.iter().map(entry).collect(), "}");
    }
    if let Some(list) = value.read_lock::<Array>().filter(|list| !list.is_empty()) {
        let entry = |value: &Dynamic| pretty(engine, &value.clone().flatten(), depth + 1);
        return whole("[", list.iter().map(entry).collect(), "]");
    }
    line
}

/// Returns the table of `ps` or of `images`, or of rows that are arrays of cells.
///
/// # Errors
/// [`Kind::Invalid`] for an array of anything else.
pub fn table(list: &[Dynamic]) -> Result<String> {
    if list.is_empty() {
        return Ok(String::new());
    }
    let rows: Option<Vec<_>> = list.iter().map(|row| row.read_lock::<Array>()).collect();
    if let Some(rows) = rows {
        // Tabs and newlines become spaces: they would end a cell or a line.
        let cell = |cell: &Dynamic| one_line(&text_of(cell));
        let line = |row: &Array| row.iter().map(cell).collect::<Vec<_>>().join("\t");
        let lines: Vec<String> = rows.iter().map(|row| line(row)).collect();
        return Ok(align(&lines.join("\n")).trim_end_matches('\n').to_owned());
    }
    of_handles(list).ok_or_else(|| {
        let kinds: Vec<_> = list.iter().take(1).map(values::type_of).collect();
        Error::new(
            Kind::Invalid,
            format!("table(): expected containers, images or arrays, got {}", kinds.join("")),
        )
    })
}

/// Returns the table of containers, or of images.
fn of_handles(list: &[Dynamic]) -> Option<String> {
    let containers: Option<Vec<_>> =
        list.iter().map(|item| item.clone().flatten().try_cast::<Container>()).collect();
    if let Some(containers) = containers {
        // A container that was removed meanwhile is left out, as in `ps`.
        let records: Vec<_> = containers.iter().filter_map(|c| c.now().ok()).collect();
        return Some(format::containers(&records));
    }
    let images: Option<Vec<_>> =
        list.iter().map(|item| item.clone().flatten().try_cast::<Image>()).collect();
    let now = |image: &Image| image.now().unwrap_or_else(|_| image.metadata().clone());
    images.map(|images| format::images(&images.iter().map(now).collect::<Vec<_>>()))
}

fn container_summary(container: &Container) -> String {
    let Ok(record) = container.now() else {
        return format!("{container:?}");
    };
    let mut line = format!("{container:?}");
    let argv = escape_line(&record.spec.config.argv().join(" "));
    line.push_str(&format!(
        "  {}  {}  `{argv}`",
        container.id().short(),
        record.spec.image.reference
    ));
    if record.state.pid != 0 {
        line.push_str(&format!("  pid {}", record.state.pid));
    }
    if let Ok(Some(code)) = container.exit_code() {
        line.push_str(&format!("  exit code {code}"));
    }
    if !record.state.error.is_empty() {
        line.push_str(&format!("\n  {}", escape_line(&record.state.error)));
    }
    line
}

fn image_summary(image: &Image) -> String {
    let data = image.metadata();
    let command = data.config.entrypoint.iter().chain(&data.config.cmd).flatten();
    let argv = escape_line(&command.map(String::as_str).collect::<Vec<_>>().join(" "));
    let size = crate::model::value::units::human_size(data.size);
    let platform = escape_line(&format!("{}/{}", data.os, data.architecture));
    format!("{image:?}  {size}  {platform}  `{argv}`")
}
