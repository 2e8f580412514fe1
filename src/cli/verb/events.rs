//! `events`: prints the events of containers, images and volumes.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::context::CommandContext;
use super::filters::event_filter;
use super::list::template;
use crate::cli::arguments::EventsArguments;
use crate::cli::terminal::command_result::{BAD_TEMPLATE, CommandError, CommandResult};
use crate::cli::terminal::screen::Terminal;
use crate::cli::terminal::time_arg::time_arg;
use crate::model::observe::event::{Event, EventOptions};
use crate::model::value::visible::escape_json;
use crate::model::{Kind, Result};
use crate::ui;
use crate::ui::format::template::Template;

/// Carries out `events`. Ends at `--until`, or on Ctrl-C.
///
/// # Errors
/// When a time, a filter or the template is invalid, or the events cannot be read.
pub fn events(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &EventsArguments,
) -> CommandResult {
    let options = options(arguments, Timestamp::now())?;
    let style = Style::of(arguments.format.as_deref())?;
    let backend = context.backend()?;
    let cancel = context.interruptible()?;
    let mut events = backend.events(&options)?;
    loop {
        let mut next = events.next_event(Some(Duration::ZERO), cancel);
        report_unreadable(terminal, events.take_unreadable())?;
        if next.as_ref().is_err_and(|error| error.kind() == Kind::Timeout) {
            terminal.flush()?;
            next = events.next_event(None, cancel);
            report_unreadable(terminal, events.take_unreadable())?;
        }
        let Some(event) = next? else { return Ok(0) };
        terminal.line(style.show(&event)?)?;
    }
}

/// Says how many lines of the journal could not be read, as `logs` does of lost output.
fn report_unreadable(terminal: &mut Terminal, lines: u64) -> std::io::Result<()> {
    let (count, noun) = (lines, if lines == 1 { "line" } else { "lines" });
    match lines {
        0 => Ok(()),
        _ => terminal.notice(format_args!(
            "[lifebox: {count} {noun} of the journal cannot be read: lifebox system check --repair]"
        )),
    }
}

fn options(arguments: &EventsArguments, now: Timestamp) -> Result<EventOptions> {
    let time = |text: &Option<String>| {
        let given = text.as_deref().filter(|text| !text.is_empty());
        given.map(|text| time_arg(text, now, TimeZone::system)).transpose()
    };
    Ok(EventOptions {
        since: time(&arguments.since)?,
        until: time(&arguments.until)?,
        follow: true,
        filter: event_filter(&arguments.filter)?,
    })
}

/// The format of an event.
enum Style {
    Text(TimeZone),
    Json,
    Template(Template),
}

impl Style {
    fn of(format: Option<&str>) -> std::result::Result<Style, CommandError> {
        match (format, template(format).map_err(CommandError::with_code(BAD_TEMPLATE))?) {
            (Some("json" | "{{json .}}"), _) => Ok(Style::Json),
            (_, None) => Ok(Style::Text(TimeZone::system())),
            (_, Some(template)) => {
                // Fails for a wrong field now, not at the first event.
                let example = ui::table::events::fields(&Event::example());
                template.render(&example).map_err(CommandError::with_code(BAD_TEMPLATE))?;
                Ok(Style::Template(template))
            }
        }
    }

    fn show(&self, event: &Event) -> std::result::Result<String, CommandError> {
        match self {
            Style::Text(zone) => Ok(ui::table::events::event(event, zone)),
            Style::Json => Ok(escape_json(&ui::table::events::json(event).to_string())),
            Style::Template(template) => Ok(template.line(&ui::table::events::fields(event))?),
        }
    }
}
