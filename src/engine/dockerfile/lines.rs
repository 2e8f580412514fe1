//! The lines of a Dockerfile, joined into instructions: continued lines, comments between them, and
//! here-documents behind them.

use super::words;
use crate::model::{Error, Kind, Result};

/// Returns the character of the `# escape=` directive, which is only valid among the directives at
/// the top.
pub(crate) fn escape_directive(text: &str) -> Result<char> {
    for line in text.lines() {
        let Some(rest) = line.trim().strip_prefix('#') else { break };
        let Some((key, value)) = rest.split_once('=') else { break };
        let key = key.trim();
        if key.is_empty() || key.contains(char::is_whitespace) {
            break;
        }
        if key.eq_ignore_ascii_case("escape") {
            return match value.trim() {
                "\\" => Ok('\\'),
                "`" => Ok('`'),
                other => Err(Error::new(
                    Kind::Invalid,
                    format!("invalid ESCAPE `{other}`: must be ` or \\"),
                )),
            };
        }
    }
    Ok('\\')
}

/// An instruction and its here-documents, joined from lines.
pub(crate) struct Logical {
    /// Its first line, counted from 1.
    pub(crate) number: usize,
    pub(crate) text: String,
    pub(crate) documents: Vec<Document>,
}

#[derive(Clone)]
pub(crate) struct Document {
    /// The word in the instruction: `<<EOF`.
    pub(crate) word: String,
    pub(crate) name: String,
    pub(crate) content: String,
    /// Whether variables in it are expanded.
    pub(crate) expand: bool,
}

/// A reader of the lines of a Dockerfile.
pub(crate) struct Reader<'a> {
    lines: Vec<(usize, &'a str)>,
    at: usize,
    escape: char,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, escape: char) -> Self {
        Reader { lines: text.lines().enumerate().collect(), at: 0, escape }
    }

    /// Returns the next instruction; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Logical>> {
        let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        while self.lines.get(self.at).is_some_and(|(_, line)| blank(line)) {
            self.at += 1;
        }
        let Some((index, _)) = self.lines.get(self.at).copied() else { return Ok(None) };
        let mut text = String::new();
        while let Some((_, line)) = self.lines.get(self.at) {
            self.at += 1;
            // Empty lines and comments between the lines of an instruction are skipped.
            if !text.is_empty() && blank(line) {
                continue;
            }
            let line = if text.is_empty() { line.trim_start() } else { line };
            match self.continued(line) {
                Some(part) => text.push_str(part),
                None => {
                    text.push_str(line);
                    break;
                }
            }
        }
        let number = index + 1;
        let text = text.trim_end().to_owned();
        let documents =
            self.documents(&text).map_err(|error| error.context(format!("line {number}")))?;
        Ok(Some(Logical { number, text, documents }))
    }

    /// Returns a line that continues in the next, without its mark. A doubled mark is a literal
    /// one.
    fn continued<'l>(&self, line: &'l str) -> Option<&'l str> {
        let part = line.trim_end_matches([' ', '\t', '\r']).strip_suffix(self.escape)?;
        (!part.ends_with(self.escape)).then_some(part)
    }

    /// Reads the here-documents of an instruction.
    fn documents(&mut self, text: &str) -> Result<Vec<Document>> {
        let mut keyword = words::keyword(text).0.to_ascii_uppercase();
        if keyword == "ONBUILD" {
            keyword = words::keyword(words::keyword(text).1).0.to_ascii_uppercase();
        }
        if !matches!(keyword.as_str(), "RUN" | "COPY" | "ADD") {
            return Ok(Vec::new());
        }
        let mut documents = Vec::new();
        for word in words::split(text, self.escape) {
            let Some((mut document, strip)) = here_document(&word) else { continue };
            loop {
                let Some((_, line)) = self.lines.get(self.at) else {
                    let name = document.name;
                    return Err(Error::new(Kind::Invalid, format!("unterminated heredoc {name}")));
                };
                self.at += 1;
                let line = if strip { line.trim_start_matches('\t') } else { line };
                if line == document.name {
                    break;
                }
                document.content.push_str(line);
                document.content.push('\n');
            }
            documents.push(document);
        }
        Ok(documents)
    }
}

/// Parses `<<EOF`, `<<-EOF`, `3<<"EOF"`: an empty document, and whether leading tabs are removed.
fn here_document(word: &str) -> Option<(Document, bool)> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (rest, strip) = match rest.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let quoted = rest.contains(['"', '\'', '\\']);
    let name: String = rest.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
    if name.is_empty() || name.contains('<') {
        return None;
    }
    let (word, content, expand) = (word.to_owned(), String::new(), !quoted);
    Some((Document { word, name, content, expand }, strip))
}
