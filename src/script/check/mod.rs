//! `check`: what is wrong in a script, found without running it.
//!
//! The parser finds what is no script and, one by one, variables that are not there. The rest is
//! found in its tree (`lints`, `reach`), against what the language and the script's imports have
//! (`vocabulary`).

mod bindings;
mod lints;
mod literals;
mod unreachable;
mod vocabulary;

use std::collections::BTreeSet;
use std::sync::Arc;

use rhai::{AST, EvalAltResult, ParseErrorType, Position, Scope};

use self::vocabulary::Vocabulary;
use crate::model::Result;
use crate::script::api::LIBRARY;
use crate::script::errors::explain;
use crate::script::errors::explain::{ErrorText, NameScope};
use crate::script::errors::render;
use crate::script::host::{self, Source};
use crate::script::session::{interpreter, modules};
use crate::script::syntax::scheme;
use crate::script::syntax::sources::without_shebang;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It will probably not do what it looks like.
    Warning,
    /// It cannot work.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The script, as it was named.
    pub source: String,
    /// From 1 on.
    pub line: usize,
    /// From 1 on, in characters.
    pub column: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The text that it is in.
    text: Arc<str>,
}

impl Finding {
    /// Drawn with its line, as uncaught errors are.
    pub fn drawn(&self, color: bool) -> String {
        render::finding(self, &self.text, color)
    }
}

/// At most so many variables that are not there are looked for in one script.
const MOST_VARIABLES: usize = 100;

/// What is wrong in a script and in what it imports, in the order of the text; the script itself
/// comes first.
///
/// # Errors
/// When the script can't be read.
pub fn check(source: Source) -> Result<Vec<Finding>> {
    let (name, text) = host::read(source)?;
    let mut checker = Checker { found: Vec::new(), seen: BTreeSet::new() };
    checker.script(&name, &text);
    Ok(checker.found)
}

/// Goes through scripts.
struct Checker {
    found: Vec<Finding>,
    /// The scripts that it has been in.
    seen: BTreeSet<String>,
}

/// What is found in one script.
struct Findings {
    source: String,
    text: Arc<str>,
    found: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, severity: Severity, place: Position, message: String, hint: Option<String>) {
        self.found.push(Finding {
            source: self.source.clone(),
            line: place.line().unwrap_or(1),
            column: place.position().unwrap_or(1),
            severity,
            message,
            hint,
            text: self.text.clone(),
        });
    }

    fn error(&mut self, place: Position, message: String, hint: Option<String>) {
        self.add(Severity::Error, place, message, hint);
    }

    fn warning(&mut self, place: Position, message: String, hint: Option<String>) {
        self.add(Severity::Warning, place, message, hint);
    }
}

impl Checker {
    fn script(&mut self, name: &str, text: &str) {
        self.seen.insert(name.to_owned());
        let mut notes = Findings { source: name.to_owned(), text: text.into(), found: Vec::new() };
        let mut imports = Vec::new();
        if let Some(ast) = parse(&mut notes, text) {
            let mut vocabulary = Vocabulary::new(&ast);
            imports = self.imports(&mut notes, &ast, &mut vocabulary);
            lints::lint(&mut notes, &ast, &vocabulary);
            if self.seen.len() == 1 {
                lints::shadowed(&mut notes, &ast, &vocabulary);
            }
        }
        notes.found.sort_by_key(|finding| (finding.line, finding.column));
        self.found.append(&mut notes.found);
        for (name, text) in imports {
            if !self.seen.contains(&name) {
                self.script(&name, &text);
            }
        }
    }

    /// What a script imports: its functions become known; returns the scripts that are files.
    fn imports(
        &self,
        notes: &mut Findings,
        ast: &AST,
        vocabulary: &mut Vocabulary,
    ) -> Vec<(String, Arc<str>)> {
        let mut files = Vec::new();
        for (path, alias, place) in lints::imports(ast) {
            match modules::locate(Some(&notes.source), &path) {
                Ok(found) => {
                    vocabulary.import(&alias, &found);
                    if found.native.is_none() && !scheme::is_source(&found.name) {
                        files.push((found.name, found.text));
                    }
                }
                Err(error) => {
                    vocabulary.import_unknown(&alias);
                    let hint = error.hint_text().map(str::to_owned);
                    notes.error(place, error.message().to_owned(), hint);
                }
            }
        }
        files
    }
}

/// The tree of a script, and all variables that are not there.
fn parse(notes: &mut Findings, text: &str) -> Option<AST> {
    let mut engine = interpreter::vocabulary();
    let mut scope = Scope::new();
    let mut seen = BTreeSet::new();
    for _ in 0..MOST_VARIABLES {
        let error = match engine.compile_with_scope(&scope, without_shebang(text)) {
            Ok(ast) => return Some(ast),
            Err(error) => error,
        };
        let place = error.position();
        let missing = match error.err_type() {
            ParseErrorType::VariableUndefined(name) => Some(name.clone()),
            _ => None,
        };
        let parsing = EvalAltResult::ErrorParsing(error.err_type().clone(), place);
        let known = NameScope { engine: &engine, library: &LIBRARY, scope: &Scope::new(), text };
        let ErrorText { message, hint, .. } = explain::explain(&parsing, &known);
        let Some(name) = missing else {
            notes.error(place, message, hint);
            return None;
        };
        // It is taken to be there from now on, so that the next one is found. A function sees no
        // variable from outside: there the parser goes on only when it does not look.
        if seen.insert((place.line(), place.position())) {
            notes.error(place, message, hint);
            scope.push_dynamic(name, rhai::Dynamic::UNIT);
        } else {
            engine.set_strict_variables(false);
        }
    }
    engine.set_strict_variables(false);
    engine.compile_with_scope(&scope, without_shebang(text)).ok()
}
