//! `update`: the limits of containers.

use super::context::{CommandContext, each};
use super::create::invalid_flag;
use crate::cli::arguments::UpdateArguments;
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::model::container::Changes;
use crate::model::{Error, Kind};

/// Carries out `update`.
///
/// # Errors
/// When there is nothing to change, or a value is invalid.
pub fn update(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &UpdateArguments,
) -> CommandResult {
    let changes = arguments.changes().map_err(invalid_flag)?;
    arguments.kernel.check().map_err(invalid_flag)?;
    if let Some(warning) = arguments.kernel.warning() {
        terminal.notice(warning)?;
        if changes == Changes::default() {
            return each(context, terminal, &arguments.names, |backend, id| {
                backend.inspect(id).map(drop)
            });
        }
    }
    if changes == Changes::default() {
        let message = "you must provide one or more flags when using this command";
        return Err(Error::new(Kind::Invalid, message).into());
    }
    each(context, terminal, &arguments.names, |backend, id| backend.update(id, &changes))
}
