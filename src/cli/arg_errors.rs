//! Explains the parser's errors in our form, with the nearest flag or verb as hint.

use std::ffi::OsString;
use std::path::Path;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::arguments::Arguments;
use super::route::{Program, is_script};
use crate::cli::terminal::command_result::{ENGINE_FAILED, FAILED};
use crate::cli::terminal::finish::{finish, print_error};
use crate::cli::terminal::screen::Terminal;
use crate::model::value::suggest::suggest;
use crate::model::{Error, Kind};

/// Prints the requested help, or the error. Returns the exit code.
pub fn show(terminal: &mut Terminal, error: &clap::Error, words: &[OsString]) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let shown = terminal.text(&error.render().to_string());
            finish(terminal, shown.map(|()| 0).map_err(Into::into))
        }
        _ => {
            print_error(terminal, &explain(error, words));
            failure_code(words)
        }
    }
}

/// Returns the script that the first word names: not a verb, but a file with an interpreter line.
pub fn script_meant(error: &clap::Error, words: &[OsString]) -> Option<Program> {
    let word = verb(words).filter(|_| error.kind() == ErrorKind::InvalidSubcommand)?;
    is_script(Path::new(&word)).then(|| Program::File(word.into()))
}

/// Returns Docker's exit code for a failure before the verb begins.
pub fn failure_code(words: &[OsString]) -> u8 {
    match verb(words).as_deref() {
        Some("run" | "create") => ENGINE_FAILED,
        _ => FAILED,
    }
}

/// Returns the verb, without `container`, `image` or `system` before it.
pub fn verb(words: &[OsString]) -> Option<String> {
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match word.as_ref() {
            "--root" | "--storage-driver" | "--lang" => drop(words.next()),
            "container" | "image" | "system" => {}
            flag if flag.starts_with('-') => {}
            verb => return Some(verb.to_owned()),
        }
    }
    None
}

/// Returns `image ` or `system ` if that word stands before the verb. Without it, `ls` and
/// `inspect` are verbs of containers.
fn noun(words: &[OsString]) -> &'static str {
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match word.as_ref() {
            "--root" | "--storage-driver" | "--lang" => drop(words.next()),
            flag if flag.starts_with('-') => {}
            "image" => return "image ",
            "system" => return "system ",
            _ => return "",
        }
    }
    ""
}

/// Rewords an error of clap.
pub fn explain(error: &clap::Error, words: &[OsString]) -> Error {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        || error.kind() == ErrorKind::MissingSubcommand
    {
        return Error::new(Kind::Invalid, "a verb is missing").hint("see `lifebox --help`");
    }
    let rendered = error.render().to_string();
    let mut paragraphs = rendered.split("\n\n");
    let first = paragraphs.next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first);
    let message: Vec<&str> = message.lines().map(str::trim).collect();
    let message = message.join(" ").replace('\'', "`");
    let message = match verb(words) {
        Some(verb) if error.kind() == ErrorKind::InvalidSubcommand => {
            format!("`{verb}` is not a verb of lifebox")
        }
        _ => message,
    };
    let hint = match (suggestion(error, words), verb(words)) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(verb)) if error.kind() != ErrorKind::InvalidSubcommand => {
            format!("see `lifebox {}{verb} --help`", noun(words))
        }
        _ => "see `lifebox --help`".to_owned(),
    };
    Error::new(Kind::Invalid, message).hint(hint)
}

/// Returns the flag, value or verb that was probably meant.
fn suggestion(error: &clap::Error, words: &[OsString]) -> Option<String> {
    if error.kind() == ErrorKind::InvalidSubcommand {
        let command = Arguments::command();
        let noun = words.iter().find_map(|word| command.find_subcommand(word));
        let known = noun.unwrap_or(&command).get_subcommands().map(clap::Command::get_name);
        return suggest(&verb(words)?, known).map(str::to_owned);
    }
    let of_kind = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    };
    of_kind(ContextKind::SuggestedArg).or_else(|| of_kind(ContextKind::SuggestedValue))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::arguments::parse;
    use crate::ui;

    #[test]
    fn mistakes_name_the_nearest_flag_or_verb() {
        let lines = [
            "--lang ko strat web",
            "xyzzy",
            "image lss",
            "run --naem web alpine",
            "run -Z alpine",
            "container create",
            "stop --tiem 3 web",
            "run --pull alway alpine",
            "container",
        ];
        let mut shown = String::new();
        for line in lines {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            let error = parse(&words).unwrap_err();
            let text = ui::error::error(&explain(&error, &words));
            shown.push_str(&format!("$ {line}\n{text}# {}\n", failure_code(&words)));
        }
        expect![[r#"
            $ --lang ko strat web
            error: `strat` is not a verb of lifebox
            hint: did you mean `start`?
            # 1
            $ xyzzy
            error: `xyzzy` is not a verb of lifebox
            hint: see `lifebox --help`
            # 1
            $ image lss
            error: `lss` is not a verb of lifebox
            hint: did you mean `ls`?
            # 1
            $ run --naem web alpine
            error: unexpected argument `--naem` found
            hint: did you mean `--name`?
            # 125
            $ run -Z alpine
            error: unexpected argument `-Z` found
            hint: see `lifebox run --help`
            # 125
            $ container create
            error: the following required arguments were not provided: <IMAGE> [COMMAND]...
            hint: see `lifebox create --help`
            # 125
            $ stop --tiem 3 web
            error: unexpected argument `--tiem` found
            hint: did you mean `--time`?
            # 1
            $ run --pull alway alpine
            error: invalid value `alway` for `--pull <PULL>` [possible values: missing, always, never]
            hint: did you mean `always`?
            # 125
            $ container
            error: a verb is missing
            hint: see `lifebox --help`
            # 1
        "#]].assert_eq(&shown);
    }
}
