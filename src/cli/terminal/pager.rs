//! The user's pager and editor.

use std::io::{IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

use crate::model::error::Context as _;
use crate::model::{Error, Kind, Result};

/// less(1), with a prompt that explains its keys.
const LESS: &str = "less -REFX '-Ps[Space] more  [q] done'";

/// Shows a text that is longer than the screen in `$PAGER`, or less(1). Returns false if the text
/// is shorter, standard output is not a terminal, or there is no pager.
pub fn page(text: &str) -> bool {
    let stdout = std::io::stdout();
    let Ok(size) = rustix::termios::tcgetwinsize(&stdout) else { return false };
    let (rows, columns) = (usize::from(size.ws_row), usize::from(size.ws_col).max(1));
    let lines: usize = text.lines().map(|line| line.chars().count().div_ceil(columns).max(1)).sum();
    // The next prompt needs one row.
    if !stdout.is_terminal() || rows == 0 || lines < rows {
        return false;
    }
    let pager = std::env::var("PAGER").unwrap_or_else(|_| LESS.to_owned());
    let Some(mut pager) = program(&pager) else { return false };
    let Ok(mut child) = pager.stdin(Stdio::piped()).spawn() else { return false };
    if let Some(mut input) = child.stdin.take() {
        // A user who quits the pager early has seen enough.
        let _ = input.write_all(text.as_bytes()).and_then(|()| input.write_all(b"\n"));
    }
    child.wait().is_ok()
}

/// Opens a text in `$VISUAL`, `$EDITOR`, or vi(1), and returns the edited text.
///
/// # Errors
/// [`Kind::Refused`] if there is no terminal, or the editor fails.
pub fn edit(text: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::new(Kind::Refused, "cannot edit: standard input is not a terminal"));
    }
    let chosen = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok());
    let name = chosen.unwrap_or_else(|| "vi".to_owned());
    let what = || format!("cannot edit with `{name}`");
    let file = place().join(format!("lifebox-{}.rhai", std::process::id()));
    write_own(&file, text).context(what)?;
    let edited = program(&name)
        .ok_or_else(|| Error::new(Kind::Invalid, what()))
        .and_then(|mut editor| editor.arg(&file).status().context(what))
        .and_then(|status| {
            if !status.success() {
                return Err(Error::new(Kind::Refused, format!("{}: the editor failed", what())));
            }
            std::fs::read_to_string(&file).context(what)
        });
    let _ = std::fs::remove_file(&file);
    edited.map_err(|error| error.hint("set VISUAL or EDITOR to an installed editor"))
}

/// Returns the directory for the text while it is edited.
fn place() -> std::path::PathBuf {
    std::env::temp_dir()
}

/// Creates a file that only its owner can read. Fails if the file exists, because other users may
/// write to the directory.
fn write_own(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Splits a program from its arguments, as in `less -R`.
fn program(line: &str) -> Option<Command> {
    let words = shlex::split(line)?;
    let (first, rest) = words.split_first()?;
    let mut command = Command::new(first);
    command.args(rest);
    Some(command)
}
