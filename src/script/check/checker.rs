//! Walks a script and its imports.

use std::collections::BTreeSet;
use std::sync::Arc;

use rhai::{AST, EvalAltResult, ParseErrorType, Scope};

use super::finding::Finding;
use super::finding::Findings;
use super::lints;
use super::vocabulary::Vocabulary;
use crate::model::Result;
use crate::script::api::LIBRARY;
use crate::script::errors::explain::{NameScope, explain};
use crate::script::errors::words::ErrorText;
use crate::script::host::{self, Source};
use crate::script::session::{interpreter, modules};
use crate::script::syntax::scheme;
use crate::script::syntax::sources::without_shebang;

/// The maximum number of undefined variables that are reported for one script.
const MOST_VARIABLES: usize = 100;

/// Returns the findings of a script and of its imports, in the order of the text; the script itself
/// comes first.
///
/// # Errors
/// When the script cannot be read.
pub fn check(source: Source) -> Result<Vec<Finding>> {
    let (name, text) = host::read(source)?;
    let mut checker = Checker { found: Vec::new(), seen: BTreeSet::new() };
    checker.script(&name, &text);
    Ok(checker.found)
}

/// Checks scripts and their imports.
struct Checker {
    found: Vec<Finding>,
    /// The scripts that are already checked.
    seen: BTreeSet<String>,
}

impl Checker {
    fn script(&mut self, name: &str, text: &str) {
        self.seen.insert(name.to_owned());
        let mut findings = Findings::new(name, text);
        let mut imports = Vec::new();
        if let Some(ast) = parse(&mut findings, text) {
            let mut vocabulary = Vocabulary::new(&ast);
            imports = self.imports(&mut findings, &ast, &mut vocabulary);
            lints::lint(&mut findings, &ast, &vocabulary);
            if self.seen.len() == 1 {
                lints::shadowed(&mut findings, &ast, &vocabulary);
            }
        }
        findings.found.sort_by_key(|finding| (finding.line, finding.column));
        self.found.append(&mut findings.found);
        for (name, text) in imports {
            if !self.seen.contains(&name) {
                self.script(&name, &text);
            }
        }
    }

    /// Adds the functions of imported modules to the vocabulary; returns the imports that are
    /// files.
    fn imports(
        &self,
        findings: &mut Findings,
        ast: &AST,
        vocabulary: &mut Vocabulary,
    ) -> Vec<(String, Arc<str>)> {
        let mut files = Vec::new();
        for (path, alias, place) in lints::imports(ast) {
            match modules::locate(Some(&findings.source), &path) {
                Ok(found) => {
                    vocabulary.import(&alias, &found);
                    if found.native.is_none() && !scheme::is_source(&found.name) {
                        files.push((found.name, found.text));
                    }
                }
                Err(error) => {
                    vocabulary.import_unknown(&alias);
                    let hint = error.hint_text().map(str::to_owned);
                    findings.error(place, error.message().to_owned(), hint);
                }
            }
        }
        files
    }
}

/// Parses a script, and reports all undefined variables.
fn parse(findings: &mut Findings, text: &str) -> Option<AST> {
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
            findings.error(place, message, hint);
            return None;
        };
        // The variable is defined from now on, so that the next one is found. A `fn` sees no outer
        // variables: there the parser continues only without strict variables.
        if seen.insert((place.line(), place.position())) {
            findings.error(place, message, hint);
            scope.push_dynamic(name, rhai::Dynamic::UNIT);
        } else {
            engine.set_strict_variables(false);
        }
    }
    engine.set_strict_variables(false);
    engine.compile_with_scope(&scope, without_shebang(text)).ok()
}
