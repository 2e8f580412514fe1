//! Shell lines, parsed without a shell: words, quotes, comments, and
//! where one command ends and the next begins.

use std::iter::Peekable;
use std::str::Chars;

use super::visible::is_hidden;
use crate::model::{Error, Kind, Result};

/// Splits a text into commands, and these into words. Newlines, `;` and `&&` end a command.
/// Patterns of file names stay as they are.
///
/// # Errors
/// [`Kind::Invalid`] where a quote is not closed, [`Kind::Unsupported`] for what only a shell can
/// do: variables, pipes, redirections.
pub fn commands(text: &str) -> Result<Vec<Vec<String>>> {
    let mut split =
        Split { rest: text.chars().peekable(), word: None, words: vec![], done: vec![] };
    while let Some(c) = split.rest.next() {
        split.take(c)?;
    }
    split.end_command();
    Ok(split.done)
}

/// Returns whether a shell takes a word literally, without quotes.
pub fn is_plain(word: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&b);
    !word.is_empty() && !word.starts_with('=') && word.bytes().all(plain)
}

/// Quotes words for a shell and joins them.
///
/// # Errors
/// [`Kind::Unsupported`] for a NUL byte, which no program can be given.
pub fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let quote = |word: &'a str| match is_plain(word) {
        true => Ok(word.into()),
        false => shlex::try_quote(word).map_err(|_| {
            let message = "an argument with a NUL byte cannot be passed to a program";
            Error::new(Kind::Unsupported, message)
        }),
    };
    Ok(words.into_iter().map(quote).collect::<Result<Vec<_>>>()?.join(" "))
}

/// Quotes words for a shell to print them: a word with characters that a terminal obeys is written
/// as `$'\033[31m'` (bash(1), ANSI-C quoting), in octal, whose length is fixed.
///
/// # Errors
/// As [`quoted`].
pub fn quoted_visibly<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let quote = |word: &'a str| match word.contains(is_hidden) && !word.contains('\0') {
        true => Ok(ansi_c(word)),
        false => quoted([word]),
    };
    Ok(words.into_iter().map(quote).collect::<Result<Vec<_>>>()?.join(" "))
}

fn ansi_c(word: &str) -> String {
    let mut text = "$'".to_owned();
    for c in word.chars() {
        match c {
            '\'' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c if is_hidden(c) => {
                let mut buffer = [0; 4];
                text.extend(c.encode_utf8(&mut buffer).bytes().map(|byte| format!("\\{byte:03o}")));
            }
            c => text.push(c),
        }
    }
    text + "'"
}

/// What has been read so far.
struct Split<'a> {
    rest: Peekable<Chars<'a>>,
    word: Option<String>,
    words: Vec<String>,
    done: Vec<Vec<String>>,
}

impl Split<'_> {
    fn take(&mut self, c: char) -> Result<()> {
        match c {
            ' ' | '\t' | '\r' => self.end_word(),
            '\n' | ';' => self.end_command(),
            '&' if self.rest.next_if_eq(&'&').is_some() => self.end_command(),
            '#' if self.word.is_none() => while self.rest.next_if(|c| *c != '\n').is_some() {},
            '\'' => self.single()?,
            '"' => self.double()?,
            '\\' => match self.rest.next() {
                Some('\n') => {}
                Some(c) => self.push(c),
                None => return Err(invalid("the text ends after a `\\`")),
            },
            '$' => self.dollar(false)?,
            '~' if self.word.is_none() => return Err(unsupported("~", "write the whole path")),
            '`' => return Err(unsupported("`", VALUE)),
            '&' | '|' | '<' | '>' | '(' | ')' => {
                let hint = "translate one command at a time, or put the character in quotes";
                return Err(unsupported(c.encode_utf8(&mut [0; 4]), hint));
            }
            c => self.push(c),
        }
        Ok(())
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.words.is_empty() {
            self.done.push(std::mem::take(&mut self.words));
        }
    }

    fn single(&mut self) -> Result<()> {
        // Also `''` is a word.
        self.word.get_or_insert_default();
        loop {
            match self.rest.next() {
                Some('\'') => return Ok(()),
                Some(c) => self.push(c),
                None => return Err(invalid("a quote ' is not closed")),
            }
        }
    }

    fn double(&mut self) -> Result<()> {
        self.word.get_or_insert_default();
        loop {
            match self.rest.next() {
                Some('"') => return Ok(()),
                Some('\\') => match self.rest.next_if(|c| "$`\"\\\n".contains(*c)) {
                    Some('\n') => {}
                    Some(c) => self.push(c),
                    None => self.push('\\'),
                },
                Some('$') => self.dollar(true)?,
                Some('`') => return Err(unsupported("`", VALUE)),
                Some(c) => self.push(c),
                None => return Err(invalid("a quote \" is not closed")),
            }
        }
    }

    /// Takes the rest of `$'...'`, with bash's escapes of bytes and of white space.
    fn ansi_c(&mut self) -> Result<()> {
        let mut bytes = Vec::new();
        loop {
            match self.rest.next() {
                Some('\'') => break,
                Some('\\') => bytes.push(self.escaped_byte()?),
                Some(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
                None => return Err(invalid("a quote $' is not closed")),
            }
        }
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| invalid("the text in $'...' is not UTF-8"))?;
        self.word.get_or_insert_default().push_str(&text);
        Ok(())
    }

    fn escaped_byte(&mut self) -> Result<u8> {
        match self.rest.next() {
            Some('n') => Ok(b'\n'),
            Some('t') => Ok(b'\t'),
            Some('r') => Ok(b'\r'),
            Some('e' | 'E') => Ok(0x1b),
            Some('a') => Ok(7),
            Some('x') => self.digits(16, 2, 0),
            Some(c @ '0'..='7') => self.digits(8, 2, c.to_digit(8).unwrap_or(0)),
            Some('\'') => Ok(b'\''),
            Some('"') => Ok(b'"'),
            Some('\\') => Ok(b'\\'),
            _ => Err(unsupported("$'\\", "write the bytes in octal: $'\\033'")),
        }
    }

    /// Reads up to `most` further digits of a byte that is not zero.
    fn digits(&mut self, radix: u32, most: usize, first: u32) -> Result<u8> {
        let mut value = first;
        for _ in 0..most {
            let Some(digit) = self.rest.next_if(|c| c.is_digit(radix)) else { break };
            value = value * radix + digit.to_digit(radix).unwrap_or(0);
        }
        let byte = u8::try_from(value).ok().filter(|byte| *byte > 0);
        byte.ok_or_else(|| invalid("a byte in $'...' is not between 1 and 255"))
    }

    /// Takes a `$` that a shell would not expand; refuses any other.
    fn dollar(&mut self, within_quotes: bool) -> Result<()> {
        let begins = |c: &char| c.is_alphanumeric() || "_{('\"@*#?$!-".contains(*c);
        let Some(first) = self.rest.peek().copied().filter(begins) else {
            self.push('$');
            return Ok(());
        };
        // A quote after it closes the text that it stands in.
        if first == '"' && self.word.is_some() {
            self.push('$');
            return Ok(());
        }
        self.rest.next();
        if first == '\'' && !within_quotes {
            return self.ansi_c();
        }
        let mut name = format!("${first}");
        let named = first.is_alphanumeric() || "_{".contains(first);
        while let Some(c) = self.rest.next_if(|c| named && (c.is_alphanumeric() || *c == '_')) {
            name.push(c);
        }
        Err(unsupported(&name, VALUE))
    }
}

