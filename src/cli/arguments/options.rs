//! The flags of a container's options, from the one table of options.

use std::marker::PhantomData;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::{docker_only, grammar};
use crate::model::container::options::CreateOptions;
use crate::model::creation::options::{CreateOption, Flag, GROUPS, create_options};
use crate::model::{Error, Kind};

/// Flags whose values Docker's client does not read: its daemon refuses a wrong one.
const READ_BY_DAEMON: [&str; 14] = [
    "cap-add",
    "cap-drop",
    "cgroup-parent",
    "health-cmd",
    "ipc",
    "isolation",
    "log-driver",
    "log-opt",
    "name",
    "network",
    "stop-signal",
    "tmpfs",
    "volume-driver",
    "volumes-from",
];

/// Flags whose empty value is the same as none, as of `--name "$NAME"` without that variable.
const MAYBE_EMPTY: [&str; 5] = ["cpuset-cpus", "cpuset-mems", "health-cmd", "name", "stop-signal"];

/// Returns whether Docker's client refuses this value, which lifebox refuses too.
fn is_refused_by_client(flag: &str, word: &str) -> bool {
    match flag {
        // Of these the client reads a part.
        "cpus" => word.parse::<f64>().is_err(),
        "restart" => word.split_once(':').is_some_and(|(_, count)| count.parse::<i64>().is_err()),
        "volume" => word.split(':').any(str::is_empty),
        "network" => word.is_empty(),
        flag => !READ_BY_DAEMON.contains(&flag),
    }
}

/// Flags of durations, which have a unit, as Go's do.
const DURATIONS: [&str; 4] =
    ["health-interval", "health-start-interval", "health-start-period", "health-timeout"];

/// Refuses a number that Docker's client refuses, and the engine only later.
fn check_number(flag: &str, word: &str) -> Result<(), Error> {
    let is_negative = word.starts_with('-');
    let message = match flag {
        "memory" | "memory-reservation" | "shm-size" if is_negative => {
            format!("invalid size: '{word}'")
        }
        "blkio-weight" if is_negative => format!("invalid weight: '{word}'"),
        "memory-swappiness" if word.parse().is_ok_and(|value| !(-1..=100).contains(&value)) => {
            format!("invalid value: {word}. Valid memory swappiness range is 0-100")
        }
        _ if DURATIONS.contains(&flag) && word.parse().is_ok_and(|number: f64| number != 0.0) => {
            format!("time: missing unit in duration \"{word}\"")
        }
        _ => return Ok(()),
    };
    Err(Error::new(Kind::Invalid, message))
}

/// A wrong value of a flag.
#[derive(Debug)]
pub struct InvalidFlag {
    /// What is wrong.
    pub error: Error,
    /// Whether Docker's client refuses the value, and not its daemon.
    pub by_client: bool,
}

/// Which rows of the table a verb takes.
pub trait RowSet: Clone + std::fmt::Debug + Default + Send + Sync + 'static {
    /// Returns whether the verb takes this row.
    fn takes(row: &CreateOption) -> bool;
}

/// All rows: `create` and `run`.
#[derive(Clone, Debug, Default)]
pub struct AllRows;

/// The rows of `update`.
#[derive(Clone, Debug, Default)]
pub struct LiveRows;

/// The rows of `build`, for the containers of `RUN`.
#[derive(Clone, Debug, Default)]
pub struct BuildRows;

impl RowSet for AllRows {
    fn takes(_: &CreateOption) -> bool {
        true
    }
}

impl RowSet for LiveRows {
    fn takes(row: &CreateOption) -> bool {
        row.live
    }
}

impl RowSet for BuildRows {
    fn takes(row: &CreateOption) -> bool {
        row.building
    }
}

/// The flags of a verb's rows, as they were typed.
#[derive(Debug, Default)]
pub struct OptionFlags<R> {
    given: Vec<(&'static CreateOption, Vec<String>)>,
    rows: PhantomData<R>,
}

impl<R: RowSet> OptionFlags<R> {
    /// Returns a flag that was given, if there is one.
    pub fn first(&self) -> Option<Flag> {
        self.given.iter().find_map(|(row, _)| row.flag)
    }

    /// Returns the values of a flag, as they were typed.
    pub fn values(&self, long: &str) -> &[String] {
        let given = self.given.iter().find(|(row, _)| row.flag.is_some_and(|own| own.long == long));
        given.map_or(&[], |(_, words)| words)
    }

    /// Returns whether a flag was given.
    pub fn has(&self, long: &str) -> bool {
        !self.values(long).is_empty()
    }

