//! Picks the face: a verb, a script or the REPL. Decides before the verbs are parsed, because the
//! arguments after a script belong to the script.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::arguments::SandboxFlags;
use crate::model::{Error, Kind, Result};

/// The face that the first words choose.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    /// A verb, or a flag such as `--help`.
    Verb,
    /// `--version`.
    Version,
    /// The REPL.
    Repl,
    /// A script, with its arguments.
    Script(Program, Vec<String>),
}

/// The source of a script.
#[derive(Debug, PartialEq, Eq)]
pub enum Program {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// The text after `-e`.
    Text(String),
}

impl Program {
    /// Reads a `FILE` argument: a path, or `-` for standard input.
    pub fn from_word(word: &str) -> Program {
        if word == "-" { Program::Stdin } else { Program::File(word.into()) }
    }
}

/// The flags before the verb or the script.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GlobalFlags {
    /// `--root`.
    pub root: Option<PathBuf>,
    /// `--storage-driver`.
    pub storage_driver: Option<String>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--dry-run`, `--untrusted` and the limits of a script.
    pub sandbox_flags: SandboxFlags,
    /// `--lang`.
    pub lang: Option<String>,
    /// `--trace`, with its value.
    pub trace: Option<String>,
}

/// Returns the route of these words (without the program's name), and the flags before it.
///
/// # Errors
/// [`Kind::Invalid`] if a flag lacks its value.
pub fn route(words: &[OsString]) -> Result<(GlobalFlags, Route)> {
    let mut before = GlobalFlags::default();
    let mut rest = words;
    while let [first, after @ ..] = rest {
        let text = first.to_string_lossy();
        let (flag, value) = match text.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (text.as_ref(), None),
        };
        if let Some(is_set) = before.sandbox_flags.switch(&text) {
            *is_set = true;
            rest = after;
            continue;
        }
        if matches!(flag, "--debug" | "-D") {
            rest = after;
            continue;
        }
        if flag == "--trace" {
            before.trace = Some(value.unwrap_or_default().to_owned());
            rest = after;
            continue;
        }
        let what = match flag {
            "--root" | "--config" => "a directory",
            "--report" => "a file",
            "--storage-driver" => "a name",
            "--lang" => "en or ko",
            "--log-level" | "-l" => "a level, such as info",
            "--timeout" => "a time, such as 30s",
            "--max-ops" => "a number",
            "--max-memory" => "a size, such as 64m",
            _ => {
                let of_script = before.sandbox_flags.flag().is_some();
                return Ok((before, route_first(first, after, of_script)?));
            }
        };
        let (value, after) = match (value, after.split_first()) {
            (Some(value), _) => (OsString::from(value), after),
            (None, Some((value, after))) => (value.clone(), after),
            (None, None) => return Err(Error::new(Kind::Invalid, format!("{flag} needs {what}"))),
        };
        let text = value.to_string_lossy().into_owned();
        match flag {
            "--root" => before.root = Some(value.into()),
            "--config" => before.config = Some(value.into()).filter(|_| !text.is_empty()),
            "--report" => before.sandbox_flags.report = Some(value.into()),
            "--lang" => before.lang = Some(text),
            "--timeout" => before.sandbox_flags.timeout = Some(text),
            "--max-ops" => before.sandbox_flags.max_ops = Some(operations(&text)?),
            "--max-memory" => before.sandbox_flags.max_memory = Some(text),
            "--log-level" | "-l" => {}
            _ => before.storage_driver = Some(text),
        }
        rest = after;
    }
    Ok((before, Route::Repl))
}

impl SandboxFlags {
    /// Returns the field of a flag without value.
    fn switch(&mut self, flag: &str) -> Option<&mut bool> {
        match flag {
            "--dry-run" => Some(&mut self.dry_run),
            "--untrusted" => Some(&mut self.untrusted),
            "--isolated" => Some(&mut self.isolated),
            _ => None,
        }
    }
}

fn operations(text: &str) -> Result<u64> {
    text.parse().map_err(|_| {
        Error::new(Kind::Invalid, format!("invalid --max-ops value `{text}`"))
            .hint("write a number: lifebox --max-ops 1000000 FILE")
    })
}

/// Routes by the first word. With `of_script`, a flag of scripts stands before it.
fn route_first(first: &OsStr, rest: &[OsString], of_script: bool) -> Result<Route> {
    let text = |word: &OsString| word.to_string_lossy().into_owned();
    let arguments = || rest.iter().map(text).collect();
    match first.to_str() {
        Some("--version" | "-v" | "-V") => return Ok(Route::Version),
        Some("-") => return Ok(Route::Script(Program::Stdin, arguments())),
        Some("-e") => {
            let Some((program, rest)) = rest.split_first() else {
                return Err(Error::new(Kind::Invalid, "-e needs the text of a script")
                    .hint("write it in quotes: lifebox -e 'print(ps())'"));
            };
            let arguments = rest.iter().map(text).collect();
            return Ok(Route::Script(Program::Text(text(program)), arguments));
        }
        _ => {}
    }
    let path = Path::new(first);
    // A bare word is a verb first, and then a file (`arg_errors::script_meant`).
    let is_path = first.as_encoded_bytes().contains(&b'/');
    if path.extension().is_some_and(|extension| extension == "rhai")
        || (is_path || of_script) && is_script(path)
    {
        return Ok(Route::Script(Program::File(path.into()), arguments()));
    }
    Ok(Route::Verb)
}

/// Returns whether a file's first line names lifebox as its interpreter: `#!/usr/bin/env lifebox`.
pub fn is_script(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let mut start = [0; 128];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start)).unwrap_or(0);
    let line = start[..read].split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.starts_with(b"#!") && String::from_utf8_lossy(line).contains("lifebox")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Route) -> Option<PathBuf> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let (before, found) = route(&words).unwrap();
        assert_eq!(found, expected, "{line}");
        before.root
    }

    #[test]
    fn first_words_choose_the_face() {
        let script = |program, arguments: &[&str]| {
            Route::Script(program, arguments.iter().map(|word| (*word).to_owned()).collect())
        };
        check("", Route::Repl);
        check("ps -a", Route::Verb);
        check("--help", Route::Verb);
        check("--version", Route::Version);
        check("-", script(Program::Stdin, &[]));
        check(
            "-e print(1) ps --root x",
            script(Program::Text("print(1)".into()), &["ps", "--root", "x"]),
        );
        check("a.rhai --rm -e", script(Program::File("a.rhai".into()), &["--rm", "-e"]));
        check("nosuchfile", Route::Verb);
        assert_eq!(check("--root /r ps", Route::Verb), Some("/r".into()));
        assert_eq!(check("--root=/r", Route::Repl), Some("/r".into()));
        let driver = ["--storage-driver=vfs", "-e", "1"].map(OsString::from);
        let (before, _) = route(&driver).unwrap();
        assert_eq!(before.storage_driver.as_deref(), Some("vfs"));
        assert!(route(&["--storage-driver".into()]).is_err());
        let (before, found) = route(&["--report", "o.html", "a.rhai"].map(OsString::from)).unwrap();
        assert_eq!(before.sandbox_flags.report, Some("o.html".into()));
        assert_eq!(found, script(Program::File("a.rhai".into()), &[]));
        assert!(route(&["--report".into()]).is_err());
        assert!(route(&["-e".into()]).is_err());
        assert!(route(&["--root".into()]).is_err());
        let line = "--untrusted --timeout 1s --max-ops=9 --max-memory 64m -e 1 --max-ops";
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let (before, found) = route(&words).unwrap();
        assert_eq!(found, script(Program::Text("1".into()), &["--max-ops"]));
        let bounds = SandboxFlags {
            dry_run: false,
            report: None,
            untrusted: true,
            isolated: false,
            timeout: Some("1s".into()),
            max_ops: Some(9),
            max_memory: Some("64m".into()),
        };
        assert_eq!(before.sandbox_flags, bounds);
        for wrong in [&["--timeout"][..], &["--max-ops", "x"], &["--max-memory"]] {
            let words: Vec<OsString> = wrong.iter().map(OsString::from).collect();
            assert!(route(&words).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_interpreter_line_makes_a_script() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deploy");
        std::fs::write(&file, "#!/usr/bin/env lifebox\nprint(1)\n").unwrap();
        let (_, found) = route(&[file.clone().into()]).unwrap();
        assert_eq!(found, Route::Script(Program::File(file.clone()), vec![]));
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        assert_eq!(route(&[file.into()]).unwrap().1, Route::Verb);
    }
}
