//! `version`, `info`, `system df` and `system check`.

use jiff::Timestamp;
use serde_json::Value;

use super::context::CommandContext;
use super::list::template;
use crate::cli::arguments::FormatArguments;
use crate::cli::arguments::store::{CheckArguments, DfArguments};
use crate::cli::terminal::ending::{BAD_TEMPLATE, CommandError, CommandResult, FAILED};
use crate::cli::terminal::screen::Terminal;
use crate::model::image::filter::ImageFilter;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::ui;
use crate::ui::format::template::Template;

/// The version of lifebox.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Carries out `version`. Opens no engine, so that it works on every host.
///
/// # Errors
/// When the template is invalid.
pub fn version(screen: &mut Terminal, arguments: &FormatArguments) -> CommandResult {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let fields = ui::table::info::version_fields(VERSION, architecture);
    show(screen, arguments, &fields, || ui::table::info::version(VERSION, architecture))
}

/// Carries out `info`.
///
/// # Errors
/// When the template is invalid, or the host cannot be queried.
pub fn info(
    shell: &CommandContext,
    screen: &mut Terminal,
    arguments: &FormatArguments,
) -> CommandResult {
    let info = shell.backend()?.info()?;
    show(screen, arguments, &ui::table::info::info_fields(&info), || ui::table::info::info(&info))
}

/// Carries out `system df`.
///
/// # Errors
/// When the template is invalid, or the store cannot be read.
pub fn df(shell: &CommandContext, screen: &mut Terminal, arguments: &DfArguments) -> CommandResult {
    let template = template(arguments.format.as_deref())?;
    let backend = shell.backend()?;
    let (images, containers) = (ImageFilter::default().choose(backend.images()?), backend.ps()?);
    let inventory = ui::table::usage::UsageInput { images, containers, usage: backend.usage()? };
    if let Some(template) = template {
        let lines = template.lines(&ui::table::usage::headings(), &inventory.fields());
        screen.text(&lines.map_err(CommandError::with_code(BAD_TEMPLATE))?)?;
    } else if arguments.verbose {
        screen.text(&inventory.details(Timestamp::now()))?;
    } else {
        screen.text(&inventory.summary())?;
    }
    Ok(0)
}

/// Carries out `system check`. The exit code is 1 if damage remains.
///
/// # Errors
/// When the store cannot be read.
pub fn check(
    shell: &CommandContext,
    screen: &mut Terminal,
    arguments: &CheckArguments,
) -> CommandResult {
    let report = shell
        .backend()?
        .check(&CheckOptions { repair: arguments.repair }, shell.interruptible()?)?;
    if !arguments.quiet {
        screen.text(&ui::report::report(&report))?;
    }
    if report.is_healthy() {
        return Ok(0);
    }
    let found = |fate: &Resolution| *fate == Resolution::Found;
    if !arguments.quiet && report.findings.iter().any(|finding| found(&finding.resolution)) {
        screen.notice("hint: run `lifebox system check --repair` to repair or remove it")?;
    }
    Ok(FAILED)
}

fn show(
    screen: &mut Terminal,
    arguments: &FormatArguments,
    fields: &Value,
    text: impl Fn() -> String,
) -> CommandResult {
    match arguments.format.as_deref().filter(|format| !format.is_empty()) {
        Some(format) => {
            let rendered = Template::parse(format).and_then(|template| template.render(fields));
            screen.line(rendered.map_err(CommandError::with_code(BAD_TEMPLATE))?)?;
        }
        None => screen.text(&text())?,
    }
    Ok(0)
}
