//! Explains the parser's errors in our form, with the nearest flag or verb as hint.

use std::ffi::OsString;
use std::path::Path;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::arguments::{Arguments, VALUED, docker_only, verb_path};
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
            usage_code(error)
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

/// Flags whose value Docker reads once the verb has begun.
const READ_LATE: [&str; 3] = ["--log-level ", "--platform ", "--type "];

/// Returns Docker's exit code for a command line that its client refuses. A missing or superfluous
/// argument counts as a failure of the verb, a wrong flag does not.
fn usage_code(error: &clap::Error) -> u8 {
    let has_value = text(error, ContextKind::InvalidValue).is_some_and(|value| !value.is_empty());
    match text(error, ContextKind::InvalidArg) {
        Some(flag) if has_value && READ_LATE.iter().any(|late| flag.starts_with(late)) => FAILED,
        Some(flag)
            if flag.starts_with('-') && error.kind() != ErrorKind::MissingRequiredArgument =>
        {
            ENGINE_FAILED
        }
        _ => FAILED,
    }
}

/// Returns the verb, without `container`, `image` or `system` before it.
pub fn verb(words: &[OsString]) -> Option<String> {
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match word.as_ref() {
            flag if VALUED.contains(&flag) => drop(words.next()),
            "container" | "image" | "system" => {}
            flag if flag.starts_with('-') => {}
            verb => return Some(verb.to_owned()),
        }
    }
    None
}

/// Rewords an error of clap.
pub fn explain(error: &clap::Error, words: &[OsString]) -> Error {
    if let Some(error) = only_dockers(error, words) {
        return error;
    }
    let rendered = error.render().to_string();
    let mut paragraphs = rendered.split("\n\n");
    let first = paragraphs.next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first);
    let message: Vec<&str> = message.lines().map(str::trim).collect();
    let message = message.join(" ").replace('\'', "`");
    let message = match text(error, ContextKind::InvalidSubcommand) {
        Some(verb) => format!("`{verb}` is not a verb of lifebox"),
        None => message,
    };
    let unknown = unknown_verb(error, words);
    let group = unknown.as_ref().and_then(|verb| verb.split_once(' ')).map(|(noun, _)| noun);
    let path = verb_path(words).join(" ");
    let hint = match (suggestion(error, words), path.as_str()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, path) if unknown.is_none() && !path.is_empty() => {
            format!("see `lifebox {} --help`", path.strip_prefix("container ").unwrap_or(path))
        }
        _ => match group {
            Some(noun) => format!("see `lifebox {noun} --help`"),
            None => "see `lifebox --help`".to_owned(),
        },
    };
    Error::new(Kind::Invalid, message).hint(hint)
}

/// Explains a verb or a flag that Docker has and lifebox lacks.
fn only_dockers(error: &clap::Error, words: &[OsString]) -> Option<Error> {
    let (what, hint) = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let verb = unknown_verb(error, words)?;
            let hint = docker_only::verb_hint(&verb)?;
            (format!("`docker {verb}`"), hint.to_owned())
        }
        ErrorKind::UnknownArgument => {
            let path = verb_path(words).join(" ");
            let (verb, flag) = (docker_only::short(&path), text(error, ContextKind::InvalidArg)?);
            let hint = docker_only::flag_hint(verb, flag)?;
            (format!("flag `{flag}` of `{}`", format!("docker {verb}").trim_end()), hint)
        }
        _ => return None,
    };
    let message = format!("{what} is not supported by lifebox");
    Some(Error::new(Kind::Unsupported, message).hint(hint))
}

/// Returns the verb that lifebox lacks, with the noun before it: `strat`, `image lss`.
pub fn unknown_verb(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let unknown = text(error, ContextKind::InvalidSubcommand)?;
    let command = Arguments::command();
    let noun = words.iter().take_while(|word| *word != unknown);
    let noun = noun.filter_map(|word| command.find_subcommand(word)).next();
    Some(noun.map_or_else(|| unknown.to_owned(), |noun| format!("{} {unknown}", noun.get_name())))
}

/// Returns one text of what clap knows of an error.
fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        ContextValue::Strings(texts) => texts.first().map(String::as_str),
        _ => None,
    }
}

