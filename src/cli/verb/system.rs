//! `version`, `info`, `system df` and `system check`.

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use super::context::Shell;
use super::list::template;
use crate::cli::arguments::FormatArguments;
use crate::cli::arguments::store::{CheckArguments, DfArguments};
use crate::cli::terminal::outcome::{BAD_TEMPLATE, Ending, FAILED, Outcome};
use crate::cli::terminal::screen::Screen;
use crate::model::image::filter::ImageFilter;
use crate::model::observe::check_report::Fate;
use crate::ui;
use crate::ui::format::template::Template;

/// lifebox's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `version`. It opens no engine, so that it answers on every host.
///
/// # Errors
/// Where the template is wrong.
pub fn version(screen: &mut Screen, arguments: &FormatArguments) -> Outcome {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let fields = ui::table::info::version_fields(VERSION, architecture);
    show(screen, arguments, &fields, || ui::table::info::version(VERSION, architecture))
}

/// `info`
///
/// # Errors
/// Where the template is wrong, or the host can't be asked.
pub fn info(shell: &Shell, screen: &mut Screen, arguments: &FormatArguments) -> Outcome {
    let info = shell.backend()?.info()?;
    show(screen, arguments, &ui::table::info::info_fields(&info), || ui::table::info::info(&info))
}

/// `system df`
///
/// # Errors
/// Where the template is wrong, or the store can't be read.
pub fn df(shell: &Shell, screen: &mut Screen, arguments: &DfArguments) -> Outcome {
    let template = template(arguments.format.as_deref())?;
    let backend = shell.backend()?;
    let (images, containers) = (ImageFilter::default().choose(backend.images()?), backend.ps()?);
    let inventory = ui::table::usage::Inventory { images, containers, usage: backend.usage()? };
    if let Some(template) = template {
        let lines = template.lines(&ui::table::usage::headings(), &inventory.fields());
        screen.text(&lines.map_err(Ending::coded(BAD_TEMPLATE))?)?;
    } else if arguments.verbose {
        screen.text(&inventory.details(Timestamp::now()))?;
    } else {
        screen.text(&inventory.summary())?;
    }
    Ok(0)
}

/// `system check`. The exit code is 1 where damage is left.
///
/// # Errors
/// Where the store can't be read.
pub fn check(shell: &Shell, screen: &mut Screen, arguments: &CheckArguments) -> Outcome {
    let report = shell.backend()?.check(arguments.repair, shell.interruptible()?)?;
    if !arguments.quiet {
        screen.text(&ui::report::report(&report))?;
    }
    if report.is_sound() {
        return Ok(0);
    }
    let found = |fate: &Fate| *fate == Fate::Found;
    if !arguments.quiet && report.findings.iter().any(|finding| found(&finding.fate)) {
        writeln!(screen.err()?, "hint: `lifebox system check --repair` mends or removes it")?;
    }
    Ok(FAILED)
}

fn show(
    screen: &mut Screen,
    arguments: &FormatArguments,
    fields: &Value,
    text: impl Fn() -> String,
) -> Outcome {
    match arguments.format.as_deref().filter(|format| !format.is_empty()) {
        Some(format) => {
            let rendered = Template::parse(format).and_then(|template| template.render(fields));
            screen.line(rendered.map_err(Ending::coded(BAD_TEMPLATE))?)?;
        }
        None => screen.text(&text())?,
    }
    Ok(0)
}
