//! The REPL on this terminal, and the verbs typed into it.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use clap::CommandFactory as _;
use once_cell::unsync::OnceCell;

use super::host::{at_prompt, open, state_file};
use super::report::ended;
use super::run;
use crate::cli::arg_errors;
use crate::cli::arguments::{Arguments, Verb, parse};
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::finish::{fail, finish};
use crate::cli::terminal::pager;
use crate::cli::terminal::screen::Terminal;
use crate::cli::verb::context::CommandContext;
use crate::engine::Settings;
use crate::model::{Error, Kind, Result};
use crate::repl;
use crate::script::lessons::Player;
use crate::script::{ScriptHost, Teacher};

/// The function that carries out a verb: the dispatch of the command line.
pub type Perform = fn(&CommandContext, &mut Terminal, &Verb) -> CommandResult;

/// Opens the REPL and returns its exit code. `teacher` gives the lessons of `:learn`.
pub fn repl(settings: &Settings, perform: Perform, teacher: Arc<dyn Teacher>) -> u8 {
    match open(settings, Vec::new(), None) {
        Ok(host) => {
            let host = at_prompt(ScriptHost { teacher: Some(teacher), ..host });
            let settings = settings.clone();
            let commands = ReplCommandLine { settings, host: host.clone(), perform };
            let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
            let startup = startup().filter(|_| terminal);
            let history = history();
            let settings = repl::Settings { history, banner: terminal, startup, course: None };
            ended(&host, repl::run(host.clone(), &commands, settings))
        }
        Err(error) => fail(&error),
    }
}

/// Opens the REPL with lessons and returns its exit code.
pub fn lessons(settings: &Settings, host: ScriptHost, player: Player, perform: Perform) -> u8 {
    let host = at_prompt(host);
    let commands = ReplCommandLine { settings: settings.clone(), host: host.clone(), perform };
    let course = Some(Rc::new(RefCell::new(player)));
    let settings = repl::Settings { history: history(), banner: false, startup: None, course };
    ended(&host, repl::run(host.clone(), &commands, settings))
}

/// Returns the file of `LIFEBOX_STARTUP`, or `startup.rhai` in the user's settings if it exists.
fn startup() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = variable("LIFEBOX_STARTUP") {
        return Some(file.into());
    }
    let settings = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")));
    settings.map(|settings| settings.join("lifebox/startup.rhai")).filter(|file| file.exists())
}

/// Returns the file of `LIFEBOX_HISTORY`, or one in the user's state directory.
fn history() -> Option<PathBuf> {
    state_file("LIFEBOX_HISTORY", "history")
}

/// The command line inside the REPL: the same dispatch, with the REPL's engine and Ctrl-C.
#[derive(Debug)]
struct ReplCommandLine {
    settings: Settings,
    host: ScriptHost,
    perform: Perform,
}

impl repl::CommandLine for ReplCommandLine {
    fn verbs(&self) -> Vec<String> {
        let command = Arguments::command();
        command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect()
    }

    fn run(&self, words: &[String]) -> u8 {
        let mut terminal = Terminal::new();
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let arguments = match parse(&words) {
            Ok(arguments) => arguments,
            Err(error) => return arg_errors::show(&mut terminal, &error, &words),
        };
        if arguments.global.root.is_some() {
            let error = Error::new(Kind::Invalid, "--root cannot be changed in the REPL")
                .hint("start another: lifebox --root DIR");
            return finish(&mut terminal, Err(error.into()));
        }
        if let Verb::Script(script) = arguments.verb {
            let outcome = run::script_in_repl(&self.settings, &self.host, script);
            return finish(&mut terminal, outcome);
        }
        let context = CommandContext {
            settings: self.settings.clone(),
            backend: OnceCell::with_value(self.host.backend.clone()),
            config: OnceCell::new(),
            cancel: self.host.cancel.clone(),
            in_repl: true,
        };
        terminal.until(&context.cancel);
        let outcome = (self.perform)(&context, &mut terminal, &arguments.verb);
        finish(&mut terminal, outcome)
    }

    fn page(&self, text: &str) -> bool {
        pager::page(text)
    }

    fn edit(&self, text: &str) -> Result<String> {
        pager::edit(text)
    }

    fn flags(&self, verb: &str) -> Vec<String> {
        let mut command = Arguments::command();
        command.build();
        let Some(verb) = command.find_subcommand(verb) else { return Vec::new() };
        let flags = || verb.get_arguments().filter(|flag| !flag.is_global_set());
        let long = flags().filter_map(|flag| flag.get_long());
        let short = flags().filter_map(|flag| flag.get_short());
        let long = long.map(|name| format!("--{name}"));
        long.chain(short.map(|letter| format!("-{letter}"))).collect()
    }
}
