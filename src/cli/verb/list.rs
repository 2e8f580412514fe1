//! `ps`, `images` and `history`.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::context::CommandContext;
use super::filters::{FilterSet, Filters};
use super::images::check_platform;
use crate::cli::arguments::PsArguments;
use crate::cli::arguments::store::{HistoryArguments, ImagesArguments};
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::cli::terminal::time_arg::time_arg;
use crate::model::container::Container;
use crate::model::image::PullPolicy;
use crate::model::image::filter::ImageFilter;
use crate::model::{Kind, Result};
use crate::ui;
use crate::ui::format::template::Template;
use crate::ui::table::history::HistoryFormat;
use crate::ui::table::ps::DiskUsage;

/// What `raw` stands for where only the ids of images are listed.
const RAW_ID: &str = "image_id: {{.ID}}";

/// Carries out `ps`.
///
/// # Errors
/// The engine's errors.
pub fn ps(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &PsArguments,
) -> CommandResult {
    let created = |name: &str| {
        let backend = context.backend()?;
        Ok(backend.inspect(&backend.find(name)?)?.spec.created)
    };
    let filters = Filters::of_containers(&arguments.filter, created)?;
    let default = || context.config(terminal).ps_format.as_deref();
    let format = format_or(arguments.format.as_deref(), arguments.quiet, default);
    let template = template_or_raw(format, ui::table::ps::RAW)?;
    let mut list = context.backend()?.ps()?;
    choose(&mut list, arguments, &filters);
    if !arguments.quiet {
        name_images_as_now(context, &mut list)?;
    }
    let now = Timestamp::now();
    let format = format.unwrap_or_default();
    // `json` alone names no field.
    let names_size = format.contains(".Size") || format != "json" && format.contains("json");
    let shows_size = arguments.size || names_size;
    let sizes = (shows_size && !arguments.quiet).then(|| disk_usage(context, &list)).transpose()?;
    if arguments.quiet {
        for container in &list {
            let id = &container.spec.id;
            terminal.line(if arguments.no_trunc { id.as_str() } else { id.short() })?;
        }
    } else if let Some(template) = template {
        let zone = TimeZone::system();
        let size = |at: usize| sizes.as_ref().and_then(|sizes| sizes.get(at).copied());
        let fields =
            |(at, one)| ui::table::ps::fields(one, size(at), now, &zone, arguments.no_trunc);
        let rows: Vec<Value> = list.iter().enumerate().map(fields).collect();
        let lines = template.lines(&ui::table::ps::headings(), &rows);
        terminal.text(&lines?)?;
    } else {
        let sizes = sizes.as_deref();
        terminal.text(&ui::table::ps::containers(&list, sizes, now, arguments.no_trunc))?;
    }
    Ok(0)
}

/// Gives a container whose image is no longer found by its name the image's id instead, as Docker
/// lists it.
pub fn name_images_as_now(context: &CommandContext, list: &mut [Container]) -> Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = list.iter().map(|one| one.spec.image.reference.as_str()).collect();
    // Where the list of images is damaged, containers are shown as they were made.
    let Ok(found) = context.backend()?.image_ids(&names) else { return Ok(()) };
    for (one, found) in list.iter_mut().zip(found) {
        let used = &mut one.spec.image;
        if found.as_ref() != Some(&used.id) {
            used.reference = used.id.as_str().to_owned();
        }
    }
    Ok(())
}

/// Returns what each container has written, and that with the files of its image.
fn disk_usage(context: &CommandContext, list: &[Container]) -> Result<Vec<DiskUsage>> {
    let backend = context.backend()?;
    let images: HashMap<_, _> =
        backend.images()?.into_iter().map(|image| (image.id, image.size)).collect();
    let of_one = |one: &Container| {
        let written = match backend.container_size(&one.spec.id) {
            // It was removed meanwhile.
            Err(error) if error.kind() == Kind::NotFound => 0,
            written => written?,
        };
        let of_image = images.get(&one.spec.image.id).copied().unwrap_or_default();
        Ok(DiskUsage { written, whole: written.saturating_add(of_image) })
    };
    list.iter().map(of_one).collect()
}

