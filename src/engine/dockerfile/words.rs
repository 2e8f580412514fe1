//! The words of a Dockerfile: quotes, escapes and variables, as BuildKit's lexer reads them.

use regex::{NoExpand, Regex, RegexBuilder};

use crate::model::{Error, Kind, Result};

/// Keys and values, in order.
pub(crate) type Pairs = Vec<(String, String)>;

/// The deepest nesting of `${a:-${b:-...}}`.
const MAX_DEPTH: usize = 32;

/// Splits a text at white space that is neither quoted nor escaped. Quotes and escapes stay.
pub(crate) fn split(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match quote {
            None if character.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            None if matches!(character, '"' | '\'') => quote = Some(character),
            Some(open) if open == character => quote = None,
            _ => {}
        }
        word.push(character);
        if character == escape && quote != Some('\'') {
            word.extend(rest.next());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Returns the first word of a text, and the rest without surrounding white space.
pub(crate) fn keyword(text: &str) -> (&str, &str) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

/// Parses the pairs of `ENV` and `LABEL`: `a=b c="d e"`, or the old form `a b c`.
pub(crate) fn pairs(verb: &str, text: &str, escape: char) -> Result<Pairs> {
    let words = split(text, escape);
    let missing = || Error::new(Kind::Invalid, format!("{verb} must have two arguments"));
    let first = words.first().ok_or_else(missing)?;
    if !first.contains('=') {
        let rest = text.trim_start()[first.len()..].trim();
        if rest.is_empty() {
            return Err(missing().hint(format!("write {verb} NAME=VALUE")));
        }
        return Ok(vec![(first.clone(), rest.to_owned())]);
    }
    let pair = |word: &String| match word.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) => Err(Error::new(Kind::Invalid, format!("{verb} names can not be blank"))),
        None => Err(Error::new(
            Kind::Invalid,
            format!("syntax error - can't find = in `{word}`. Must be of the form: name=value"),
        )),
    };
    words.iter().map(pair).collect()
}

/// Parses the names of `ARG`, with their defaults.
pub(crate) fn arguments(text: &str, escape: char) -> Result<Vec<(String, Option<String>)>> {
    let one = |word: String| match word.split_once('=') {
        Some(("", _)) => Err(Error::new(Kind::Invalid, "ARG names can not be blank")),
        Some((name, value)) => Ok((name.to_owned(), Some(value.to_owned()))),
        None => Ok((word, None)),
    };
    split(text, escape).into_iter().map(one).collect()
}

/// An expander of variables and quotes.
pub(crate) struct Expander<'a> {
    pub(crate) escape: char,
    pub(crate) lookup: &'a dyn Fn(&str) -> Option<String>,
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

impl Expander<'_> {
    /// Expands a word.
    pub(crate) fn word(&self, text: &str) -> Result<String> {
        let mut rest = text.chars().peekable();
        self.until(&mut rest, None, 0)
            .map_err(|error| error.context(format!("cannot read `{text}`")))
    }

    /// Expands a here-document: variables are replaced, quotes stay.
    pub(crate) fn document(&self, text: &str) -> Result<String> {
        let mut whole = String::new();
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '$' => whole.push_str(&self.variable(&mut rest, 0)?),
                c if c == self.escape && matches!(rest.peek(), Some('$')) => {
                    whole.extend(rest.next());
                }
                other => whole.push(other),
            }
        }
        Ok(whole)
    }

    fn until(&self, rest: &mut Characters<'_>, end: Option<char>, depth: usize) -> Result<String> {
        if depth > MAX_DEPTH {
            return Err(Error::new(Kind::Invalid, "variables are nested too deep"));
        }
        let mut word = String::new();
        while let Some(character) = rest.next() {
            match character {
                c if Some(c) == end => return Ok(word),
                '\'' => loop {
                    match rest.next() {
                        Some('\'') => break,
                        Some(other) => word.push(other),
                        None => return Err(unclosed("a single quote")),
                    }
                },
                '"' => self.double_quoted(rest, &mut word, depth)?,
                '$' => word.push_str(&self.variable(rest, depth)?),
                c if c == self.escape => word.extend(rest.next()),
                other => word.push(other),
            }
        }
        if end.is_some() { Err(unclosed("a brace")) } else { Ok(word) }
    }

    fn double_quoted(
        &self,
        rest: &mut Characters<'_>,
        word: &mut String,
        depth: usize,
    ) -> Result<()> {
        while let Some(character) = rest.next() {
            match character {
                '"' => return Ok(()),
                '$' => word.push_str(&self.variable(rest, depth)?),
                c if c == self.escape => match rest.next() {
                    Some(next) if next == '"' || next == '$' || next == self.escape => {
                        word.push(next);
                    }
                    Some(next) => word.extend([c, next]),
                    None => return Err(unclosed("a double quote")),
                },
                other => word.push(other),
            }
        }
        Err(unclosed("a double quote"))
    }

    /// Expands what follows a `$`.
    fn variable(&self, rest: &mut Characters<'_>, depth: usize) -> Result<String> {
        if rest.next_if_eq(&'{').is_some() {
            let name = name(rest);
            if name.is_empty() {
                return Err(Error::new(Kind::Invalid, "bad substitution"));
            }
            return self.braced(rest, &name, depth);
        }
        let name = name(rest);
        if name.is_empty() {
            return Ok("$".to_owned());
        }
        Ok((self.lookup)(&name).unwrap_or_default())
    }

    /// Expands `${name}`, `${name:-word}` and the other forms.
    fn braced(&self, rest: &mut Characters<'_>, name: &str, depth: usize) -> Result<String> {
        let value = (self.lookup)(name);
        let has_colon = rest.peek() == Some(&':');
        let (operator, value) = match rest.next() {
            Some('}') => return Ok(value.unwrap_or_default()),
            // With a colon, empty counts as unset.
            Some(':') => (rest.next(), value.filter(|value| !value.is_empty())),
            other => (other, value),
        };
        let operator = operator.ok_or_else(|| unclosed("a brace"))?;
        if matches!(operator, '#' | '%' | '/') && !has_colon {
            return self.matched(rest, operator, &value.unwrap_or_default(), depth);
        }
        if !matches!(operator, '-' | '+' | '?') {
            let message = format!("unsupported modifier `{operator}` in a substitution");
            return Err(Error::new(Kind::Unsupported, message).hint(
                "use ${x:-y}, ${x:+y}, ${x:?y}, each without the colon, ${x#y}, ${x%y}, ${x/y/z}",
            ));
        }
        let word = self.until(rest, Some('}'), depth + 1)?;
        match (operator, value) {
            ('-', Some(value)) | ('?', Some(value)) => Ok(value),
            ('-', None) | ('+', Some(_)) => Ok(word),
            ('?', None) => {
                let why = if word.is_empty() { "is not allowed to be unset" } else { &word };
                Err(Error::new(Kind::Invalid, format!("{name}: {why}")))
            }
            _ => Ok(String::new()),
        }
    }
}

