//! Parses the text of a Dockerfile into instructions with their lines. Nothing is expanded or run
//! here.
//!
//! The parser follows BuildKit (`frontend/dockerfile/parser`): first lines are joined and
//! here-documents extracted, then each instruction is parsed by its own rules. The crates for this
//! either miss instructions or find here-documents only where an instruction begins.

use std::collections::HashMap;

use super::lines::{Document, Logical, Reader, escape_directive};
use super::words;
use crate::model::image::build::CommandLine;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

/// The longest Dockerfile, in bytes.
pub(crate) const MAX_LENGTH: u64 = 4 << 20;

/// One instruction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// Its first line, counted from 1.
    pub(crate) number: usize,
    /// The text, in one line and without its here-documents.
    pub(crate) text: String,
    pub(crate) what: Instruction,
}

/// An option, such as `--from=build`.
pub(crate) type Flag = (String, Option<String>);

/// An instruction before variables are expanded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Instruction {
    From { flags: Vec<Flag>, image: String, name: Option<String> },
    Arg(Vec<(String, Option<String>)>),
    Run { flags: Vec<Flag>, command: CommandLine },
    Copy { verb: &'static str, flags: Vec<Flag>, items: Vec<Item>, to: String },
    Env(Vec<(String, String)>),
    Label(Vec<(String, String)>),
    Cmd(CommandLine),
    Entrypoint(CommandLine),
    Workdir(String),
    User(String),
    Expose(Vec<String>),
    Volume(Vec<String>),
    StopSignal(String),
    Healthcheck { flags: Vec<Flag>, command: Option<CommandLine> },
    Shell(Vec<String>),
    OnBuild(Box<Line>),
    Maintainer(String),
}

/// A source of `COPY`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Path(String),
    /// A here-document, and whether variables in it are expanded.
    Text {
        name: String,
        content: String,
        expand: bool,
    },
}

/// A parsed Dockerfile.
#[derive(Debug)]
pub(crate) struct Dockerfile {
    /// The escape character.
    pub(crate) escape: char,
    pub(crate) lines: Vec<Line>,
}

/// Parses a Dockerfile.
///
/// # Errors
/// [`Kind::Invalid`], with the line.
pub(crate) fn parse(text: &str) -> Result<Dockerfile> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escape = escape_directive(text)?;
    let mut reader = Reader::new(text, escape);
    let mut lines = Vec::new();
    while let Some(logical) = reader.next()? {
        let number = logical.number;
        lines.push(instruction(&logical, escape).map_err(|e| e.context(format!("line {number}")))?);
    }
    match lines.first() {
        None => Err(Error::new(Kind::Invalid, "file with no instructions")),
        Some(_) => Ok(Dockerfile { escape, lines }),
    }
}

/// Parses a single instruction, such as one of `ONBUILD`.
pub(crate) fn parse_one(text: &str) -> Result<Line> {
    let mut file = parse(text)?;
    match (file.lines.pop(), file.lines.is_empty()) {
        (Some(line), true) => Ok(line),
        _ => Err(Error::new(Kind::Invalid, format!("`{text}` is more than one instruction"))),
    }
}

/// Parses an instruction.
fn instruction(logical: &Logical, escape: char) -> Result<Line> {
    let (keyword, rest) = words::keyword(&logical.text);
    let text = logical.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let what = match keyword.to_ascii_uppercase().as_str() {
        "FROM" => from(rest)?,
        "ARG" => Instruction::Arg(words::arguments(some("ARG", rest)?, escape)?),
        "RUN" => run(rest, &logical.documents)?,
        "COPY" => copy("COPY", rest, &logical.documents)?,
        "ADD" => copy("ADD", rest, &logical.documents)?,
        "ENV" => Instruction::Env(words::pairs("ENV", rest, escape)?),
        "LABEL" => Instruction::Label(words::pairs("LABEL", rest, escape)?),
        "CMD" => Instruction::Cmd(command(rest)?),
        "ENTRYPOINT" => Instruction::Entrypoint(command(rest)?),
        "WORKDIR" => Instruction::Workdir(some("WORKDIR", rest)?.to_owned()),
        "USER" => Instruction::User(some("USER", rest)?.to_owned()),
        "EXPOSE" => Instruction::Expose(list(some("EXPOSE", rest)?)?),
        "VOLUME" => match list(rest)? {
            paths if paths.is_empty() => return Err(none("VOLUME")),
            paths => Instruction::Volume(paths),
        },
        "STOPSIGNAL" => Instruction::StopSignal(some("STOPSIGNAL", rest)?.to_owned()),
        "HEALTHCHECK" => healthcheck(rest)?,
        "SHELL" => match command(rest)? {
            CommandLine::Exec(words) if !words.is_empty() => Instruction::Shell(words),
            _ => return Err(invalid("SHELL requires the arguments to be in JSON form")),
        },
        "ONBUILD" => onbuild(logical, some("ONBUILD", rest)?, escape)?,
        "MAINTAINER" => Instruction::Maintainer(some("MAINTAINER", rest)?.to_owned()),
        _ => return Err(unknown(keyword)),
    };
    Ok(Line { number: logical.number, text, what })
}