/// Keeps the containers that pass filters and flags, the newest first.
fn choose(list: &mut Vec<Container>, arguments: &PsArguments, filters: &Filters) {
    let last = match arguments.latest {
        true => Some(1),
        // As Docker: a number below one means no limit.
        false => arguments.last.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0),
    };
    let all = arguments.all || last.is_some() || filters.name_status();
    list.retain(|one| (all || one.state.status.is_live()) && filters.take_container(one));
    if let Some(last) = last {
        list.truncate(last);
    }
}

/// Carries out `images`.
///
/// # Errors
/// The engine's errors.
pub fn images(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &ImagesArguments,
) -> CommandResult {
    let raw = if arguments.quiet { RAW_ID } else { ui::table::images::RAW };
    let default = || context.config(terminal).images_format.as_deref();
    let format = format_or(arguments.format.as_deref(), arguments.quiet, default);
    let template = template_or_raw(format, raw)?;
    let mut filter = image_filter(context, &arguments.filter, FilterSet::Listing)?;
    filter.all = arguments.all;
    filter.references.extend(arguments.repository.clone());
    let list = filter.choose(context.backend()?.images()?);
    let named = format.is_some_and(|format| format.contains(".Digest"));
    let rows = ui::table::images::rows(&list, arguments.digests || named);
    let now = Timestamp::now();
    if let Some(template) = template {
        let zone = TimeZone::system();
        let fields = |row| ui::table::images::fields(row, now, &zone, arguments.no_trunc);
        let rows: Vec<Value> = rows.iter().map(fields).collect();
        let lines = template.lines(&ui::table::images::headings(), &rows);
        terminal.text(&lines?)?;
    } else if arguments.quiet {
        for row in &rows {
            terminal.line(row.id(arguments.no_trunc))?;
        }
    } else {
        let table = ui::table::images::images(&rows, now, arguments.no_trunc, arguments.digests);
        terminal.text(&table)?;
    }
    Ok(0)
}

/// Carries out `history`.
///
/// # Errors
/// When there is no such image.
pub fn history(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &HistoryArguments,
) -> CommandResult {
    let template = template(arguments.format.as_deref())?;
    check_platform(context, arguments.platform.as_ref(), &[arguments.image.as_str()])?;
    let steps = context.backend()?.history(&arguments.image)?;
    let format = HistoryFormat {
        now: Timestamp::now(),
        zone: TimeZone::system(),
        no_trunc: arguments.no_trunc,
        human: arguments.human,
    };
    if let Some(template) = template {
        let rows: Vec<Value> =
            steps.iter().map(|step| ui::table::history::fields(step, &format)).collect();
        let lines = template.lines(&ui::table::history::headings(), &rows);
        terminal.text(&lines?)?;
    } else if arguments.quiet {
        for step in &steps {
            terminal.line(ui::table::history::id(step, &format))?;
        }
    } else {
        terminal.text(&ui::table::history::history(&steps, &format))?;
    }
    Ok(0)
}

/// Parses the filters of `images`.
///
/// # Errors
/// When a filter is invalid, or names a missing image.
pub fn image_filter(
    context: &CommandContext,
    texts: &[String],
    known: FilterSet,
) -> Result<ImageFilter> {
    let created = |name: &str| Ok(context.backend()?.image(name, PullPolicy::Never)?.created);
    let time = |text: &str| time_arg(text, Timestamp::now(), TimeZone::system);
    Filters::of_images(texts, known, created, time)
}

/// Parses `--format`. Returns `None` for the default table, which is also `table` alone.
pub fn template(format: Option<&str>) -> Result<Option<Template>> {
    let Some(text) = format.filter(|text| !matches!(*text, "" | "table")) else { return Ok(None) };
    Template::parse_row(text).map(Some)
}

/// Returns the format of a list: `--format`, else that of Docker's `config.json` unless it shows
/// only ids.
pub fn format_or<'a>(
    flag: Option<&'a str>,
    quiet: bool,
    default: impl FnOnce() -> Option<&'a str>,
) -> Option<&'a str> {
    match flag {
        None | Some("") if !quiet => default(),
        _ => flag,
    }
}

/// As [`template`], where `raw` stands for a template of its own.
pub fn template_or_raw(format: Option<&str>, raw: &str) -> Result<Option<Template>> {
    template(format.map(|text| if text == "raw" { raw } else { text }))
}
