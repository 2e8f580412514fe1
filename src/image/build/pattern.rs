//! Patterns of file names: those of `COPY`, as in Go's `filepath.Match`, and the lines of a
//! `.dockerignore`, which have `**` and `!` too.

use crate::model::{Error, Kind, Result};

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// `**` before another part: any directories, or none.
    Deep,
    /// `**` at the end.
    All,
    /// `[a-z]`, `[^a]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Vec<Part>);

/// Returns whether a name has a character that makes it a pattern.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Result<Pattern> {
        let bad = || Error::new(Kind::Invalid, format!("`{text}` is not a valid pattern"));
        let mut parts = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            parts.push(match character {
                '*' if rest.next_if_eq(&'*').is_some() => {
                    rest.next_if_eq(&'/');
                    if rest.peek().is_some() { Part::Deep } else { Part::All }
                }
                '*' => Part::Many,
                '?' => Part::One,
                '\\' => Part::Char(rest.next().ok_or_else(bad)?),
                '[' => class(&mut rest).ok_or_else(bad)?,
                other => Part::Char(other),
            });
        }
        Ok(Pattern(parts))
    }

    /// Returns whether it matches all of `text`.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        // reached[i]: the parts so far match the first i characters.
        let mut reached = vec![false; text.len() + 1];
        reached[0] = true;
        for part in &self.0 {
            let mut next = vec![false; text.len() + 1];
            for at in (0..=text.len()).filter(|at| reached[*at]) {
                match part {
                    Part::Many => {
                        let end = text[at..].iter().position(|c| *c == '/');
                        let end = end.map_or(text.len(), |slash| at + slash);
                        next[at..=end].fill(true);
                    }
                    Part::All => next[at..].fill(true),
                    Part::Deep => {
                        next[at] = true;
                        for slash in (at..text.len()).filter(|place| text[*place] == '/') {
                            next[slash + 1] = true;
                        }
                    }
                    single => {
                        if text.get(at).is_some_and(|c| single.is(*c)) {
                            next[at + 1] = true;
                        }
                    }
                }
            }
            reached = next;
        }
        reached[text.len()]
    }
}

impl Part {
    fn is(&self, character: char) -> bool {
        match self {
            Part::Char(literal) => *literal == character,
            Part::One => character != '/',
            Part::Class { negated, ranges } => {
                let inside = ranges.iter().any(|(low, high)| (*low..=*high).contains(&character));
                character != '/' && inside != *negated
            }
            Part::Many | Part::Deep | Part::All => false,
        }
    }
}

fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Part> {
    let negated = rest.next_if(|c| matches!(c, '^' | '!')).is_some();
    let mut ranges = Vec::new();
    let one = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| match rest.next()? {
        '\\' => rest.next(),
        other => Some(other),
    };
    loop {
        if rest.peek() == Some(&']') && !ranges.is_empty() {
            rest.next();
            return Some(Part::Class { negated, ranges });
        }
        let low = one(rest)?;
        let high = if rest.next_if_eq(&'-').is_some() { one(rest)? } else { low };
        ranges.push((low, high));
    }
}

/// The rules of a `.dockerignore`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignore {
    /// The patterns, and whether each is an exception.
    rules: Vec<(Pattern, bool)>,
}

impl Ignore {
    /// Parses the lines of a `.dockerignore`.
    pub(crate) fn new<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Ignore> {
        let mut rules = Vec::new();
        for (number, line) in (1..).zip(lines) {
            let line = line.trim_start_matches('\u{feff}');
            if line.starts_with('#') {
                continue;
            }
            let line = line.trim();
            let (line, inverted) = match line.strip_prefix('!') {
                Some(rest) => (rest.trim(), true),
                None => (line, false),
            };
            let mut parts: Vec<&str> = Vec::new();
            for part in line.split('/') {
                match part {
                    "" | "." => {}
                    ".." => drop(parts.pop()),
                    part => parts.push(part),
                }
            }
            if !parts.is_empty() {
                let pattern = Pattern::new(&parts.join("/")).map_err(|_| bad_line(number))?;
                rules.push((pattern, inverted));
            }
        }
        Ok(Ignore { rules })
    }

    /// Returns whether `path` is ignored: the last line that matches it, or a parent directory,
    /// decides.
    pub(crate) fn leaves_out(&self, path: &str) -> bool {
        let lengths = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let paths: Vec<&str> = lengths.map(|end| &path[..end]).collect();
        let matching = |(pattern, _): &&(Pattern, bool)| paths.iter().any(|p| pattern.matches(p));
        self.rules.iter().rev().find(matching).is_some_and(|(_, inverted)| !inverted)
    }

    /// Returns whether there are exceptions, so that an ignored directory may contain files that
    /// are not.
    pub(crate) fn takes_back(&self) -> bool {
        self.rules.iter().any(|(_, inverted)| *inverted)
    }
}

/// Names the line, and repeats none of it: the file need not be the user's.
fn bad_line(number: usize) -> Error {
    Error::new(Kind::Invalid, format!("line {number} is not a valid pattern"))
        .hint("close each `[`, and write a character after each `\\`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_gos() {
        let table = [
            ("*.txt", "a.txt", true),
            ("*.txt", "d/a.txt", false),
            ("a*", "ab/c", false),
            ("?b", "ab", true),
            ("?b", "/b", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[]a]", "]", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("é?", "éü", true),
            ("", "", true),
            ("*", "", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(Pattern::new(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
        for bad in ["[", "[a", "a\\", "[a-"] {
            assert!(Pattern::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ignore_files_read_as_dockers() {
        let check = |lines: &[&str], out: &[&str], left: &[&str]| {
            let ignore = Ignore::new(lines.iter().copied()).unwrap();
            for path in out {
                assert!(ignore.leaves_out(path), "{lines:?} keeps {path}");
            }
            for path in left {
                assert!(!ignore.leaves_out(path), "{lines:?} leaves out {path}");
            }
        };
        check(&["*.md", "!README.md"], &["a.md"], &["README.md", "d/a.md"]);
        check(&["!README.md", "*.md"], &["README.md"], &[]);
        check(&["**/*.go"], &["a.go", "x/y/a.go"], &["a.c"]);
        check(&["target"], &["target", "target/a/b"], &["x/target", "target2"]);
        check(&["/target/", "./x"], &["target/a", "x"], &[]);
        check(&["**"], &["a", "a/b"], &[]);
        check(&["a/**", "!a/b/c"], &["a/b", "a/b/d"], &["a/b/c", "a"]);
        check(&["# a", " ", "#b", "  c  "], &["c"], &["a", "b", "# a"]);
        check(&["\u{feff}x"], &["x"], &[]);
        check(&["a/../b"], &["b"], &["a"]);
        check(&["*/temp*"], &["a/temporary", "a/temp/x"], &["temp"]);
        check(&["temp?"], &["tempa"], &["temp"]);
    }
}