fn from(rest: &str) -> Result<Instruction> {
    let (flags, rest) = flags(rest)?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (image, name) = match words[..] {
        [image] => (image, None),
        [image, word, name] if word.eq_ignore_ascii_case("as") => (image, Some(name.to_owned())),
        _ => return Err(invalid("FROM requires either one or three arguments")),
    };
    if let Some(name) = &name {
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(known) {
            return Err(invalid(format!(
                "invalid name for build stage: `{name}`, name can't start with a number or contain \
                 symbols"
            )));
        }
    }
    Ok(Instruction::From { flags, image: image.to_owned(), name })
}

/// Parses a `RUN`. A command with here-documents is passed to the shell with them; one that is only
/// a here-document is a script.
fn run(rest: &str, documents: &[Document]) -> Result<Instruction> {
    let (flags, rest) = flags(rest)?;
    let rest = some("RUN", rest)?;
    let command = match documents {
        [] => command(rest)?,
        [script] if script.word == rest => CommandLine::Shell(script.content.clone()),
        _ => {
            let body: String =
                documents.iter().map(|d| format!("\n{}{}", d.content, d.name)).collect();
            CommandLine::Shell(format!("{rest}{body}"))
        }
    };
    if matches!(&command, CommandLine::Shell(text) if !documents.is_empty() && text.starts_with("#!"))
    {
        return Err(Error::new(
            Kind::Unsupported,
            "a here-document with an interpreter line is not supported",
        )
        .hint("COPY it to a file and RUN the file"));
    }
    Ok(Instruction::Run { flags, command })
}

fn copy(verb: &'static str, rest: &str, documents: &[Document]) -> Result<Instruction> {
    let (flags, rest) = flags(rest)?;
    let mut words = list(rest)?;
    let to = words.pop().filter(|_| !words.is_empty()).ok_or_else(|| {
        invalid(format!("{verb} requires at least two arguments, but only one was provided"))
            .hint(format!("write {verb} SOURCE... TARGET"))
    })?;
    let mut known: HashMap<&str, &Document> = HashMap::new();
    for document in documents {
        // One text for each of many words would be a file system full of copies.
        if known.insert(&document.word, document).is_some() {
            let word = visible::short(&document.word);
            return Err(invalid(format!("{verb} names the here-document `{word}` twice"))
                .hint("give each here-document a name of its own: COPY <<one <<two /dir/"));
        }
    }
    let item = |word: String| match known.get(word.as_str()) {
        Some(document) => Item::Text {
            name: document.name.clone(),
            content: document.content.clone(),
            expand: document.expand,
        },
        None => Item::Path(word),
    };
    let items = words.into_iter().map(item).collect();
    Ok(Instruction::Copy { verb, flags, items, to })
}

fn healthcheck(rest: &str) -> Result<Instruction> {
    let (flags, rest) = flags(rest)?;
    let (word, rest) = words::keyword(rest);
    let command = match word.to_ascii_uppercase().as_str() {
        "NONE" if rest.is_empty() => None,
        "CMD" => Some(command(some("HEALTHCHECK CMD", rest)?)?),
        _ => {
            return Err(invalid(format!("unknown type `{word}` in HEALTHCHECK"))
                .hint("write HEALTHCHECK CMD ... or HEALTHCHECK NONE"));
        }
    };
    Ok(Instruction::Healthcheck { flags, command })
}

fn onbuild(logical: &Logical, rest: &str, escape: char) -> Result<Instruction> {
    let (number, documents) = (logical.number, logical.documents.clone());
    let inner = instruction(&Logical { number, text: rest.to_owned(), documents }, escape)?;
    match inner.what {
        Instruction::OnBuild(_) => {
            Err(invalid("chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"))
        }
        Instruction::From { .. } | Instruction::Maintainer(_) => {
            Err(invalid(format!("{} isn't allowed as an ONBUILD trigger", words::keyword(rest).0)))
        }
        Instruction::Run { .. } | Instruction::Copy { .. } if !logical.documents.is_empty() => {
            Err(Error::new(Kind::Unsupported, "ONBUILD with a here-document is not supported"))
        }
        _ => Ok(Instruction::OnBuild(Box::new(inner))),
    }
}

