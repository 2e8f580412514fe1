//! Tokens of a template, as Go's text/template/parse cuts them.

use std::fmt;

/// The words that no function can have as its name, but `true` and `false`.
pub const KEYWORDS: [&str; 11] = [
    "if", "range", "with", "end", "else", "template", "define", "block", "break", "continue", "nil",
];

/// A token and the position of its first byte.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub at: usize,
    pub kind: TokenKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    /// Text between actions, without what trim marks remove.
    Text(String),
    Open,
    Close,
    Space,
    /// A word: a function or a keyword.
    Word(String),
    /// `.Name`, without its dot.
    Field(String),
    Dot,
    /// `$` or `$name`.
    Variable(String),
    /// A number or a character constant, as written.
    Number(String),
    /// A string with its quotes.
    Quoted(String),
    Pipe,
    Declare,
    Assign,
    Comma,
    OpenParen,
    CloseParen,
    /// Any other printable ASCII character.
    Other(char),
}

/// Shows a token as Go's messages do.
impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenKind::Word(word) if KEYWORDS.contains(&word.as_str()) => write!(f, "<{word}>"),
            TokenKind::Text(text)
            | TokenKind::Word(text)
            | TokenKind::Variable(text)
            | TokenKind::Number(text)
            | TokenKind::Quoted(text) => write!(f, "{text:?}"),
            TokenKind::Field(name) => write!(f, "<.{name}>"),
            TokenKind::Dot => f.write_str("<.>"),
            TokenKind::Other(c) => write!(f, "{:?}", c.to_string()),
            TokenKind::Open => f.write_str("\"{{\""),
            TokenKind::Close => f.write_str("\"}}\""),
            TokenKind::Space => f.write_str("\" \""),
            TokenKind::Pipe => f.write_str("\"|\""),
            TokenKind::Declare => f.write_str("\":=\""),
            TokenKind::Assign => f.write_str("\"=\""),
            TokenKind::Comma => f.write_str("\",\""),
            TokenKind::OpenParen => f.write_str("\"(\""),
            TokenKind::CloseParen => f.write_str("\")\""),
        }
    }
}

/// A mistake, and the position where it is.
#[derive(Debug, PartialEq)]
pub struct Mistake {
    pub at: usize,
    pub what: String,
}

type Lexed<T> = Result<T, Mistake>;

fn mistake<T>(at: usize, what: impl Into<String>) -> Lexed<T> {
    Err(Mistake { at, what: what.into() })
}

/// Cuts a template into tokens.
pub fn tokens(source: &str) -> Lexed<Vec<Token>> {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new(), depth: 0 };
    let mut trims = false;
    loop {
        let rest = &source[lexer.at..];
        let (text, opens) = rest.split_once("{{").map_or((rest, false), |(text, _)| (text, true));
        let inside = lexer.at + text.len() + 2;
        let trims_before = opens && trim_mark(&source[inside..]);
        let text = if trims { text.trim_start_matches(WHITE) } else { text };
        let text = if trims_before { text.trim_end_matches(WHITE) } else { text };
        lexer.push(lexer.at, TokenKind::Text(text.to_owned()));
        if !opens {
            return Ok(lexer.tokens);
        }
        lexer.at = inside + if trims_before { 1 } else { 0 };
        trims = match lexer.comment(trims_before)? {
            Some(trims) => trims,
            None => lexer.action(inside - 2)?,
        };
    }
}

const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Whether a trim mark follows `{{`: a minus and white space.
fn trim_mark(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.starts_with(WHITE))
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<Token>,
    /// Open parentheses.
    depth: usize,
}

