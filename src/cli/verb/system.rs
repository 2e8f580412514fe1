//! `version`, `info`, `system df` and `system check`.

use jiff::Timestamp;
use serde_json::Value;

use super::context::CommandContext;
use super::list::{name_images_as_now, template};
use crate::cli::arguments::FormatArguments;
use crate::cli::arguments::store::{DfArguments, SystemCheckArguments};
use crate::cli::terminal::command_result::{BAD_TEMPLATE, CommandError, CommandResult, FAILED};
use crate::cli::terminal::screen::Terminal;
use crate::model::image::filter::ImageFilter;
use crate::model::image::usage::PruneOptions;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::ui;
use crate::ui::format::template::Template;

/// The version of lifebox.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Carries out `version`. Opens no engine, so that it works on every host.
///
/// # Errors
/// When the template is invalid.
pub fn version(terminal: &mut Terminal, arguments: &FormatArguments) -> CommandResult {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    let fields = ui::table::info::version_fields(VERSION, architecture, &kernel);
    show(terminal, arguments, &fields, || ui::table::info::version(VERSION, architecture))
}

/// Carries out `info`.
///
/// # Errors
/// When the template is invalid, or the host cannot be queried.
pub fn info(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &FormatArguments,
) -> CommandResult {
    let info = context.backend()?.info()?;
    let fields = ui::table::info::info_fields(&info, Timestamp::now());
    show(terminal, arguments, &fields, || ui::table::info::info(&info))
}

/// Carries out `system df`.
///
/// # Errors
/// When the template is invalid, or the store cannot be read.
pub fn df(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &DfArguments,
) -> CommandResult {
    let template = template(arguments.format.as_deref())?;
    let backend = context.backend()?;
    let (images, mut containers) =
        (ImageFilter::default().choose(backend.images()?), backend.ps()?);
    if arguments.verbose {
        name_images_as_now(context, &mut containers)?;
    }
    let usage = backend.usage()?;
    let all = arguments.verbose && template.is_some();
    let volumes = if all { backend.volumes()? } else { Vec::new() };
    let of_builds = PruneOptions { all: true, of_builds: true, dry_run: true, ..<_>::default() };
    let builds = backend.prune_images(&of_builds)?;
    let inventory = ui::table::usage::UsageInput { images, containers, volumes, usage, builds };
    if let Some(template) = template.as_ref().filter(|_| arguments.verbose) {
        let text = template.line(&inventory.details_fields(Timestamp::now()));
        terminal.line(text.map_err(CommandError::with_code(BAD_TEMPLATE))?)?;
    } else if let Some(template) = template {
        let lines = template.lines(&ui::table::usage::headings(), &inventory.fields());
        terminal.text(&lines?)?;
    } else if arguments.verbose {
        terminal.text(&inventory.details(Timestamp::now()))?;
    } else {
        terminal.text(&inventory.summary())?;
    }
    Ok(0)
}

/// Carries out `system check`. The exit code is 1 if damage remains.
///
/// # Errors
/// When the store cannot be read.
pub fn check(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &SystemCheckArguments,
) -> CommandResult {
    let report = context
        .backend()?
        .check(&CheckOptions { repair: arguments.repair }, context.interruptible()?)?;
    if !arguments.quiet {
        terminal.text(&ui::report::report(&report))?;
    }
    if report.is_healthy() {
        return Ok(0);
    }
    let found = |resolution: &Resolution| *resolution == Resolution::Found;
    if !arguments.quiet && report.findings.iter().any(|finding| found(&finding.resolution)) {
        terminal.notice("hint: run `lifebox system check --repair` to repair or remove it")?;
    }
    Ok(FAILED)
}

fn show(
    terminal: &mut Terminal,
    arguments: &FormatArguments,
    fields: &Value,
    text: impl Fn() -> String,
) -> CommandResult {
    match arguments.format.as_deref().filter(|format| !format.is_empty()) {
        Some(format) => {
            let template =
                Template::parse(format).map_err(CommandError::with_code(BAD_TEMPLATE))?;
            terminal.line(template.render(fields)?)?;
        }
        None => terminal.text(&text())?,
    }
    Ok(0)
}
