//! `version` and `info`.

use serde_json::Value;

use super::arguments::FormatArguments;
use super::outcome::{BAD_TEMPLATE, Ending, Outcome};
use super::screen::Screen;
use super::shell::Shell;
use crate::ui;
use crate::ui::template::Template;

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
    let fields = ui::info::version_fields(VERSION, architecture);
    show(screen, arguments, &fields, || ui::info::version(VERSION, architecture))
}

/// `info`
///
/// # Errors
/// Where the template is wrong, or the host can't be asked.
pub fn info(shell: &Shell, screen: &mut Screen, arguments: &FormatArguments) -> Outcome {
    let info = shell.backend()?.info()?;
    show(screen, arguments, &ui::info::info_fields(&info), || ui::info::info(&info))
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
