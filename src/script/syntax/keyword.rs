//! Finds reserved words in the place of a name: there Rhai's parser reports only what it expected.

use rhai::{LexError, ParseErrorType, Position, Token};

/// Returns the reserved word at `place`, if the parser's error is about it.
pub fn at(text: &str, place: Position, error: &ParseErrorType) -> Option<String> {
    use ParseErrorType as E;
    let wants_name = match error {
        E::PropertyExpected | E::VariableExpected | E::FnMissingName => true,
        E::BadInput(LexError::UnexpectedInput(_)) => true,
        // Its error for a map whose first key is not a name.
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

/// Returns how to write a reserved word at `place` as a key or a property.
pub fn in_quotes(text: &str, place: Position, word: &str) -> Option<String> {
    let before = before(text, place)?;
    if before.ends_with('.') {
        return Some(format!("in brackets and quotes it can be a key: [\"{word}\"]"));
    }
    let follows = rest(text, place)?.strip_prefix(word)?.trim_start();
    let colon = follows.starts_with(':') && !follows.starts_with("::");
    (is_key(before) && colon).then(|| format!("in quotes it can be a key: #{{ \"{word}\": ... }}"))
}

/// Returns whether a key of a map can follow a text.
fn is_key(before: &str) -> bool {
    before.ends_with("#{") || before.ends_with(',')
}

/// Returns the text before a place, without space at its end.
fn before(text: &str, place: Position) -> Option<&str> {
    Some(text[..offset(text, place)?].trim_end())
}

/// Returns the text from a place on.
fn rest(text: &str, place: Position) -> Option<&str> {
    Some(&text[offset(text, place)?..])
}

/// Returns the byte offset of a place.
fn offset(text: &str, place: Position) -> Option<usize> {
    let line = place.line()?.checked_sub(1)?;
    let begin: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let column = place.position()?.checked_sub(1)?;
    let inside = text.get(begin..)?.char_indices().map(|(at, _)| at).nth(column);
    inside.map(|at| begin + at)
}
