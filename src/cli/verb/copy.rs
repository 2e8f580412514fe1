//! `cp`: copies files into containers and out of them.

use std::io::IsTerminal as _;
use std::path::Path;

use super::context::CommandContext;
use crate::cli::arguments::exec::CpArguments;
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::engine::stream::{InputStream, OutputStream};
use crate::engine::{CopyOptions, Transfer};
use crate::model::value::visible::escape_line;
use crate::model::{Error, Kind};

/// Carries out `cp`.
///
/// # Errors
/// When a file cannot be read or written.
pub fn cp(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &CpArguments,
) -> CommandResult {
    let options = CopyOptions { archive: arguments.archive, follow: arguments.follow_link };
    let backend = context.backend()?;
    let invalid = |message: &str| Error::new(Kind::Invalid, message);
    let (from, to) = (arguments.from.as_str(), arguments.to.as_str());
    let copied = match (of_container(from), of_container(to)) {
        (Some(_), Some(_)) => {
            return Err(invalid("copying between containers is not supported")
                .hint("use a pipe: lifebox cp A:PATH - | lifebox cp - B:PATH")
                .into());
        }
        (None, None) => {
            return Err(invalid("must specify at least one container source")
                .hint("write CONTAINER:PATH for one of the two")
                .into());
        }
        (Some((name, path)), None) => {
            let id = backend.find(name)?;
            let cancel = context.interruptible()?;
            if to == "-" {
                if rustix::termios::isatty(rustix::stdio::stdout()) {
                    return Err(invalid("cowardly refusing to write a tar to a terminal").into());
                }
                let check = || cancel.check();
                let out = &mut OutputStream::stdout(&check);
                backend.copy(&id, Transfer::Pack { path, out }, options, cancel)?;
                return Ok(0);
            }
            backend.copy(&id, Transfer::Out { path, to: Path::new(to) }, options, cancel)
        }
        (None, Some((name, path))) => {
            let id = backend.find(name)?;
            let cancel = context.interruptible()?;
            if from == "-" {
                let check = || cancel.check();
                let tar = &mut InputStream::stdin(&check);
                backend.copy(&id, Transfer::Unpack { tar, path }, options, cancel)?;
                return Ok(0);
            }
            backend.copy(&id, Transfer::In { from: Path::new(from), path }, options, cancel)
        }
    };
    copied?;
    // As Docker, scripts are told nothing.
    if !arguments.quiet && std::io::stderr().is_terminal() {
        terminal.notice(escape_line(&format!("Successfully copied {from} to {to}")))?;
    }
    Ok(0)
}

/// Splits `CONTAINER:PATH`. Returns `None` for a local path, which may have a `:` after a leading
/// `/` or `.`.
pub fn of_container(text: &str) -> Option<(&str, &str)> {
    let (name, path) = text.split_once(':')?;
    let local = name.is_empty() || name.contains('/') || name.starts_with('.');
    (!local && text != "-").then_some((name, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_told_by_its_colon() {
        assert_eq!(of_container("web:/etc"), Some(("web", "/etc")));
        assert_eq!(of_container("web:etc:x"), Some(("web", "etc:x")));
        assert_eq!(of_container("web:"), Some(("web", "")));
        for local in ["-", "etc", "./a:b", "/a:b", "../a:b", "dir/a:b"] {
            assert_eq!(of_container(local), None, "{local}");
        }
    }
}
