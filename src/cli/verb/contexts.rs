//! `context`: the one engine, as Docker's client shows its default context.

use serde_json::{Value, json};

use super::context::CommandContext;
use super::inspect;
use super::list::template;
use crate::cli::arguments::context::{ContextVerb, ListContextsArguments};
use crate::cli::terminal::command_result::{BAD_TEMPLATE, CommandError, CommandResult};
use crate::cli::terminal::screen::Terminal;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};
use crate::ui;

/// The name of the only context.
const DEFAULT: &str = "default";

/// Carries out a verb of the context.
///
/// # Errors
/// For any other name than `default`, and for an invalid template.
pub fn of_contexts(
    context: &CommandContext,
    terminal: &mut Terminal,
    verb: &ContextVerb,
) -> CommandResult {
    match verb {
        ContextVerb::Ls(arguments) => list(context, terminal, arguments),
        ContextVerb::Inspect(arguments) => {
            let current = [DEFAULT.to_owned()];
            let names = match arguments.names.is_empty() {
                true => &current[..],
                false => &arguments.names,
            };
            inspect::show(terminal, arguments.format.as_deref(), names, |name| {
                check(name).map(|()| document(context))
            })
        }
        ContextVerb::Show => {
            terminal.line(DEFAULT)?;
            Ok(0)
        }
        ContextVerb::Use(arguments) => {
            check(&arguments.name)?;
            terminal.line(DEFAULT)?;
            terminal.notice("Current context is now \"default\"")?;
            Ok(0)
        }
    }
}

fn list(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &ListContextsArguments,
) -> CommandResult {
    let template = template(arguments.format.as_deref())?;
    if arguments.quiet {
        terminal.line(DEFAULT)?;
        return Ok(0);
    }
    let place = place(context);
    match template {
        Some(template) => {
            let rows = [ui::table::contexts::fields(DEFAULT, &place)];
            let lines = template.lines(&ui::table::contexts::headings(), &rows);
            terminal.text(&lines.map_err(CommandError::with_code(BAD_TEMPLATE))?)?;
        }
        None => terminal.text(&ui::table::contexts::contexts(DEFAULT, &place))?,
    }
    Ok(0)
}

/// Returns where the engine is: its root, as there is no socket of a daemon.
fn place(context: &CommandContext) -> String {
    format!("file://{}", context.settings.root.display())
}

/// Returns the context as Docker's JSON.
fn document(context: &CommandContext) -> Value {
    json!({
        "Name": DEFAULT,
        "Metadata": {},
        "Endpoints": { "docker": { "Host": place(context), "SkipTLSVerify": false } },
        "TLSMaterial": {},
        "Storage": { "MetadataPath": "<IN MEMORY>", "TLSPath": "<IN MEMORY>" },
    })
}

fn check(name: &str) -> Result<()> {
    if name == DEFAULT {
        return Ok(());
    }
    let name = visible::short(name);
    let message = format!("context `{name}` does not exist: lifebox has one engine and no daemon");
    Err(Error::new(Kind::NotFound, message)
        .hint("use another store instead: lifebox --root DIR, or LIFEBOX_ROOT"))
}
