//! Words of the language where a name is wanted: Rhai's parser says there what it would rather have.

use rhai::{LexError, ParseErrorType, Position, Token};

/// The word of the language at `place`, where that is what an error of the parser is about.
pub fn at(text: &str, place: Position, error: &ParseErrorType) -> Option<String> {
    use ParseErrorType as E;
    let wants_name = match error {
        E::PropertyExpected | E::VariableExpected | E::FnMissingName => true,
        E::BadInput(LexError::UnexpectedInput(_)) => true,
        // What it says of a map whose first key is none.
        E::MissingToken(..) => is_key(before(text, place)?),
        _ => false,
    };
    let rest = rest(text, place).filter(|_| wants_name)?;
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let word = &rest[..end];
    let known =
        word.starts_with(char::is_alphabetic) && Token::lookup_symbol_from_syntax(word).is_some();
    known.then(|| word.to_owned())
}

/// How a word that stands at `place` as a key or a property is written instead.
pub fn in_quotes(text: &str, place: Position, word: &str) -> Option<String> {
    let before = before(text, place)?;
    if before.ends_with('.') {
        return Some(format!("in brackets and quotes it can be a key: [\"{word}\"]"));
    }
    let follows = rest(text, place)?.strip_prefix(word)?.trim_start();
    let colon = follows.starts_with(':') && !follows.starts_with("::");
    (is_key(before) && colon).then(|| format!("in quotes it can be a key: #{{ \"{word}\": ... }}"))
}

/// Whether what follows a text can be a key of a map.
fn is_key(before: &str) -> bool {
    before.ends_with("#{") || before.ends_with(',')
}

/// What is written before a place, without the space at its end.
fn before(text: &str, place: Position) -> Option<&str> {
    Some(text[..offset(text, place)?].trim_end())
}

/// What is written from a place on.
fn rest(text: &str, place: Position) -> Option<&str> {
    Some(&text[offset(text, place)?..])
}

/// The byte at which a place begins.
fn offset(text: &str, place: Position) -> Option<usize> {
    let line = place.line()?.checked_sub(1)?;
    let begin: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let column = place.position()?.checked_sub(1)?;
    let inside = text.get(begin..)?.char_indices().map(|(at, _)| at).nth(column);
    inside.map(|at| begin + at)
}
