//! Parses a command line by the flags of its verb alone. The tree of all verbs takes longer to
//! build than most verbs take to run; it remains the judge of every line that is not plain
//! (docs/decisions/0091-one-verb.md).

use std::ffi::OsString;

use clap::{Args, Command, FromArgMatches as _};

use super::build::{BuildVerb, FilesVerb};
use super::command_line::ContainerVerb::{
    Create, Files, Inspect, Kill, Limit, Logs, Pause, Process, Ps, Rename, Restart, Rm, Run, Start,
    Stop, Unpause, Wait,
};
use super::command_line::{Arguments, GlobalArguments, ImageVerb, Verb, parse_whole};
use super::exec::ProcessVerb;
use super::grammar;
use super::options::in_dockers_grammar;
use super::resources::LimitVerb;

/// Reads a line by the flags of one verb.
type Reading = fn(&Line<'_>) -> Option<Arguments>;

/// The frequent verbs.
pub(super) const VERBS: [(&str, Reading); 29] = [
    ("run", |line| line.read(|found| Verb::Container(Run(found)))),
    ("create", |line| line.read(|found| Verb::Container(Create(found)))),
    ("start", |line| line.read(|found| Verb::Container(Start(found)))),
    ("stop", |line| line.read(|found| Verb::Container(Stop(found)))),
    ("restart", |line| line.read(|found| Verb::Container(Restart(found)))),
    ("kill", |line| line.read(|found| Verb::Container(Kill(found)))),
    ("pause", |line| line.read(|found| Verb::Container(Pause(found)))),
    ("unpause", |line| line.read(|found| Verb::Container(Unpause(found)))),
    ("rm", |line| line.read(|found| Verb::Container(Rm(found)))),
    ("wait", |line| line.read(|found| Verb::Container(Wait(found)))),
    ("rename", |line| line.read(|found| Verb::Container(Rename(found)))),
    ("ps", |line| line.read(|found| Verb::Container(Ps(found)))),
    ("logs", |line| line.read(|found| Verb::Container(Logs(found)))),
    ("inspect", |line| line.read(|found| Verb::Container(Inspect(found)))),
    ("update", |line| line.read(|found| Verb::Container(Limit(LimitVerb::Update(found))))),
    ("stats", |line| line.read(|found| Verb::Container(Limit(LimitVerb::Stats(found))))),
    ("exec", |line| line.read(|found| Verb::Container(Process(ProcessVerb::Exec(found))))),
    ("attach", |line| line.read(|found| Verb::Container(Process(ProcessVerb::Attach(found))))),
    ("top", |line| line.read(|found| Verb::Container(Process(ProcessVerb::Top(found))))),
    ("cp", |line| line.read(|found| Verb::Container(Process(ProcessVerb::Cp(found))))),
    ("diff", |line| line.read(|found| Verb::Container(Files(FilesVerb::Diff(found))))),
    ("commit", |line| line.read(|found| Verb::Container(Files(FilesVerb::Commit(found))))),
    ("export", |line| line.read(|found| Verb::Container(Files(FilesVerb::Export(found))))),
    ("images", |line| line.read(Verb::Images)),
    ("rmi", |line| line.read(Verb::Rmi)),
    ("tag", |line| line.read(|found| Verb::Image(ImageVerb::Tag(found)))),
    ("load", |line| line.read(|found| Verb::Image(ImageVerb::Load(found)))),
    ("save", |line| line.read(|found| Verb::Image(ImageVerb::Save(found)))),
    ("build", |line| line.read(|found| Verb::Image(ImageVerb::Build(BuildVerb::Build(found))))),
];

/// Reads the words of a command line, without the program's name.
///
/// # Errors
/// Fails as clap does; `arg_errors` explains the error.
pub fn parse(words: &[OsString]) -> Result<Arguments, clap::Error> {
    parse_frequent(words).map_or_else(|| parse_whole(words), Ok)
}

/// Reads a line whose verb is one of the frequent ones. `None` if it is not, or if the line has
/// anything to be explained: an error, `--help`.
pub(super) fn parse_frequent(words: &[OsString]) -> Option<Arguments> {
    let word = &words[grammar::first_word(words)?];
    let (name, read) = VERBS.iter().find(|(name, _)| word == name)?;
    read(&Line { words, name })
}

/// A command line and its verb.
pub(super) struct Line<'a> {
    words: &'a [OsString],
    name: &'static str,
}

impl Line<'_> {
    fn read<A: Args>(&self, of: impl FnOnce(A) -> Verb) -> Option<Arguments> {
        let verb = A::augment_args(Command::new(self.name));
        let verb = match in_dockers_grammar(self.name) {
            Some(add) => verb.mut_args(grammar::flag).defer(add),
            None => verb.mut_args(grammar::flag),
        };
        let all = GlobalArguments::augment_args(Command::new("lifebox"));
        let mut all = all.mut_args(grammar::flag).subcommand(verb);
        let program = OsString::from("lifebox");
        let line = std::iter::once(&program).chain(self.words);
        let matches = all.try_get_matches_from_mut(line).ok()?;
        let found = A::from_arg_matches(matches.subcommand()?.1).ok()?;
        let global = GlobalArguments::from_arg_matches(&matches).ok()?;
        Some(Arguments { global, version: None, verb: of(found) })
    }
}
