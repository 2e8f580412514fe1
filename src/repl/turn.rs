//! One turn of the conversation: what was typed, done and shown. The same for terminal and pipe.

use std::cell::RefCell;

use super::CommandLine;
use super::input::{Input, classify};
use crate::script::{Host, Reply, Session};

/// Who talks.
pub struct Talk<'a> {
    /// The interpreter. Only one turn or one completion uses it at a time.
    pub session: &'a RefCell<Session>,
    /// Runs command lines.
    pub commands: &'a dyn CommandLine,
    /// Known once: they do not change.
    pub verbs: Vec<String>,
    /// The output and the interrupt flag.
    pub host: Host,
}

impl std::fmt::Debug for Talk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Talk").field("verbs", &self.verbs).finish_non_exhaustive()
    }
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The next one, please.
    Next,
    /// Ctrl-C ended what was under way.
    Interrupted,
    /// The conversation is over.
    Leave(u8),
}

impl<'a> Talk<'a> {
    /// A conversation that is about to begin.
    pub fn new(
        session: &'a RefCell<Session>,
        commands: &'a dyn CommandLine,
        host: Host,
    ) -> Talk<'a> {
        let verbs = commands.verbs();
        Talk { session, commands, verbs, host }
    }

    /// What `text` is.
    pub fn classify(&self, text: &str) -> Input {
        classify(text, &self.verbs, |name| self.session.borrow().has_variable(name))
    }

    /// Whether `text` goes on in the next line.
    pub fn is_incomplete(&self, text: &str) -> bool {
        self.classify(text) == Input::Script && self.session.borrow().is_incomplete(text)
    }

    /// Does what `text` says and shows what comes of it.
    pub fn take(&self, text: &str) -> Turn {
        // An interrupt that came too late for the last turn must not end this one.
        self.host.cancel.clear();
        match self.classify(text) {
            Input::Empty => Turn::Next,
            Input::Leave => Turn::Leave(0),
            Input::Help(name) => {
                let help = self.session.borrow().help(name.as_deref());
                match help {
                    Ok(page) => self.show(&page),
                    Err(report) => self.complain(&report),
                }
            }
            Input::OpenQuote => self.complain("error: a quote is not closed"),
            Input::Command(words) => {
                self.commands.run(&words);
                if self.host.cancel.is_raised() { Turn::Interrupted } else { Turn::Next }
            }
            Input::Script => {
                let reply = self.session.borrow_mut().line(text);
                match reply {
                    Reply::Nothing => Turn::Next,
                    Reply::Value(text) => self.show(&text),
                    Reply::Failed(report) => self.complain(&report),
                    Reply::Interrupted => {
                        self.complain("interrupted");
                        Turn::Interrupted
                    }
                    Reply::Exit(code) => Turn::Leave(code),
                }
            }
        }
    }

    /// Shows a result. Where nobody reads any more the conversation is over.
    fn show(&self, text: &str) -> Turn {
        match self.host.output.print(text) {
            Ok(()) => Turn::Next,
            Err(_) => Turn::Leave(0),
        }
    }

    fn complain(&self, text: &str) -> Turn {
        match self.host.output.eprint(text) {
            Ok(()) => Turn::Next,
            Err(_) => Turn::Leave(0),
        }
    }
}
