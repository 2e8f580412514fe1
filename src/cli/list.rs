//! `ps` and `images`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::arguments::{ImagesArguments, PsArguments};
use super::filters::Filters;
use super::outcome::{BAD_TEMPLATE, Ending, Outcome};
use super::screen::Screen;
use super::shell::Shell;
use crate::model::container::Container;
use crate::model::image::Image;
use crate::ui;
use crate::ui::template::Template;

/// `ps`
///
/// # Errors
/// Why nothing can be listed.
pub fn ps(shell: &Shell, screen: &mut Screen, arguments: &PsArguments) -> Outcome {
    let filters = Filters::of_containers(&arguments.filter)?;
    let template = template(arguments.format.as_deref())?;
    let mut list = shell.backend()?.ps()?;
    choose(&mut list, arguments, &filters);
    let now = Timestamp::now();
    if arguments.quiet {
        for container in &list {
            let id = &container.spec.id;
            screen.line(if arguments.no_trunc { id.as_str() } else { id.short() })?;
        }
    } else if let Some(template) = template {
        let zone = TimeZone::system();
        let rows: Vec<Value> =
            list.iter().map(|one| ui::ps::fields(one, now, &zone, arguments.no_trunc)).collect();
        let lines = template.lines(&ui::ps::headings(), &rows);
        screen.text(&lines.map_err(Ending::coded(BAD_TEMPLATE))?)?;
    } else {
        screen.text(&ui::ps::containers(&list, now, arguments.no_trunc))?;
    }
    Ok(0)
}

/// Keeps the containers that are asked for, the newest first.
fn choose(list: &mut Vec<Container>, arguments: &PsArguments, filters: &Filters) {
    let last = match arguments.latest {
        true => Some(1),
        // Docker: a number below one limits nothing.
        false => arguments.last.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0),
    };
    let all = arguments.all || last.is_some() || filters.name_status();
    list.retain(|one| (all || one.state.status.is_live()) && filters.take_container(one));
    if let Some(last) = last {
        list.truncate(last);
    }
}

/// `images`
///
/// # Errors
/// Why nothing can be listed.
pub fn images(shell: &Shell, screen: &mut Screen, arguments: &ImagesArguments) -> Outcome {
    let mut filters = Filters::of_images(&arguments.filter)?;
    if let Some(repository) = &arguments.repository {
        filters.add_reference(repository);
    }
    let template = template(arguments.format.as_deref())?;
    let mut list: Vec<Image> = shell.backend()?.images()?;
    list.retain(|image| filters.take_image(image));
    let (rows, now) = (ui::images::rows(&list), Timestamp::now());
    if arguments.quiet {
        for row in &rows {
            screen.line(row.id(arguments.no_trunc))?;
        }
    } else if let Some(template) = template {
        let zone = TimeZone::system();
        let fields = |row| ui::images::fields(row, now, &zone, arguments.no_trunc);
        let rows: Vec<Value> = rows.iter().map(fields).collect();
        let lines = template.lines(&ui::images::headings(), &rows);
        screen.text(&lines.map_err(Ending::coded(BAD_TEMPLATE))?)?;
    } else {
        screen.text(&ui::images::images(&rows, now, arguments.no_trunc))?;
    }
    Ok(0)
}

/// The template that was asked for; none where the default table is wanted. `table` alone is
/// the default table too.
fn template(format: Option<&str>) -> std::result::Result<Option<Template>, Ending> {
    match format {
        None | Some("" | "table") => Ok(None),
        Some(text) => Template::parse(text).map(Some).map_err(Ending::coded(BAD_TEMPLATE)),
    }
}
