//! Colours the line being typed. Has its own scanner: Rhai's loses its position in
//! `` `text ${value} text` `` and needs complete texts.

use anstyle::{AnsiColor, Style};

const KEYWORD: Style = AnsiColor::Magenta.on_default();
const TEXT: Style = AnsiColor::Green.on_default();
const NUMBER: Style = AnsiColor::Cyan.on_default();
const CALL: Style = AnsiColor::Blue.on_default();
const COMMENT: Style = AnsiColor::BrightBlack.on_default();
const PROMPT: Style = AnsiColor::Cyan.on_default().bold();

const KEYWORDS: &[&str] = &[
    "as", "break", "catch", "const", "continue", "do", "else", "export", "false", "fn", "for",
    "global", "if", "import", "in", "let", "loop", "private", "return", "switch", "this", "throw",
    "true", "try", "until", "while",
];

/// Colours the prompt.
pub fn prompt(text: &str) -> String {
    painted(PROMPT, text)
}

/// Dims a hint.
pub fn hint(text: &str) -> String {
    painted(COMMENT, text)
}

/// Colours a line. Without the colours the result is the same line.
pub fn paint(line: &str) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (length, style) = token(rest, first);
        let (token, after) = rest.split_at(length);
        match style {
            Some(style) => out.push_str(&painted(style, token)),
            None => out.push_str(token),
        }
        rest = after;
    }
    out
}

fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Returns the length of the first token of `rest`, and the token's colour.
fn token(rest: &str, first: char) -> (usize, Option<Style>) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), Some(COMMENT));
    }
    if rest.starts_with("/*") {
        return (rest.find("*/").map_or(rest.len(), |end| end + 2), Some(COMMENT));
    }
    match first {
        '"' | '\'' | '`' => (quoted(rest, first), Some(TEXT)),
        c if c.is_ascii_digit() => {
            let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            (end_of(rest, part), Some(NUMBER))
        }
        c if c.is_alphabetic() || c == '_' => {
            let length = end_of(rest, |c| c.is_alphanumeric() || c == '_');
            let style = if KEYWORDS.contains(&&rest[..length]) {
                Some(KEYWORD)
            } else {
                rest[length..].starts_with('(').then_some(CALL)
            };
            (length, style)
        }
        c => (c.len_utf8(), None),
    }
}

fn end_of(text: &str, part: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !part(c)).unwrap_or(text.len())
}

/// Returns the length of a string with its quotes; an unclosed string ends with the text.
fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote != '`' {
            chars.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_nothing_but_colours() {
        for line in [
            "let c = run(\"host\", #{ name: \"web\" }); // go",
            "`a ${b} \" c` + 'x' + 1.5e3",
            "\"open \\\" string",
            "/* open",
            "größe(\"ä\")",
            "",
        ] {
            let bare = anstream::adapter::strip_str(&paint(line)).to_string();
            assert_eq!(bare, line);
        }
    }

    #[test]
    fn words_get_the_colour_of_their_kind() {
        assert!(paint("let x").starts_with(&painted(KEYWORD, "let")));
        assert!(paint("letter").starts_with("letter"));
        assert!(paint("run(x)").starts_with(&painted(CALL, "run")));
    }
}
