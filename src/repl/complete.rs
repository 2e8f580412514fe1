//! TAB completion: verbs, flags, containers and images in a command line; names of the language
//! in a script.

use super::command;
use super::input::Input;
use super::turn::Repl;
use crate::model::value::visible::is_hidden;
use crate::script::{Candidate, Completion};

/// Verbs whose arguments are images.
const OF_IMAGES: &[&str] = &["run", "create", "rmi", "history", "image", "images"];

/// Returns the completions at `position` in `line`.
pub fn complete(repl: &Repl<'_>, line: &str, position: usize) -> Completion {
    let before = &line[..position.min(line.len())];
    let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let (earlier, word) = before.split_at(start);
    if let Some(file) = command::file(before) {
        let candidates = files(file).into_iter().map(plain).collect();
        return Completion { start: before.len() - file.len(), candidates };
    }
    if let Some(beginning) = before.strip_prefix(':') {
        let names = command::names().filter(|name| name.starts_with(beginning));
        let candidates = names.map(|name| plain(format!(":{name} "))).collect();
        return Completion { start: 0, candidates };
    }
    if earlier.trim().is_empty() {
        return first_word(repl, line, position, word);
    }
    let Input::Command(words) = repl.classify(earlier) else {
        return repl.session.borrow().complete(line, position);
    };
    let verb = words.first().map(String::as_str).unwrap_or_default();
    let session = repl.session.borrow();
    let mut names = match word {
        word if word.starts_with('-') => repl.commands.flags(verb),
        _ if OF_IMAGES.contains(&verb) => session.image_names(),
        _ => session.container_names(),
    };
    names.retain(|name| name.starts_with(word));
    Completion { start, candidates: names.into_iter().map(plain).collect() }
}

/// Returns the files whose paths begin with this text. An unreadable directory has none.
fn files(beginning: &str) -> Vec<String> {
    let (directory, name) = beginning
        .rsplit_once('/')
        .map_or(("", beginning), |(at, name)| (&beginning[..=at.len()], name));
    let read = std::fs::read_dir(if directory.is_empty() { "." } else { directory });
    let found = read.into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        let own = entry.file_name().into_string().ok()?;
        // A name with control characters cannot be typed.
        let hidden = own.starts_with('.') && !name.starts_with('.') || own.contains(is_hidden);
        // Follows links: a link to a directory can be completed further.
        let end = if entry.path().is_dir() { "/" } else { "" };
        (own.starts_with(name) && !hidden).then(|| format!("{directory}{own}{end}"))
    });
    let mut found: Vec<String> = found.collect();
    found.sort();
    found
}

/// Completes the first word, which may begin a command line or a script.
fn first_word(repl: &Repl<'_>, line: &str, position: usize, word: &str) -> Completion {
    let mut completion = repl.session.borrow().complete(line, position);
    let start = position - word.len();
    if completion.start == start && !word.is_empty() {
        let verbs = repl.verbs.iter().filter(|verb| verb.starts_with(word));
        completion.candidates.extend(verbs.map(|verb| plain(format!("{verb} "))));
        completion.candidates.sort_by(|a, b| a.text.cmp(&b.text));
    }
    completion
}

/// A hint after the end of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The text of the hint.
    pub display: String,
    /// Whether the right arrow inserts the hint: true for a name, false for parameters of a call.
    pub inserted: bool,
}

/// Returns the parameters of the function being called, or the rest of the only matching name.
pub fn hint(repl: &Repl<'_>, line: &str) -> Option<Hint> {
    let session = repl.session.try_borrow().ok()?;
    if let Some(before) = line.strip_suffix('(') {
        let name_begins = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
        let name = &before[name_begins.map_or(0, |at| at + 1)..];
        let is_method = before[..before.len() - name.len()].ends_with('.');
        let shown = session.parameters(name, is_method)?;
        return Some(Hint { display: shown, inserted: false });
    }
    drop(session);
    let completion = complete(repl, line, line.len());
    let [only] = completion.candidates.as_slice() else { return None };
    // A hint needs the beginning of a name; otherwise every name would match.
    if completion.start == line.len() {
        return None;
    }
    let rest = only.text.strip_prefix(&line[completion.start..])?;
    Some(Hint { display: rest.to_owned(), inserted: true })
}

fn plain(text: String) -> Candidate {
    Candidate { text, about: String::new() }
}
