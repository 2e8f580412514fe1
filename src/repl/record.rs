//! What was typed and worked, as a script that does it again.

use std::fs::OpenOptions;
use std::io::Write as _;

/// Verbs of one container, which are functions of the same name.
const VERBS: [&str; 8] = ["start", "stop", "kill", "pause", "unpause", "restart", "rm", "wait"];

/// The inputs of a session.
#[derive(Debug, Default)]
pub struct Record {
    typed: Vec<String>,
    worked: Vec<String>,
}

impl Record {
    /// Something was typed.
    pub fn typed(&mut self, text: &str) {
        self.typed.push(text.to_owned());
    }

    /// The last `count` inputs, or all, the latest last.
    pub fn last(&self, count: Option<usize>) -> &[String] {
        let count = count.unwrap_or(self.typed.len()).min(self.typed.len());
        &self.typed[self.typed.len() - count..]
    }

    /// A text of the language worked.
    pub fn script(&mut self, text: &str) {
        let ends = text.trim_end().ends_with([';', '}']);
        self.worked.push(format!("{}{}", text.trim_end(), if ends { "" } else { ";" }));
    }

    /// A command line worked.
    pub fn command(&mut self, words: &[String], line: &str) {
        self.worked.push(call(words).unwrap_or_else(|| format!("// {}", line.trim())));
    }

    /// Writes the script to a new file.
    ///
    /// # Errors
    /// What is in the way, in words.
    pub fn save(&self, path: &str) -> Result<(), String> {
        let mut text = String::from("#!/usr/bin/env lifebox\n// What was typed in a session.\n\n");
        for one in &self.worked {
            text.push_str(one);
            text.push('\n');
        }
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| format!("error: cannot write `{path}`: {}", reason(&error)))
    }
}

/// Without the number of the error.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// A command line as a call, where it is a simple one.
fn call(words: &[String]) -> Option<String> {
    let text = |word: &String| format!("{:?}", word.as_str());
    match words {
        [verb, name] if VERBS.contains(&verb.as_str()) && !name.starts_with('-') => {
            Some(format!("{verb}({});", text(name)))
        }
        [verb, flag, name] if verb == "rm" && flag == "-f" => {
            Some(format!("rm({}, #{{ force: true }});", text(name)))
        }
        [verb] if verb == "ps" => Some("print(table(ps()));".to_owned()),
        [verb, flag] if verb == "ps" && flag == "-a" => {
            Some("print(table(ps(#{ all: true })));".to_owned())
        }
        [verb] if verb == "images" => Some("print(table(images()));".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_becomes_a_script() {
        let mut record = Record::default();
        record.script("let c = run(\"host\")");
        record.script("fn f() {\n  1\n}");
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for line in ["pause web", "rm -f web", "ps -a", "run -d host true"] {
            record.command(&words(line), line);
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.rhai");
        record.save(path.to_str().unwrap()).unwrap();
        expect_test::expect![[r#"
            #!/usr/bin/env lifebox
            // What was typed in a session.

            let c = run("host");
            fn f() {
              1
            }
            pause("web");
            rm("web", #{ force: true });
            print(table(ps(#{ all: true })));
            // run -d host true
        "#]]
        .assert_eq(&std::fs::read_to_string(&path).unwrap());
        let again = record.save(path.to_str().unwrap()).unwrap_err();
        assert!(again.ends_with("file exists"), "{again}");
    }
}