impl Lexer<'_> {
    fn push(&mut self, at: usize, kind: TokenKind) {
        self.tokens.push(Token { at, kind });
    }

    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    /// Passes over a comment; returns whether it trims what follows.
    fn comment(&mut self, trimmed: bool) -> Lexed<Option<bool>> {
        let rest = self.rest();
        let body = if trimmed { rest.trim_start_matches(WHITE) } else { rest };
        let Some(comment) = body.strip_prefix("/*") else { return Ok(None) };
        let Some((_, after)) = comment.split_once("*/") else {
            return mistake(self.at, "unclosed comment");
        };
        let (trims, after) = match after.strip_prefix("}}") {
            Some(after) => (false, after),
            None => match after.trim_start_matches(WHITE).strip_prefix("-}}") {
                Some(rest) if after.starts_with(WHITE) => (true, rest),
                _ => return mistake(self.at, "comment ends before closing delimiter"),
            },
        };
        self.at = self.source.len() - after.len();
        Ok(Some(trims))
    }

    /// Cuts an action up to its `}}`; returns whether it trims what follows.
    fn action(&mut self, open: usize) -> Lexed<bool> {
        self.push(open, TokenKind::Open);
        self.depth = 0;
        loop {
            let at = self.at;
            let rest = self.rest();
            let spaces = rest.len() - rest.trim_start_matches(WHITE).len();
            let trims = spaces > 0 && rest[spaces..].starts_with("-}}");
            if trims || rest.starts_with("}}") {
                if self.depth > 0 {
                    return mistake(at, "unclosed left paren");
                }
                self.at += if trims { spaces + 3 } else { 2 };
                self.push(at, TokenKind::Close);
                return Ok(trims);
            }
            if spaces > 0 {
                self.at += spaces;
                self.push(at, TokenKind::Space);
                continue;
            }
            let Some(first) = rest.chars().next() else { return mistake(at, "unclosed action") };
            self.token(at, first)?;
        }
    }

    fn token(&mut self, at: usize, first: char) -> Lexed<()> {
        let rest = self.rest();
        let second = rest.chars().nth(1);
        let (kind, length) = match first {
            '=' => (TokenKind::Assign, 1),
            ':' if second == Some('=') => (TokenKind::Declare, 2),
            ':' => return mistake(at, "expected :="),
            '|' => (TokenKind::Pipe, 1),
            ',' => (TokenKind::Comma, 1),
            '(' => {
                self.depth += 1;
                (TokenKind::OpenParen, 1)
            }
            ')' if self.depth == 0 => return mistake(at, "unexpected right paren"),
            ')' => {
                self.depth -= 1;
                (TokenKind::CloseParen, 1)
            }
            '"' | '\'' | '`' => quoted_token(at, rest, first)?,
            '.' if !second.is_some_and(|c| c.is_ascii_digit()) => {
                let name = word(&rest[1..]);
                match name {
                    "" => (TokenKind::Dot, 1),
                    name => (TokenKind::Field(name.to_owned()), 1 + name.len()),
                }
            }
            '$' => {
                let length = 1 + word(&rest[1..]).len();
                (TokenKind::Variable(rest[..length].to_owned()), length)
            }
            '+' | '-' | '.' | '0'..='9' => {
                let number = number(rest);
                if number.is_empty() || number == "+" || number == "-" {
                    return mistake(at, format!("bad number syntax: {:?}", &rest[..1]));
                }
                (TokenKind::Number(number.to_owned()), number.len())
            }
            c if c == '_' || c.is_alphabetic() => {
                let name = word(rest);
                (TokenKind::Word(name.to_owned()), name.len())
            }
            c if c.is_ascii() && !c.is_control() => (TokenKind::Other(c), 1),
            c => {
                return mistake(
                    at,
                    format!("unrecognized character in action: U+{:04X}", c as u32),
                );
            }
        };
        self.at += length;
        self.end_of_name(at, &kind)?;
        self.push(at, kind);
        Ok(())
    }

    /// Checks that a name ends where the next token begins.
    fn end_of_name(&self, at: usize, kind: &TokenKind) -> Lexed<()> {
        let named = matches!(
            kind,
            TokenKind::Word(_) | TokenKind::Field(_) | TokenKind::Dot | TokenKind::Variable(_)
        );
        if !named || self.ends_here() {
            return Ok(());
        }
        if *kind == TokenKind::Dot {
            return mistake(at, "unexpected <.> in operand");
        }
        let c = self.rest().chars().next().unwrap_or_default();
        mistake(at, format!("bad character U+{:04X} {c:?}", c as u32))
    }

    /// Whether a name may end before the next character.
    fn ends_here(&self) -> bool {
        let rest = self.rest();
        rest.is_empty()
            || rest.starts_with(WHITE)
            || rest.starts_with(['.', ',', '|', ':', ')', '(', '='])
            || rest.starts_with("}}")
    }
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    &text[..end]
}

/// Takes a string or a character constant, with its quotes.
fn quoted_token(at: usize, rest: &str, quote: char) -> Lexed<(TokenKind, usize)> {
    let Some(length) = quoted(rest, quote) else {
        let what = match quote {
            '"' => "unterminated quoted string",
            '`' => "unterminated raw quoted string",
            _ => "unterminated character constant",
        };
        return mistake(at, what);
    };
    let text = rest[..length].to_owned();
    let kind = if quote == '\'' { TokenKind::Number(text) } else { TokenKind::Quoted(text) };
    Ok((kind, length))
}

/// Returns the length of a quoted text with its quotes.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            '\n' if quote != '`' => return None,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Returns the number at the start of a text, with all that could belong to one.
fn number(text: &str) -> &str {
    let mut before = ' ';
    let digits = text.trim_start_matches(['+', '-']);
    let hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
    let end = text
        .char_indices()
        .find(|&(at, c)| {
            let sign = matches!(c, '+' | '-')
                && (at == 0
                    || (!hexadecimal && matches!(before, 'e' | 'E'))
                    || matches!(before, 'p' | 'P'));
            before = c;
            !(sign || c == '.' || c == '_' || c.is_ascii_alphanumeric())
        })
        .map_or(text.len(), |(at, _)| at);
    &text[..end]
}