/// Returns the flag, value or verb that was probably meant.
fn suggestion(error: &clap::Error, words: &[OsString]) -> Option<String> {
    if let Some(unknown) = unknown_verb(error, words) {
        let command = Arguments::command();
        let (noun, verb) = unknown.split_once(' ').unwrap_or(("", &unknown));
        let known = command.find_subcommand(noun).unwrap_or(&command).get_subcommands();
        return suggest(verb, known.map(clap::Command::get_name)).map(str::to_owned);
    }
    if let Some(ContextValue::Strings(known)) = error.get(ContextKind::ValidValue) {
        let value = text(error, ContextKind::InvalidValue)?;
        return suggest(value, known.iter().map(String::as_str)).map(str::to_owned);
    }
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let flag = text(error, ContextKind::InvalidArg)?.strip_prefix("--")?;
    let mut command = Arguments::command();
    command.build();
    let mut verb = &command;
    for word in words.iter().take_while(|word| *word != "--") {
        verb = word.to_str().and_then(|word| verb.find_subcommand(word)).unwrap_or(verb);
    }
    // Old names too: who mistypes one knows it.
    let known = verb.get_arguments().flat_map(|argument| {
        argument.get_long().into_iter().chain(argument.get_all_aliases().unwrap_or_default())
    });
    let known: Vec<&str> = known.collect();
    suggest(flag, known.iter().copied()).map(|near| format!("--{near}"))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::arguments::parse;
    use crate::ui;

    #[test]
    #[expect(clippy::too_many_lines, reason = "one line a mistake")]
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
            "volume mk",
            "run --publish 80:80 alpine",
            "create -p80:80 alpine",
            "container run --gpus=all alpine",
            "run --pubilsh 80:80 alpine",
            "network ls",
            "system purge -f",
            "run --memory",
            "run --pull odd alpine",
            "exec web",
            "exec --xyzzy web true",
            "update --xyzzy web",
            "inspect --type odd web",
            "inspect --type",
            "-l odd ps",
            "update",
        ];
        let mut shown = String::new();
        for line in lines {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            let error = parse(&words).unwrap_err();
            let text = ui::error::error(&explain(&error, &words));
            shown.push_str(&format!("$ {line}\n{text}# {}\n", usage_code(&error)));
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
            # 1
            $ stop --tiem 3 web
            error: unexpected argument `--tiem` found
            hint: did you mean `--time`?
            # 125
            $ run --pull alway alpine
            error: invalid value `alway` for `--pull <PULL>` [possible values: missing, always, never]
            hint: did you mean `always`?
            # 125
            $ volume mk
            error: `mk` is not a verb of lifebox
            hint: see `lifebox volume --help`
            # 1
            $ run --publish 80:80 alpine
            error: flag `--publish` of `docker run` is not supported by lifebox
            hint: share the network of the host: lifebox run --network host IMAGE
            # 125
            $ create -p80:80 alpine
            error: flag `-p` of `docker create` is not supported by lifebox
            hint: share the network of the host: lifebox create --network host IMAGE
            # 125
            $ container run --gpus=all alpine
            error: flag `--gpus` of `docker run` is not supported by lifebox
            hint: name the devices: lifebox run --device /dev/NAME IMAGE
            # 125
            $ run --pubilsh 80:80 alpine
            error: unexpected argument `--pubilsh` found
            hint: see `lifebox run --help`
            # 125
            $ network ls
            error: `docker network` is not supported by lifebox
            hint: choose a network with `lifebox run --network none`, `host` or `container:NAME`
            # 1
            $ system purge -f
            error: `purge` is not a verb of lifebox
            hint: see `lifebox system --help`
            # 1
            $ run --memory
            error: a value is required for `--memory <BYTES>` but none was supplied
            hint: see `lifebox run --help`
            # 125
            $ run --pull odd alpine
            error: invalid value `odd` for `--pull <PULL>` [possible values: missing, always, never]
            hint: see `lifebox run --help`
            # 125
            $ exec web
            error: 2 values required by `<CONTAINER> <COMMAND>...`; only 1 was provided
            hint: see `lifebox exec --help`
            # 1
            $ exec --xyzzy web true
            error: unexpected argument `--xyzzy` found
            hint: see `lifebox exec --help`
            # 125
            $ update --xyzzy web
            error: unexpected argument `--xyzzy` found
            hint: see `lifebox update --help`
            # 125
            $ inspect --type odd web
            error: invalid value `odd` for `--type <KIND>` [possible values: container, image, volume]
            hint: see `lifebox inspect --help`
            # 1
            $ inspect --type
            error: a value is required for `--type <KIND>` but none was supplied [possible values: container, image, volume]
            hint: see `lifebox inspect --help`
            # 125
            $ -l odd ps
            error: invalid value `odd` for `--log-level <LEVEL>` [possible values: debug, info, warn, error, fatal]
            hint: see `lifebox ps --help`
            # 1
            $ update
            error: the following required arguments were not provided: <CONTAINER>...
            hint: see `lifebox update --help`
            # 1
        "#]].assert_eq(&shown);
    }
}
