//! `docs`: the reference of the language.

use crate::cli::arguments::{DocsArguments, DocsForm};
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::script::{Form, reference};

/// Writes the reference.
pub fn docs(terminal: &mut Terminal, arguments: &DocsArguments) -> CommandResult {
    let form = match arguments.format {
        DocsForm::Markdown => Form::Markdown,
        DocsForm::Json => Form::Json,
        DocsForm::Rhai => Form::Definitions,
    };
    terminal.text(&reference(form))?;
    Ok(0)
}
