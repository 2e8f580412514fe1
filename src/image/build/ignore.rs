//! The rules of a `.dockerignore`: patterns, and `!` before exceptions.

use super::pattern::{Pattern, Places};
use crate::model::{Error, Kind, Result};

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
                Some("") => return Err(bad_line(number).hint("write `!` and a pattern")),
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

    /// Returns a look at paths, one after the other.
    pub(crate) fn paths(&self) -> IgnoredPaths<'_> {
        let live =
            self.rules.iter().enumerate().map(|(rule, (pattern, _))| (rule, pattern.begin()));
        let root = Level { end: 0, live: live.collect(), decided_by: None };
        IgnoredPaths { ignore: self, path: String::new(), levels: vec![root] }
    }

    /// Returns whether there are exceptions, so that an ignored directory may contain files that
    /// are not.
    pub(crate) fn takes_back(&self) -> bool {
        self.rules.iter().any(|(_, inverted)| *inverted)
    }
}

/// Decides path after path. What is known of a directory counts for all below it, so that a walk
/// reads each part of a path once.
#[derive(Debug)]
pub(crate) struct IgnoredPaths<'i> {
    ignore: &'i Ignore,
    /// The last path.
    path: String,
    /// The root, and each directory on the way to the path.
    levels: Vec<Level>,
}

/// What is known after a part of a path.
#[derive(Debug)]
struct Level {
    /// Where the part ends in the path.
    end: usize,
    /// The rules that may still decide, and where each stands.
    live: Vec<(usize, Places)>,
    /// The last rule that matches the path up to here, or a directory above.
    decided_by: Option<usize>,
}

impl IgnoredPaths<'_> {
    /// Returns whether `path` is ignored: the last line that matches it, or a parent directory,
    /// decides.
    pub(crate) fn leaves_out(&mut self, path: &str) -> bool {
        let is_above = |level: &Level| {
            let ends = matches!(path.as_bytes().get(level.end), None | Some(b'/'));
            level.end == 0 || ends && path.starts_with(&self.path[..level.end])
        };
        while self.levels.last().is_some_and(|level| !is_above(level)) {
            self.levels.pop();
        }
        let known = self.levels.last().map_or(0, |level| level.end);
        self.path.truncate(known);
        self.path.push_str(&path[known..]);
        let ends = path[known..].match_indices('/').map(|(at, _)| known + at).chain([path.len()]);
        for end in ends.filter(|end| *end > known) {
            self.descend(end);
        }
        let decided_by = self.levels.last().and_then(|level| level.decided_by);
        decided_by.is_some_and(|rule| !self.ignore.rules[rule].1)
    }

    /// Adds the level of the path up to `end`.
    fn descend(&mut self, end: usize) {
        let Some(above) = self.levels.last() else { return };
        let text = &self.path[above.end..end];
        let (mut live, mut decided_by) = (Vec::new(), above.decided_by);
        for (rule, places) in above.live.iter().filter(|(rule, _)| Some(*rule) > above.decided_by) {
            let pattern = &self.ignore.rules[*rule].0;
            let places = pattern.after(places, text);
            if pattern.matches_at(&places) {
                decided_by = Some(*rule);
            } else if !places.is_empty() {
                live.push((*rule, places));
            }
        }
        self.levels.push(Level { end, live, decided_by });
    }
}

/// Names the line, and repeats none of it: the file need not be the user's.
fn bad_line(number: usize) -> Error {
    Error::new(Kind::Invalid, format!("line {number} is not a valid pattern"))
        .hint("close each `[`, and write a character after each `\\`")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn ignore_files_read_as_dockers() {
        let check = |lines: &[&str], out: &[&str], left: &[&str]| {
            let ignore = Ignore::new(lines.iter().copied()).unwrap();
            let mut paths = ignore.paths();
            for path in out {
                assert!(paths.leaves_out(path), "{lines:?} keeps {path}");
                assert!(ignore.paths().leaves_out(path), "{lines:?} keeps {path}");
            }
            for path in left {
                assert!(!paths.leaves_out(path), "{lines:?} leaves out {path}");
                assert!(!ignore.paths().leaves_out(path), "{lines:?} leaves out {path}");
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

    #[test]
    fn an_exception_without_a_pattern_is_refused() {
        for lines in [["a", "!"], ["a", " ! "]] {
            let error = Ignore::new(lines).unwrap_err();
            assert!(error.to_string().contains("line 2"), "{error}");
        }
    }

    #[test]
    fn each_part_of_a_deep_path_is_read_once() {
        let lines = ["**/zz", "*/*/b", "!**/q", "a/a/a/a/a/x"];
        let ignore = Ignore::new(lines).unwrap();
        let mut paths = ignore.paths();
        let (mut path, begun) = ("a".to_owned(), Instant::now());
        // Every path anew, and every pattern against each directory above, took minutes.
        for _ in 0..2000 {
            path.push_str("/a");
            assert!(!paths.leaves_out(&path));
            assert!(paths.leaves_out(&format!("{path}/zz")));
            assert!(!paths.leaves_out(&format!("{path}/zz/q")));
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
        assert!(!paths.leaves_out("a/b") && paths.leaves_out("a/a/b/c"));
    }
}
