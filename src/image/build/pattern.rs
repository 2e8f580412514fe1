//! Patterns of file names: those of `COPY`, as in Go's `filepath.Match`, and the lines of a
//! `.dockerignore`, which have `**` too.

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
        self.matches_at(&self.after(&self.begin(), text))
    }

    /// Returns the places before any text.
    pub(super) fn begin(&self) -> Places {
        let mut places = self.no_places();
        self.enter(&mut places, 0);
        places
    }

    /// Returns the places after more text. The time grows with the text and with the pattern, not
    /// with what was read before.
    pub(super) fn after(&self, places: &Places, text: &str) -> Places {
        text.chars().fold(places.clone(), |places, character| self.step(&places, character))
    }

    /// Returns whether the pattern matches the text that led to these places.
    pub(super) fn matches_at(&self, places: &Places) -> bool {
        places.has(self.0.len())
    }

    fn step(&self, places: &Places, character: char) -> Places {
        let (mut entered, mut inside) = (self.no_places(), self.no_places());
        for at in places.iter() {
            match self.0.get(at) {
                Some(Part::Many) if character == '/' => {}
                Some(Part::Many | Part::All) => self.enter(&mut entered, at),
                Some(Part::Deep) => {
                    inside.add(at);
                    if character == '/' {
                        self.enter(&mut entered, at + 1);
                    }
                }
                Some(single) if single.is(character) => self.enter(&mut entered, at + 1),
                _ => {}
            }
        }
        entered.add_all(&inside);
        entered
    }

    /// Adds a place, and those after it that need no text.
    fn enter(&self, places: &mut Places, mut at: usize) {
        while places.add(at) && matches!(self.0.get(at), Some(Part::Many | Part::All | Part::Deep))
        {
            at += 1;
        }
    }

    fn no_places(&self) -> Places {
        Places(vec![0; self.0.len() / 64 + 1])
    }
}

/// The places in a pattern that a text leads to, one bit each: the number of the part that comes
/// next, or the number of parts at the end.
#[derive(Clone, Debug)]
pub(super) struct Places(Vec<u64>);

impl Places {
    /// Adds a place. Returns false if it was there.
    fn add(&mut self, at: usize) -> bool {
        let (word, bit) = (&mut self.0[at / 64], 1 << (at % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    fn add_all(&mut self, other: &Places) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }

    fn has(&self, at: usize) -> bool {
        self.0[at / 64] & (1 << (at % 64)) != 0
    }

    /// Returns whether no text can lead to the end any more.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(number, word)| {
            let rest = |word: &u64| Some(word & (word - 1)).filter(|word| *word != 0);
            let words = std::iter::successors(Some(*word).filter(|word| *word != 0), rest);
            words.map(move |word| number * 64 + word.trailing_zeros() as usize)
        })
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

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
    fn a_long_pattern_and_a_long_name_take_no_long_time() {
        // Each of these once took the product of the pattern and the square of the name.
        let (name, begun) = ("a".repeat(100_000), Instant::now());
        for pattern in ["*a*a*a*a*b", "**/*a", "**/b", "*"] {
            assert_eq!(
                Pattern::new(pattern).unwrap().matches(&name),
                pattern.ends_with(['a', '*'])
            );
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        let pattern = "*?".repeat(1000);
        assert!(Pattern::new(&pattern).unwrap().matches(&name[..2000]));
        assert!(!Pattern::new(&pattern).unwrap().matches(&name[..999]));
    }
}
