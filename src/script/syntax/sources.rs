//! The texts of scripts, modules and REPL lines, for the lines that error reports show.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::AST;

use crate::model::script::recording::Text;

/// The prefix of Rhai's names of closures.
pub const CLOSURE: &str = "anon$";

/// Text by source name, and the source of each closure.
#[derive(Debug, Default)]
pub struct Sources {
    known: Mutex<SourceTexts>,
    /// The bits of the names in `catch (name)`, as [`bit`] maps them; other names may share a bit.
    caught: AtomicU64,
}

#[derive(Debug, Default)]
struct SourceTexts {
    texts: HashMap<String, Arc<str>>,
    /// The source of each closure: Rhai reports that of the caller.
    closures: HashMap<String, String>,
}

impl Sources {
    fn lock(&self) -> MutexGuard<'_, SourceTexts> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the text of `name`.
    pub fn add(&self, name: &str, text: &str) {
        self.caught.fetch_or(bits_of_caught(text), Ordering::Relaxed);
        self.lock().texts.insert(name.to_owned(), text.into());
    }

    /// Returns whether a variable of this name can be that of a `catch`. Called at each use of a
    /// variable.
    pub fn may_be_caught(&self, name: &str) -> bool {
        self.caught.load(Ordering::Relaxed) & bit(name) != 0
    }

    /// Remembers the source of the closures of `ast`.
    pub fn add_closures(&self, name: &str, ast: &AST) {
        let mut known = self.lock();
        for function in ast.iter_functions() {
            if function.name.starts_with(CLOSURE) {
                known.closures.insert(function.name.to_owned(), name.to_owned());
            }
        }
    }

    /// Returns the text of `name`.
    pub fn text(&self, name: &str) -> Option<Arc<str>> {
        self.lock().texts.get(name).cloned()
    }

    /// Returns all texts.
    pub fn all(&self) -> Vec<Text> {
        let known = self.lock();
        let texts = known.texts.iter();
        texts.map(|(name, text)| Text { name: name.clone(), text: text.to_string() }).collect()
    }

    /// Returns the source of the closure `function`.
    pub fn of_closure(&self, function: &str) -> Option<String> {
        self.lock().closures.get(function).cloned()
    }
}

/// Returns one of 64 bits for a name.
fn bit(name: &str) -> u64 {
    let first = name.bytes().next().map_or(0, usize::from);
    1 << ((first + name.len() * 7) % 64)
}

/// Returns the bits of all names in `catch (name)` of a text; all bits if only a parser could find
/// the name.
fn bits_of_caught(text: &str) -> u64 {
    let bits = text.split("catch").skip(1).map(|rest| {
        let rest = rest.trim_start();
        match rest.strip_prefix('(').map(str::trim_start) {
            Some(rest) if rest.starts_with('/') => u64::MAX,
            Some(rest) => {
                bit(rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(rest))
            }
            None if rest.starts_with('/') => u64::MAX,
            None => 0,
        }
    });
    bits.fold(0, |all, bits| all | bits)
}

/// Returns a script with its `#!` line blank, so that line numbers stay right.
pub fn without_shebang(text: &str) -> &str {
    if text.starts_with("#!") { text.find('\n').map_or("", |end| &text[end..]) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_caught_errors_are_known_however_they_are_written() {
        for text in [
            "try { } catch (err) { }",
            "try{}catch(err){}",
            "try {} catch\n( err )\n{}",
            "try {} catch /* ( */ (err) {}",
            "try {} catch ( // it\n err) {}",
            "try {} catch {} try {} catch (e) {} catch (err) {}",
        ] {
            let sources = Sources::default();
            assert!(!sources.may_be_caught("err"));
            sources.add("a", text);
            assert!(sources.may_be_caught("err"), "{text}");
        }
        let sources = Sources::default();
        sources.add("a", "try {} catch {} // catch them");
        assert!(!sources.may_be_caught("err"));
    }

    #[test]
    fn a_shebang_becomes_an_empty_line() {
        assert_eq!(without_shebang("#!/usr/bin/env lifebox\nprint(1)"), "\nprint(1)");
        assert_eq!(without_shebang("#!x"), "");
        assert_eq!(without_shebang("print(1)"), "print(1)");
    }
}