const VALUE: &str = "write the value itself, or put it in single quotes";

fn invalid(message: &str) -> Error {
    Error::new(Kind::Invalid, message)
}

fn unsupported(what: &str, hint: &str) -> Error {
    let message = format!("`{what}` is shell syntax, which is not supported");
    Error::new(Kind::Unsupported, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_with_control_characters_is_printed_in_octal_and_read_back() {
        assert_eq!(quoted_visibly(["a b", "\u{1b}[3\n'é"]).unwrap(), r"'a b' $'\033[3\n\'é'");
        for word in ["\u{1b}1", "\u{202e}7\\'\"", "\t\r\n\u{7f}0", "\u{9b}x"] {
            let shown = quoted_visibly([word, "$"]).unwrap();
            assert!(!shown.contains(is_hidden), "{shown:?}");
            assert_eq!(commands(&shown).unwrap(), [[word, "$"]], "{shown}");
        }
        assert_eq!(commands(r"a$'\x41\e'b").unwrap(), [["aA\u{1b}b"]]);
        for text in ["$'a", r"$'\0'", r"$'\377'", r"$'\u41'"] {
            assert!(commands(text).is_err(), "{text}");
        }
    }

    #[test]
    fn texts_fall_into_commands_and_words_as_in_a_shell() {
        let table: &[(&str, &[&[&str]])] = &[
            ("", &[]),
            ("docker run -d nginx", &[&["docker", "run", "-d", "nginx"]]),
            ("a 'b c' \"d e\" f\\ g ''", &[&["a", "b c", "d e", "f g", ""]]),
            ("a \\\n  --b c\nd # e 'f\ng#h", &[&["a", "--b", "c"], &["d"], &["g#h"]]),
            ("a && b; c", &[&["a"], &["b"], &["c"]]),
            ("a '$x' \"\\$x \\a\" 5$ \"5$\"", &[&["a", "$x", "$x \\a", "5$", "5$"]]),
            ("a 'x\ny' {{.Id}} x~ *", &[&["a", "x\ny", "{{.Id}}", "x~", "*"]]),
        ];
        for (text, expected) in table {
            assert_eq!(commands(text).unwrap(), *expected, "{text}");
        }
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused_by_name() {
        for (text, named) in [
            ("docker run -v $PWD:/x a", "`$PWD`"),
            ("docker run -v \"${HOME}/a\":/x a", "`${HOME`"),
            ("docker rm $(docker ps -q)", "`$(`"),
            ("docker rm `docker ps -q`", "```"),
            ("docker ps | wc", "`|`"),
            ("docker ps > file", "`>`"),
            ("docker run a &", "`&`"),
            ("docker run -v ~/a:/a b", "`~`"),
        ] {
            let error = commands(text).unwrap_err();
            assert_eq!(error.kind(), Kind::Unsupported, "{text}");
            assert!(error.message().contains(named), "{text}: {}", error.message());
        }
        for text in ["a 'b", "a \"b", "a \\"] {
            assert_eq!(commands(text).unwrap_err().kind(), Kind::Invalid, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_for_a_shell_reads_back(words in prop::collection::vec("[^\0]{0,20}", 1..6)) {
            let text = quoted(words.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(shlex::split(&text), Some(words.clone()));
            prop_assert_eq!(commands(&text).unwrap(), vec![words]);
        }
    }
}
