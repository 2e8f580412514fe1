//! `stats`: the usage of containers.

use std::io::IsTerminal as _;
use std::time::Duration;

use serde_json::Value;

use super::context::CommandContext;
use super::list::{format_or, template};
use crate::cli::arguments::StatsArguments;
use crate::cli::terminal::command_result::{CommandError, CommandResult};
use crate::cli::terminal::screen::Terminal;
use crate::engine::Backend;
use crate::model::container::Container;
use crate::model::container::status::Status;
use crate::model::observe::stats::Stats;
use crate::model::value::visible::escape_control;
use crate::model::{Kind, Result};
use crate::ui;
use crate::ui::format::template::Template;
use crate::ui::table::stats::Row;

/// The time between two samples.
const INTERVAL: Duration = Duration::from_secs(1);
/// The time before the first frame.
const FIRST: Duration = Duration::from_millis(250);

/// Carries out `stats`.
///
/// # Errors
/// When a container does not exist.
pub fn stats(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &StatsArguments,
) -> CommandResult {
    let default = || context.config(terminal).stats_format.as_deref();
    let template = template(format_or(arguments.format.as_deref(), false, default))?;
    let backend = context.backend()?.as_ref();
    let cancel = context.interruptible()?;
    let live = std::io::stdout().is_terminal() && !arguments.no_stream;
    let mut before = sample_all(backend, arguments)?;
    cancel.sleep(FIRST)?;
    loop {
        let now = sample_all(backend, arguments)?;
        let rows: Vec<Row> = now.iter().map(|sample| row(sample, &before)).collect();
        let text = render(&rows, template.as_ref(), arguments.no_trunc)?;
        // Overwrites in place instead of clearing the screen, which would flicker.
        match live {
            true => {
                let text = escape_control(&text).replace('\n', "\x1b[K\n");
                terminal.styled(&format!("\x1b[H{text}\x1b[J"))?;
            }
            false => terminal.text(&text)?,
        }
        terminal.flush()?;
        if arguments.no_stream {
            return Ok(0);
        }
        before = now;
        match cancel.sleep(INTERVAL) {
            Err(error) if error.kind() == Kind::Cancelled && live => return Ok(0),
            other => other?,
        }
    }
}

/// The name as it was typed, if one was.
type UsageSample = (Option<String>, Container, Stats);

/// Samples the named containers, or all that run.
fn sample_all(backend: &dyn Backend, arguments: &StatsArguments) -> Result<Vec<UsageSample>> {
    let sample = |(name, container): (_, Container)| match backend.stats(&container.spec.id) {
        Ok(stats) => Ok(Some((name, container, stats))),
        // The container was removed meanwhile.
        Err(error) if error.kind() == Kind::NotFound && arguments.names.is_empty() => Ok(None),
        Err(error) => Err(error),
    };
    let containers: Vec<(Option<String>, Container)> = if arguments.names.is_empty() {
        let mut all = backend.ps()?;
        all.retain(|one| one.state.status != Status::Dead);
        all.retain(|one| arguments.all || one.state.status.is_live());
        all.into_iter().map(|one| (None, one)).collect()
    } else {
        let find = |name: &String| Ok((Some(name.clone()), backend.inspect(&backend.find(name)?)?));
        arguments.names.iter().map(find).collect::<Result<_>>()?
    };
    containers.into_iter().filter_map(|container| sample(container).transpose()).collect()
}

fn row((name, container, now): &UsageSample, before: &[UsageSample]) -> Row {
    let earlier = before.iter().find(|(_, one, _)| one.spec.id == container.spec.id);
    let before = earlier.map_or(*now, |(_, _, stats)| *stats);
    Row { name: name.clone(), container: container.clone(), before, now: *now }
}

fn render(
    rows: &[Row],
    template: Option<&Template>,
    no_trunc: bool,
) -> std::result::Result<String, CommandError> {
    let Some(template) = template else { return Ok(ui::table::stats::table(rows, no_trunc)) };
    let rows: Vec<Value> = rows.iter().map(|row| ui::table::stats::fields(row, no_trunc)).collect();
    Ok(template.lines(&ui::table::stats::headings(), &rows)?)
}