impl Expander<'_> {
    /// Expands `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`, and those with the
    /// sign twice, for the longest match or all matches (BuildKit, `processDollar`).
    fn matched(
        &self,
        rest: &mut Characters<'_>,
        operator: char,
        value: &str,
        depth: usize,
    ) -> Result<String> {
        let twice = rest.next_if_eq(&operator).is_some();
        if operator == '/' {
            let pattern = compiled(&expression(&self.pattern(rest, '/', depth)?, true))?;
            let text = self.until(rest, Some('}'), depth + 1)?;
            let count = if twice { 0 } else { 1 };
            return Ok(pattern.replacen(value, count, NoExpand(&text)).into_owned());
        }
        let pattern = expression(&self.pattern(rest, '}', depth)?, twice);
        let found = match (operator, twice) {
            ('#', _) => format!("^(?:{pattern})(?<rest>.*)$"),
            // The more of the beginning stays, the shorter is the match.
            (_, false) => format!("^(?<rest>.*)(?:{pattern})$"),
            (_, true) => format!("^(?<rest>.*?)(?:{pattern})$"),
        };
        let found = compiled(&found)?;
        let kept = found.captures(value).and_then(|found| found.name("rest"));
        Ok(kept.map_or(value, |kept| kept.as_str()).to_owned())
    }

    /// Reads a pattern up to `end`, in which what was quoted is plain.
    fn pattern(&self, rest: &mut Characters<'_>, end: char, depth: usize) -> Result<String> {
        let mut pattern = String::new();
        let plain = |pattern: &mut String, text: &str| {
            text.chars().for_each(|character| pattern.extend(['\\', character]));
        };
        while let Some(character) = rest.next() {
            match character {
                c if c == end => return Ok(pattern),
                '\'' => {
                    let quoted: String = rest.by_ref().take_while(|c| *c != '\'').collect();
                    plain(&mut pattern, &quoted);
                }
                '"' => {
                    let mut quoted = String::new();
                    self.double_quoted(rest, &mut quoted, depth)?;
                    plain(&mut pattern, &quoted);
                }
                '$' => pattern.push_str(&self.variable(rest, depth + 1)?),
                c if c == self.escape => {
                    pattern.push('\\');
                    pattern.extend(rest.next());
                }
                other => pattern.push(other),
            }
        }
        Err(unclosed("a brace"))
    }
}

/// Returns a pattern of a shell as a regular expression: `*` is any text, `?` any character, and a
/// backslash makes the next character plain.
fn expression(pattern: &str, greedy: bool) -> String {
    let mut expression = String::new();
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '*' if greedy => expression.push_str(".*"),
            '*' => expression.push_str(".*?"),
            '?' => expression.push('.'),
            '\\' => {
                let plain = rest.next().unwrap_or('\\');
                expression.push_str(&regex::escape(plain.encode_utf8(&mut [0; 4])));
            }
            plain => expression.push_str(&regex::escape(plain.encode_utf8(&mut [0; 4]))),
        }
    }
    expression
}

