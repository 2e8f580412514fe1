//! The texts of scripts, modules and REPL lines, for the lines that error reports show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::AST;

use crate::model::chronicle::Text;

/// How Rhai begins the names of closures.
pub const CLOSURE: &str = "anon$";

/// Text by source name, and the source of each closure.
#[derive(Debug, Default)]
pub struct Sources {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    texts: HashMap<String, Arc<str>>,
    /// Rhai reports a closure with the source of whoever calls it; this says where it was written.
    closures: HashMap<String, String>,
}

impl Sources {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the text of `name`.
    pub fn add(&self, name: &str, text: &str) {
        self.lock().texts.insert(name.to_owned(), text.into());
    }

    /// Remembers where the closures of `ast` were written.
    pub fn add_closures(&self, name: &str, ast: &AST) {
        let mut known = self.lock();
        for function in ast.iter_functions() {
            if function.name.starts_with(CLOSURE) {
                known.closures.insert(function.name.to_owned(), name.to_owned());
            }
        }
    }

    /// The text of `name`.
    pub fn text(&self, name: &str) -> Option<Arc<str>> {
        self.lock().texts.get(name).cloned()
    }

    /// All texts.
    pub fn all(&self) -> Vec<Text> {
        let known = self.lock();
        let texts = known.texts.iter();
        texts.map(|(name, text)| Text { name: name.clone(), text: text.to_string() }).collect()
    }

    /// Where the closure `function` was written.
    pub fn of_closure(&self, function: &str) -> Option<String> {
        self.lock().closures.get(function).cloned()
    }
}

/// A script without its `#!` line, which is left blank so that line numbers stay right.
pub fn without_shebang(text: &str) -> &str {
    if text.starts_with("#!") { text.find('\n').map_or("", |end| &text[end..]) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shebang_becomes_an_empty_line() {
        assert_eq!(without_shebang("#!/usr/bin/env lifebox\nprint(1)"), "\nprint(1)");
        assert_eq!(without_shebang("#!x"), "");
        assert_eq!(without_shebang("print(1)"), "print(1)");
    }
}