/// Parses the options before the arguments.
fn flags(rest: &str) -> Result<(Vec<Flag>, &str)> {
    let mut flags = Vec::new();
    let mut rest = rest;
    while let Some(after) = rest.strip_prefix("--") {
        let (word, next) = words::keyword(after);
        rest = next;
        if word.is_empty() {
            break;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        flags.push((name.to_owned(), value));
    }
    Ok((flags, rest))
}

/// Parses a command in JSON form, or a text for the shell; an empty text means no command.
fn command(rest: &str) -> Result<CommandLine> {
    if rest.is_empty() {
        return Ok(CommandLine::Exec(Vec::new()));
    }
    let words = json(rest)?;
    Ok(words.map_or_else(|| CommandLine::Shell(rest.to_owned()), CommandLine::Exec))
}

/// Parses words in JSON form, or separated by white space.
fn list(rest: &str) -> Result<Vec<String>> {
    let words = || rest.split_whitespace().map(str::to_owned).collect();
    Ok(json(rest)?.unwrap_or_else(words))
}

/// Parses an array of strings; `None` for what is not an array of JSON.
fn json(rest: &str) -> Result<Option<Vec<String>>> {
    let values = || serde_json::from_str::<Vec<serde_json::Value>>(rest).ok();
    let Some(values) = rest.starts_with('[').then(values).flatten() else { return Ok(None) };
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => Ok(text),
        other => Err(invalid(format!(
            "an array in JSON form has strings only, got `{}`",
            visible::short(&other.to_string())
        ))
        .hint("write each word in double quotes, such as [\"sleep\", \"5\"]")),
    };
    values.into_iter().map(text).collect::<Result<_>>().map(Some)
}

fn some<'a>(verb: &str, rest: &'a str) -> Result<&'a str> {
    if rest.is_empty() {
        return Err(none(verb));
    }
    Ok(rest)
}

fn none(verb: &str) -> Error {
    invalid(format!("{verb} requires at least one argument"))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, message)
}

/// The longest word that an error repeats; the longest instruction has 11 letters.
const MAX_KEYWORD: usize = 16;

