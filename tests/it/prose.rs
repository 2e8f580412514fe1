//! Reads the prose of the source: comments and string literals.

/// A comment of one or more lines, or a string literal.
pub struct Prose {
    pub is_string: bool,
    /// The words in lower case, a space between two.
    text: String,
    /// Where the words of each line begin in `text`, with the line's number.
    lines: Vec<(usize, usize)>,
}

impl Prose {
    /// Creates a text that begins at this line.
    pub fn new(text: &str, first: usize, is_string: bool) -> Self {
        let mut prose = Prose { is_string, text: String::new(), lines: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            prose.push(line, first + index);
        }
        prose
    }

    fn push(&mut self, line: &str, number: usize) {
        self.lines.push((self.text.len(), number));
        // A string continues after a backslash at the end of a line.
        for word in line.trim_end_matches('\\').split_whitespace() {
            self.text.push_str(&word.to_lowercase());
            self.text.push(' ');
        }
    }

    /// Returns each use of one of `phrases` outside of the phrases in `allowed`, with its line.
    pub fn uses<'a>(&self, phrases: &[&'a str], allowed: &[&str]) -> Vec<(usize, &'a str)> {
        let text = allowed.iter().fold(self.text.clone(), |text, allowed| {
            text.replace(allowed, &"#".repeat(allowed.len()))
        });
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut found = Vec::new();
        for phrase in phrases {
            for (at, _) in text.match_indices(phrase) {
                let (before, after) = (&text[..at], &text[at + phrase.len()..]);
                if !before.ends_with(is_word) && !after.starts_with(is_word) {
                    let line = self.lines.iter().rfind(|(start, _)| *start <= at);
                    found.push((line.map_or(0, |(_, number)| *number), *phrase));
                }
            }
        }
        found
    }
}

/// Reads the comments and string literals of a Rust file. Comments on consecutive lines are one.
pub fn of_rust(text: &str) -> Vec<Prose> {
    let mut found: Vec<Prose> = Vec::new();
    let mut number = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => {
                let line = rest.lines().next().unwrap_or_default();
                let comment = line.trim_start_matches(['/', '!']);
                match found.last_mut() {
                    Some(last)
                        if !last.is_string
                            && last.lines.last().is_some_and(|(_, n)| n + 1 == number) =>
                    {
                        last.push(comment, number);
                    }
                    _ => found.push(Prose::new(comment, number, false)),
                }
                line.len()
            }
            '"' => {
                let length = string(rest);
                found.push(Prose::new(&rest[1..length - 1], number, true));
                length
            }
            'r' if raw_string(rest).is_some() => {
                let length = raw_string(rest).unwrap();
                found.push(Prose::new(&rest[1..length], number, true));
                length
            }
            '\'' => character(rest),
            // A name may end with `r`: it does not begin a raw string.
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        number += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

/// Returns the length of a string literal with its quotes.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text[1..].find(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// Returns the length of a raw string literal, such as `r#""#`; `None` for other texts.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    let start = 1 + hashes + 1;
    text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// Returns the length of a character literal, or that of the quote of a lifetime.
fn character(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        // The character after the backslash may be a quote itself.
        (Some((_, '\\')), Some((at, c))) => {
            let after = at + c.len_utf8();
            text[after..].find('\'').map_or(1, |end| after + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}