    /// Reads the flags, but for `--env`: that reads files and the caller's environment.
    ///
    /// # Errors
    /// Fails at the first value that is invalid for its option.
    pub fn options(&self) -> Result<CreateOptions, InvalidFlag> {
        let mut options = CreateOptions::default();
        for (row, words) in self.given.iter().filter(|(row, _)| row.key != Some("env")) {
            let is_of_one = row.flag.is_some_and(|flag| MAYBE_EMPTY.contains(&flag.long));
            if is_of_one && words.last().is_some_and(String::is_empty) {
                continue;
            }
            for word in words.iter().filter(|word| !is_of_one || !word.is_empty()) {
                let flag = row.flag.map_or("", |flag| flag.long);
                check_number(flag, word).map_err(|error| InvalidFlag { error, by_client: true })?;
                row.set_flag(&mut options, word).map_err(|error| InvalidFlag {
                    error,
                    by_client: is_refused_by_client(flag, word),
                })?;
            }
        }
        Ok(options)
    }
}

/// Returns the rows that have a flag.
fn rows<R: RowSet>() -> impl Iterator<Item = (&'static CreateOption, Flag)> {
    let rows = create_options().filter(|row| R::takes(row));
    rows.filter_map(|row| Some((row, row.flag?)))
}

impl<R: RowSet> Args for OptionFlags<R> {
    fn augment_args(command: Command) -> Command {
        // Only the verb that is meant pays for its flags.
        command.defer(|command| add_flags::<R>(command, |arg| arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Returns the function that adds the flags of a verb in Docker's grammar, in place of the one that
/// adds them as they are. `path` is the verb with its noun; `None` if it has no rows.
pub fn in_dockers_grammar(path: &str) -> Option<fn(Command) -> Command> {
    match docker_only::short(path) {
        "create" | "run" => Some(|command| add_flags::<AllRows>(command, grammar::flag)),
        "update" => Some(|command| add_flags::<LiveRows>(command, grammar::flag)),
        "build" => Some(|command| add_flags::<BuildRows>(command, grammar::flag)),
        _ => None,
    }
}

fn add_flags<R: RowSet>(command: Command, shape: fn(Arg) -> Arg) -> Command {
    GROUPS
        .iter()
        .fold(command, |command, group| {
            let flags = group.options.iter().filter(|row| R::takes(row));
            let flags = flags.filter_map(|row| Some(shape(arg(row.flag?, row.about))));
            command.next_help_heading(Some(group.title)).args(flags)
        })
        .next_help_heading(None::<&str>)
}

fn arg(flag: Flag, about: &'static str) -> Arg {
    let arg = Arg::new(flag.long).long(flag.long).help(StyledStr::from(about));
    let arg = match flag.value_name {
        "" => arg.action(ArgAction::SetTrue),
        name => arg.action(ArgAction::Append).value_name(name),
    };
    arg.short(flag.short).visible_alias(flag.alias)
}

impl<R: RowSet> FromArgMatches for OptionFlags<R> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let words = |flag: Flag| match flag.value_name {
            "" => vec![String::new(); usize::from(matches.get_flag(flag.long))],
            _ => matches.get_many(flag.long).unwrap_or_default().cloned().collect(),
        };
        let given = rows::<R>().map(|(row, flag)| (row, words(flag)));
        let given = given.filter(|(_, words)| !words.is_empty()).collect();
        Ok(OptionFlags { given, rows: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A verb whose flags kept their plain form would refuse `--init=false`.
    #[test]
    fn each_verb_of_the_table_takes_its_flags_in_dockers_grammar() {
        use clap::CommandFactory as _;
        let mut command = crate::cli::arguments::Arguments::command();
        command.build();
        let of = |noun: &str, verb: &Command| {
            // A flag that each of the three sets of rows has.
            let has_rows = verb.get_arguments().any(|arg| arg.get_id() == "memory");
            let path = format!("{noun} {}", verb.get_name());
            assert_eq!(in_dockers_grammar(path.trim_start()).is_some(), has_rows, "{path}");
        };
        for verb in command.get_subcommands() {
            of("", verb);
            verb.get_subcommands().for_each(|below| of(verb.get_name(), below));
        }
    }

    #[test]
    fn what_the_daemon_reads_is_a_flag() {
        let flags: Vec<&str> = rows::<AllRows>().map(|(_, flag)| flag.long).collect();
        let named = READ_BY_DAEMON.iter().chain(&MAYBE_EMPTY).chain(&DURATIONS);
        let unknown: Vec<_> = named.filter(|name| !flags.contains(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
