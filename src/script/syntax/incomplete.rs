//! Decides whether a text continues in the next line, with the parser, not by counting brackets.

use rhai::{Engine, LexError, ParseErrorType, Token};

use super::parser::parser;

/// The validator. It has its own engine: variables and limits must not matter.
#[derive(Debug)]
pub struct InputValidator {
    engine: Engine,
}

impl InputValidator {
    /// Creates a validator.
    pub fn new() -> Self {
        InputValidator { engine: parser() }
    }

    /// Returns whether `text` is incomplete. With a newline added, an error on the line after it is
    /// one that more text can repair.
    pub fn is_incomplete(&self, text: &str) -> bool {
        let padded = format!("{text}\n");
        let last = padded.matches('\n').count() + 1;
        let Err(rhai::ParseError(kind, position)) = self.engine.compile(&padded) else {
            return self.in_comment(text);
        };
        match *kind {
            ParseErrorType::UnexpectedEOF => true,
            ParseErrorType::BadInput(LexError::UnterminatedString) => {
                // "…" and '…' end on their line unless it ends with a backslash; `…` continues.
                let quote = position
                    .line()
                    .and_then(|line| text.lines().nth(line - 1))
                    .zip(position.position())
                    .and_then(|(line, column)| line.chars().nth(column - 1));
                !matches!(quote, Some('"' | '\'')) || text.trim_end_matches('\n').ends_with('\\')
            }
            _ => position.line() == Some(last),
        }
    }

    /// Returns whether a comment is open: the parser takes an open `/*` for an empty text.
    fn in_comment(&self, text: &str) -> bool {
        let texts = [text];
        let (mut tokens, _) = self.engine.lex(&texts);
        while tokens.next().is_some_and(|(token, _)| token != Token::EOF) {}
        tokens.state.comment_level > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parser_knows_what_goes_on() {
        let validator = InputValidator::new();
        let open = [
            "if x {",
            "fn f(a,",
            "let a = [1,",
            "let a =",
            "a +",
            "#{ a: 1,",
            "foo(",
            "foo(|x| {",
            "`text",
            "`a ${b",
            "/* comment",
            "\"text\\",
            "switch x {",
            "while true {\nfoo();",
            "run(\"host\", #{ name: \"web\",",
            "let c = create(\"host\", #{",
            "c.logs(|line| {",
            "try {",
            "a.",
            "for x in",
        ];
        for text in open {
            assert!(validator.is_incomplete(text), "{text}");
        }
        let whole = [
            "",
            "1",
            "let a = 1",
            "let a = 1;",
            "foo()",
            "if x { 1 } else { 2 }",
            "\"open",
            "let = 3",
            "foo(]",
            "}",
            "// comment",
            "/* a */ 1",
            "|x| x + 1",
            "undefined_name",
        ];
        for text in whole {
            assert!(!validator.is_incomplete(text), "{text}");
        }
    }
}