fn unknown(keyword: &str) -> Error {
    const ALL: [&str; 18] = [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ];
    let upper = keyword.to_ascii_uppercase();
    let is_word = keyword.len() <= MAX_KEYWORD && keyword.bytes().all(|b| b.is_ascii_alphabetic());
    let error = match is_word {
        true => invalid(format!("unknown instruction: {keyword}")),
        // Anything but a word is likely a file that is not a Dockerfile; an error repeats nothing
        // of it.
        false => invalid("the line does not begin with an instruction")
            .hint("begin it with an instruction such as FROM, RUN or COPY"),
    };
    let alike = |known: &&&str| {
        let matching = known.chars().zip(upper.chars()).filter(|(a, b)| a == b).count();
        known.len().abs_diff(upper.len()) <= 1 && matching + 2 >= known.len()
    };
    match ALL.iter().find(alike) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    /// Formats each instruction in one line.
    fn format_lines(text: &str) -> String {
        match parse(text) {
            Ok(file) => file
                .lines
                .iter()
                .map(|line| format!("{} {:?} [{}]\n", line.number, line.what, line.text))
                .collect(),
            Err(error) => format!("{error}\n"),
        }
    }

    #[test]
    fn odd_dockerfiles_are_read_as_buildkit_reads_them() {
        expect![[r#"
            3 From { flags: [], image: "a", name: Some("b") } [FROM a AS b]
            4 Run { flags: [], command: Shell("echo   two   three") } [RUN echo two three]
            9 Env([("a", "b"), ("c", "\"d e\"")]) [ENV a=b c="d e"]
            11 Env([("x", "y z")]) [env x y z]
            12 Cmd(Exec(["a", "b c"])) [CMD ["a", "b c"]]
            13 Cmd(Shell("[a, b]")) [CMD [a, b]]
            14 Run { flags: [], command: Exec(["x"]) } [RUN ["x"]]
        "#]].assert_eq(&format_lines(
            "# a comment\n# escape=`\nFROM a AS b\nRUN echo \\\n  # a comment\n\n  two \\\n  three\n\
             ENV a=b \\\n    c=\"d e\"\n  env x y z\nCMD [\"a\", \"b c\"]\nCMD [a, b]\nRUN [\"x\"]\n",
        ));
        expect![[r#"
            1 From { flags: [], image: "a", name: None } [FROM a]
            2 Run { flags: [], command: Shell("echo one\necho $two\n") } [RUN <<EOF]
            6 Run { flags: [], command: Shell("cat <<-'A' <<B > /x\none\nA\ntwo\nB") } [RUN cat <<-'A' <<B > /x]
            11 Copy { verb: "COPY", flags: [], items: [Text { name: "one", content: "1 $x\n", expand: true }, Text { name: "two", content: "2\n", expand: false }], to: "/d/" } [COPY <<one <<"two" /d/]
            16 Copy { verb: "COPY", flags: [("from", Some("b")), ("chown", Some("1:2"))], items: [Path("a"), Path("b*")], to: "/c/" } [COPY --from=b --chown=1:2 a b* /c/]
            17 Copy { verb: "ADD", flags: [], items: [Path("a b")], to: "c" } [ADD ["a b", "c"]]
        "#]].assert_eq(&format_lines(
            "FROM a\nRUN <<EOF\necho one\necho $two\nEOF\nRUN cat <<-'A' <<B > /x\n\tone\n\tA\ntwo\nB\n\
             COPY <<one <<\"two\" /d/\n1 $x\none\n2\ntwo\nCOPY --from=b --chown=1:2 a b* /c/\nADD [\"a b\", \"c\"]\n",
        ));
        expect![[r#"
            2 Arg([("v", Some("1"))]) [ARG v=1]
            3 From { flags: [], image: "a:$v", name: None } [FROM a:$v]
            4 Run { flags: [], command: Shell("echo   two") } [RUN echo two]
            6 Expose(["80", "90/udp"]) [EXPOSE 80 90/udp]
            7 Volume(["/a", "/b"]) [VOLUME /a /b]
            8 Volume(["/c d"]) [VOLUME ["/c d"]]
            9 OnBuild(Line { number: 9, text: "RUN x", what: Run { flags: [], command: Shell("x") } }) [ONBUILD RUN x]
            10 Healthcheck { flags: [("interval", Some("5s"))], command: Some(Shell("a b")) } [HEALTHCHECK --interval=5s CMD a b]
            11 Healthcheck { flags: [], command: None } [HEALTHCHECK NONE]
            12 Shell(["/bin/bash", "-c"]) [SHELL ["/bin/bash", "-c"]]
            13 StopSignal("9") [STOPSIGNAL 9]
            14 Maintainer("me too") [MAINTAINER me too]
            15 User("a:b") [USER a:b]
            16 Workdir("a b") [WORKDIR a b]
        "#]].assert_eq(&format_lines(
            "\u{feff}# escape=`\r\nARG v=1\r\nFROM a:$v\r\nRUN echo `\r\n  two\r\nEXPOSE 80 90/udp\r\n\
             VOLUME /a /b\r\nVOLUME [\"/c d\"]\r\nONBUILD RUN x\r\nHEALTHCHECK --interval=5s CMD a b\r\n\
             HEALTHCHECK NONE\r\nSHELL [\"/bin/bash\", \"-c\"]\r\nSTOPSIGNAL 9\r\nMAINTAINER me too\r\nUSER a:b\r\nWORKDIR a b",
        ));
        for bad in [
            "",
            "FROM",
            "FROM a\nFOO x",
            "FROM a\nCOPY x",
            "FROM a\nRUN <<EOF\nx",
            "FROM a b",
            "# escape=x\nFROM a",
            "FROM a\nCMD [\"a\", 1]",
            "FROM a\nENTRYPOINT [null]",
            "FROM a\nRUN [[\"a\"]]",
            "FROM a\nVOLUME [true]",
            "FROM a\nCOPY [\"a\", {}]",
        ] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.kind(), Kind::Invalid, "{bad}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_dockerfile_panics(parts in proptest::collection::vec(
            proptest::sample::select(&[
                "FROM ", "RUN ", "COPY ", "ADD ", "ENV ", "ARG ", "ONBUILD ", "HEALTHCHECK ", "CMD ",
                "a", "=", "--", "--from", "<<", "<<EOF", "EOF", "-", "\"", "'", "\\", "`", "\n",
                "\r\n", " ", "\t", "#", "# escape=`\n", "[", "]", "\"a\"", ",", "$", "${", "}", ":",
                "é", "\u{feff}", "\0",
            ][..]), 0..40)) {
            let _ = parse(&format!("FROM a\n{}", parts.concat()));
            let _ = parse(&parts.concat());
        }
    }
}
