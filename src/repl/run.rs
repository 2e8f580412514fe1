//! Runs the REPL on a terminal or on a pipe.

use std::io::{BufReader, IsTerminal as _};

use super::settings::{CommandLine, Settings};
use super::{editor, piped};
use crate::script::{ScriptHost, standard_input};

/// Runs the REPL until the user exits. Returns the code of `exit(n)`, else 0.
pub fn run(host: ScriptHost, commands: &dyn CommandLine, settings: Settings) -> u8 {
    // Without a handler Ctrl-C ends the REPL and its variables are lost.
    let _ = host.cancel.cancel_on_interrupt();
    if std::io::stdin().is_terminal() {
        editor::run(host, commands, &settings)
    } else {
        let cancel = host.cancel.clone();
        let check = || cancel.check();
        let mut input = BufReader::new(standard_input(&check));
        piped::run(host, commands, &settings, &mut input)
    }
}
