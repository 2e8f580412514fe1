//! `check`: what is wrong in a script, found without running it.
//!
//! The parser finds what is no script and, one by one, variables that are not there. The rest is
//! found in its tree (`lints`, `unreachable`), against what the language and the script's imports have
//! (`vocabulary`).

mod bindings;
mod finding;
mod lints;
mod literals;
mod report;
mod unreachable;
mod vocabulary;

use self::finding::Findings;
pub use self::finding::{Finding, Severity};
use self::vocabulary::Vocabulary;
use crate::model::Result;
use crate::script::api::LIBRARY;
use crate::script::errors::explain::{NameScope, explain};
use crate::script::errors::words::ErrorText;
use crate::script::host::{self, Source};
use crate::script::session::{interpreter, modules};
use crate::script::syntax::scheme;
use crate::script::syntax::sources::without_shebang;
use rhai::{AST, EvalAltResult, ParseErrorType, Scope};
use std::collections::BTreeSet;
use std::sync::Arc;

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

impl Checker {
    fn script(&mut self, name: &str, text: &str) {
        self.seen.insert(name.to_owned());
        let mut notes = Findings::new(name, text);
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
        let ErrorText { message, hint, .. } = explain(&parsing, &known);
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
