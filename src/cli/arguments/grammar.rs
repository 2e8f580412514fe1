//! Docker's grammar of flags (Go's pflag), which each verb is given: a switch takes `=false`, an
//! option that stands twice counts once, and a value may begin with `-`.

use std::ffi::OsString;

use clap::builder::ValueRange;
use clap::{Arg, ArgAction, Command};

use crate::model::value::units::parse_bool;

/// The global flags that take a value in a word of their own.
pub const VALUED: [&str; 6] =
    ["--root", "--storage-driver", "--lang", "--log-level", "-l", "--config"];

/// Gives the command and the verb that `words` name Docker's grammar; all other verbs would cost
/// each start some time.
///
/// `deferred` returns what adds the other flags of a verb.
pub fn as_docker(command: Command, words: &[OsString], deferred: Deferred) -> Command {
    let path = path(&command, words);
    along(command, &path, deferred(&path.join(" ")))
}

/// Returns the function that adds flags to a verb, which has its noun before it, once it is meant.
pub type Deferred = fn(&str) -> Option<fn(Command) -> Command>;

fn along(command: Command, path: &[String], add: Option<fn(Command) -> Command>) -> Command {
    let command = command.mut_args(flag);
    match path.split_first() {
        Some((verb, below)) => command.mut_subcommand(verb, |verb| along(verb, below, add)),
        None => match add {
            Some(add) => command.defer(add),
            None => command,
        },
    }
}

/// Returns the verb in `words` with the noun before it, by their names.
pub fn path(command: &Command, words: &[OsString]) -> Vec<String> {
    let (mut at, mut path) = (command, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if VALUED.iter().any(|flag| word == flag) {
            words.next();
        } else if let Some(verb) = at.find_subcommand(word) {
            at = verb;
            path.push(verb.get_name().to_owned());
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            break;
        }
    }
    path
}

/// Gives a flag Docker's grammar.
pub fn flag(arg: Arg) -> Arg {
    if arg.is_positional() {
        return arg;
    }
    let id = arg.get_id().clone();
    let needs_value = arg.get_num_args().is_none_or(|count| count == ValueRange::SINGLE);
    match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .value_parser(boolean)
            .value_name("BOOL")
            .default_missing_value("true")
            .default_value("false")
            .overrides_with(id),
        ArgAction::Set => arg.allow_hyphen_values(needs_value).overrides_with(id),
        ArgAction::Append => arg.allow_hyphen_values(needs_value),
        _ => arg,
    }
}

/// Reads the value of a switch as Go does (strconv, `ParseBool`).
///
/// # Errors
/// Says what is allowed.
fn boolean(word: &str) -> Result<bool, String> {
    parse_bool(word).ok_or_else(|| "write true or false".to_owned())
}

/// Returns the words that ask for the help of the verb in `words`, without its flags: the help is
/// written by the flags as they are, not by what the grammar makes of them.
pub fn help(command: &Command, words: &[OsString]) -> Vec<OsString> {
    let path = path(command, words).into_iter().map(OsString::from);
    path.chain(["--help".into()]).collect()
}

/// Returns where the first word stands that is neither a global flag nor its value.
pub fn first_word(words: &[OsString]) -> Option<usize> {
    let mut at = 0;
    loop {
        match words.get(at)?.to_str()? {
            flag if VALUED.contains(&flag) => at += 2,
            flag if flag.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
}

/// Returns the words that `help VERB` stands for.
pub fn without_help(words: &[OsString]) -> Option<Vec<OsString>> {
    let at = first_word(words).filter(|at| words[*at] == "help")?;
    let (before, after) = (&words[..at], &words[at + 1..]);
    Some([before, after, &["--help".into()]].concat())
}
