//! `docs`: the reference of the language.

pub(super) use crate::cli::arguments::{DocsArguments, DocsForm};
use crate::cli::terminal::ending::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::script::Form;
pub(super) use crate::script::reference;

/// Writes the reference.
pub fn docs(screen: &mut Terminal, arguments: &DocsArguments) -> CommandResult {
    let form = match arguments.format {
        DocsForm::Markdown => Form::Markdown,
        DocsForm::Json => Form::Json,
        DocsForm::Rhai => Form::Definitions,
    };
    screen.text(&reference(form))?;
    Ok(0)
}
