//! `volume create`, `ls`, `inspect`, `rm`, `prune`.

use serde_json::Value;

use super::context::CommandContext;
use super::filters::{VolumeFilters, volume_prune_filter};
use super::inspect;
use super::list::{format_or, template_or_raw};
use super::prune::{Freed, PruneSummary, confirm};
use crate::cli::arguments::volume::{
    CreateVolumeArguments, InspectVolumesArguments, PruneVolumesArguments, RmVolumesArguments,
    VolumeVerb, VolumesArguments,
};
use crate::cli::terminal::command_result::{CommandResult, FAILED};
use crate::cli::terminal::finish::print_error;
use crate::cli::terminal::screen::Terminal;
use crate::model::observe::volume;
use crate::model::observe::volume::{PruneVolumesOptions, RemoveVolumeOptions, VolumeOptions};
use crate::model::{Error, Kind};
use crate::ui;

/// Carries out a verb of volumes.
///
/// # Errors
/// The engine's errors.
pub fn of_volumes(
    context: &CommandContext,
    terminal: &mut Terminal,
    verb: &VolumeVerb,
) -> CommandResult {
    match verb {
        VolumeVerb::Create(arguments) => create(context, terminal, arguments),
        VolumeVerb::Ls(arguments) => list(context, terminal, arguments),
        VolumeVerb::Inspect(arguments) => inspect(context, terminal, arguments),
        VolumeVerb::Rm(arguments) => remove(context, terminal, arguments),
        VolumeVerb::Prune(arguments) => prune(context, terminal, arguments),
    }
}

fn create(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &CreateVolumeArguments,
) -> CommandResult {
    arguments.check_driver()?;
    let label = |text: &String| match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (text.clone(), String::new()),
    };
    let options = VolumeOptions {
        name: arguments.name()?.map(str::to_owned),
        labels: arguments.label.iter().map(label).collect(),
        options: arguments.opt.iter().map(label).collect(),
    };
    if options.labels.contains_key("") {
        let error = Error::new(Kind::Invalid, "a label needs a key").hint("write KEY=VALUE");
        return Err(error.into());
    }
    terminal.line(context.backend()?.volume_create(&options)?.name)?;
    Ok(0)
}

fn list(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &VolumesArguments,
) -> CommandResult {
    let filters = VolumeFilters::of_volumes(&arguments.filter)?;
    let raw = if arguments.quiet { "name: {{.Name}}" } else { ui::table::volumes::RAW };
    let default = || context.config(terminal).volumes_format.as_deref();
    let format = format_or(arguments.format.as_deref(), arguments.quiet, default);
    let template = template_or_raw(format, raw)?;
    let mut list = context.backend()?.volumes()?;
    list.retain(|one| filters.take_volume(one));
    if let Some(template) = template {
        let rows: Vec<Value> = list.iter().map(ui::table::volumes::fields).collect();
        let lines = template.lines(&ui::table::volumes::headings(), &rows);
        terminal.text(&lines?)?;
    } else if arguments.quiet {
        for one in &list {
            terminal.line(&one.volume.name)?;
        }
    } else {
        terminal.text(&ui::table::volumes::volumes(&list))?;
    }
    Ok(0)
}

fn inspect(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &InspectVolumesArguments,
) -> CommandResult {
    let backend = context.backend()?;
    inspect::show(terminal, arguments.format.as_deref(), &arguments.names, |name| {
        backend.volume(name).map(|one| volume::inspect(&one))
    })
}

fn remove(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &RmVolumesArguments,
) -> CommandResult {
    let backend = context.backend()?;
    let options = RemoveVolumeOptions { force: arguments.force, created: None };
    let mut code = 0;
    let names: Vec<&str> = arguments.names.iter().map(String::as_str).collect();
    for (name, result) in names.iter().zip(backend.volume_rm_each(&names, &options)?) {
        match result {
            Ok(()) => terminal.line(name)?,
            Err(error) => {
                print_error(terminal, &error);
                code = FAILED;
            }
        }
    }
    Ok(code)
}

fn prune(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &PruneVolumesArguments,
) -> CommandResult {
    let filter = volume_prune_filter(&arguments.filter)?;
    let options = PruneVolumesOptions { all: arguments.all, filter, dry_run: false };
    let backend = context.backend()?;
    if !arguments.force {
        let would =
            backend.volume_prune(&PruneVolumesOptions { dry_run: true, ..options.clone() })?;
        let what = match arguments.all {
            true => "all volumes not used by at least one container",
            false => "anonymous local volumes not used by at least one container",
        };
        let count = would.names.len() as u64;
        let effect = PruneSummary { what, count, noun: "volume", bytes: would.bytes };
        if !confirm(context, terminal, &effect, would.names.into_iter())? {
            return Ok(0);
        }
    }
    remove_unused(context, &options)?.show(terminal)
}

/// Removes unused volumes.
pub(super) fn remove_unused(
    context: &CommandContext,
    options: &PruneVolumesOptions,
) -> Result<Freed, Error> {
    let pruned = context.backend()?.volume_prune(options)?;
    Ok(Freed::of("Deleted Volumes", &pruned.names, pruned.bytes))
}