fn compiled(expression: &str) -> Result<Regex> {
    let limited = RegexBuilder::new(expression).dot_matches_new_line(true).build();
    limited.map_err(|_| Error::new(Kind::Invalid, "the pattern of a substitution is too long"))
}

/// The parameters of a shell that have a sign for a name. A Dockerfile gives them no value.
const SIGNS: [char; 7] = ['@', '*', '#', '!', '?', '-', '$'];

/// Reads a name: letters, digits and `_`; or digits alone, or one sign, which name what a shell has
/// and a Dockerfile has not (BuildKit, `processName`).
fn name(rest: &mut Characters<'_>) -> String {
    if let Some(sign) = rest.next_if(|c| SIGNS.contains(c)) {
        return sign.into();
    }
    let is_number = rest.peek().is_some_and(char::is_ascii_digit);
    let mut name = String::new();
    while let Some(character) =
        rest.next_if(|c| c.is_ascii_digit() || !is_number && (c.is_ascii_alphabetic() || *c == '_'))
    {
        name.push(character);
    }
    name
}

fn unclosed(what: &str) -> Error {
    Error::new(Kind::Invalid, format!("{what} is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Result<String> {
        let lookup = |name: &str| match name {
            "x" => Some("X".to_owned()),
            "path" => Some("a/b/c.tar.gz".to_owned()),
            "empty" => Some(String::new()),
            _ => None,
        };
        Expander { escape: '\\', lookup: &lookup }.word(text)
    }

    #[test]
    fn variables_are_put_in_as_docker_does() {
        let table = [
            ("$x", "X"),
            ("${x}y", "Xy"),
            ("$xy", ""),
            ("a$", "a$"),
            ("$1a$23b", "ab"),
            ("a$$b$$x", "abx"),
            ("x$@y$*$#$!$?$-z", "xyz"),
            ("${1:-q}${@-r}", "qr"),
            ("a$ b$.", "a$ b$."),
            (r"\$x", "$x"),
            (r"'$x'", "$x"),
            (r#""$x y""#, "X y"),
            (r#""\$x \" \\ \a""#, r#"$x " \ \a"#),
            ("${none:-y}", "y"),
            ("${none:-$x}", "X"),
            ("${none:-${none2:-z}}", "z"),
            ("${empty:-y}", "y"),
            ("${empty-y}", ""),
            ("${x:+y}", "y"),
            ("${empty:+y}", ""),
            ("${empty+y}", "y"),
            ("${none+y}", ""),
            ("${x:?no}", "X"),
            (r"a\ b", "a b"),
            ("", ""),
            ("é${x}ü", "éXü"),
            ("${path#*/} ${path##*/}", "b/c.tar.gz c.tar.gz"),
            ("${path%.*} ${path%%.*}", "a/b/c.tar a/b/c"),
            ("${path/./-} ${path//./-} ${path//\\//_}", "a/b/c-tar.gz a/b/c-tar-gz a_b_c.tar.gz"),
            ("${path#z} ${path%a} ${path/q/y}", "a/b/c.tar.gz a/b/c.tar.gz a/b/c.tar.gz"),
            ("${path#'*'/} ${path#\\*/}", "a/b/c.tar.gz a/b/c.tar.gz"),
            ("${path%?gz} ${path/$x/y} ${none#x}", "a/b/c.tar a/b/c.tar.gz "),
            ("${path/b*\"r\"/$x}", "a/X.gz"),
        ];
        for (text, expected) in table {
            assert_eq!(expand(text).unwrap(), expected, "{text}");
        }
        for bad in
            ["${x", "${}", "'a", "\"a", "${none:?why}", "${x:%y}", "${x#y", "${x/y}", "${x:-"]
        {
            assert!(expand(bad).is_err(), "{bad}");
        }
        assert!(expand(&"${a:-".repeat(100)).is_err());
    }

    #[test]
    fn pairs_are_read_in_both_forms() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let found = pairs("ENV", text, '\\').unwrap();
            let expected: Pairs =
                expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("a=b c=d", &[("a", "b"), ("c", "d")]);
        check(r#"a="b c" d=e\ f"#, &[("a", "\"b c\""), ("d", r"e\ f")]);
        check("a b c", &[("a", "b c")]);
        check("a b=c", &[("a", "b=c")]);
        check("a=", &[("a", "")]);
        for bad in ["a", "=b", "a=b c", ""] {
            assert!(pairs("ENV", bad, '\\').is_err(), "{bad}");
        }
        assert_eq!(
            arguments("a=1 b", '\\').unwrap(),
            [("a".to_owned(), Some("1".to_owned())), ("b".to_owned(), None)]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_word_panics(text in "[a${}:\\-+?'\"\\\\ é]{0,30}") {
            let _ = expand(&text);
            let lookup = |_: &str| Some("$x".to_owned());
            let expander = Expander { escape: '\\', lookup: &lookup };
            let _ = expander.document(&text);
            let _ = (pairs("ENV", &text, '\\'), arguments(&text, '\\'));
        }
    }
}
