//! Records the inputs of a session, and writes the successful ones as a script.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use super::translate::translate;

/// The inputs of a session.
#[derive(Debug, Default)]
pub struct Transcript {
    typed: Vec<String>,
    entries: Vec<TranscriptEntry>,
}

/// An input that succeeded.
#[derive(Debug)]
enum TranscriptEntry {
    /// A script.
    Text(String),
    /// An expression, whose value became `last`.
    Value(String),
    /// A command line that has no call.
    Line(String),
}

impl Transcript {
    /// Records an input.
    pub fn typed(&mut self, text: &str) {
        self.typed.push(text.to_owned());
    }

    /// Returns the last `count` inputs, or all, the latest last.
    pub fn last(&self, count: Option<usize>) -> &[String] {
        let count = count.unwrap_or(self.typed.len()).min(self.typed.len());
        &self.typed[self.typed.len() - count..]
    }

    /// Records a script that succeeded. `value` is the script as an expression whose value is now
    /// `last`.
    pub fn script(&mut self, text: &str, value: Option<&str>) {
        let ends = text.trim_end().ends_with([';', '}']);
        let whole =
            || TranscriptEntry::Text(format!("{}{}", text.trim_end(), if ends { "" } else { ";" }));
        self.entries
            .push(value.map_or_else(whole, |value| TranscriptEntry::Value(value.to_owned())));
    }

    /// Records a command line that succeeded.
    pub fn command(&mut self, words: &[String], line: &str) {
        let other = || TranscriptEntry::Line(line.trim().to_owned());
        self.entries.push(translate(words).map_or_else(other, TranscriptEntry::Text));
    }

    /// Writes the script to a new file. Returns how many command lines became comments.
    ///
    /// # Errors
    /// The message for the user.
    pub fn save(&self, path: &str) -> Result<usize, String> {
        let mut text = String::from("#!/usr/bin/env lifebox\n// What was typed in a session.\n\n");
        // A script does not set `last` itself.
        let last = self.entries.iter().any(|worked| match worked {
            TranscriptEntry::Text(text) | TranscriptEntry::Value(text) => uses_last(text),
            TranscriptEntry::Line(_) => false,
        });
        if last {
            text.push_str("let last = ();\n");
        }
        for one in &self.entries {
            text.push_str(&match one {
                TranscriptEntry::Text(text) => format!("{text}\n"),
                TranscriptEntry::Value(text) if last => format!("last = {text};\n"),
                TranscriptEntry::Value(text) => format!("{text};\n"),
                TranscriptEntry::Line(line) => format!("// {line}\n"),
            });
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| format!("error: cannot write `{path}`: {}", reason(&error)))?;
        Ok(self.entries.iter().filter(|one| matches!(one, TranscriptEntry::Line(_))).count())
    }
}

/// Returns whether a text may use the variable `last`. A false positive does no harm.
fn uses_last(text: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == "last")
}

/// Returns the message of an I/O error without its number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_becomes_a_script() {
        let mut record = Transcript::default();
        record.script("let c = run(\"host\")", None);
        record.script("fn f() {\n  1\n}", None);
        record.script("f();", Some("f()"));
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for line in ["pause web", "rm -f web", "ps -a", "run -d host true", "logs -f web"] {
            record.command(&words(line), line);
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.rhai");
        assert_eq!(record.save(path.to_str().unwrap()), Ok(1));
        expect_test::expect![[r#"
            #!/usr/bin/env lifebox
            // What was typed in a session.

            let c = run("host");
            fn f() {
              1
            }
            f();
            pause("web");
            rm("web", #{ force: true });
            print(table(ps(#{ all: true })));
            run("host", ["true"]);
            // logs -f web
        "#]]
        .assert_eq(&std::fs::read_to_string(&path).unwrap());
        let again = record.save(path.to_str().unwrap()).unwrap_err();
        assert!(again.ends_with("file exists"), "{again}");
    }

    #[test]
    fn a_session_that_uses_its_last_value_becomes_a_script_that_has_one() {
        let mut record = Transcript::default();
        record.script("5", Some("5"));
        record.script("last + 1;", Some("last + 1"));
        record.script("let a = last", None);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.rhai");
        assert_eq!(record.save(path.to_str().unwrap()), Ok(0));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.ends_with("let last = ();\nlast = 5;\nlast = last + 1;\nlet a = last;\n"),
            "{text}"
        );
    }
}
