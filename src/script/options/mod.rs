//! Options: one table of keys, which the reader, `help` and completion share.
//!
//! A map is checked against its table before anything is read from it, so that a typing error is
//! named with the nearest key and never ignored.

mod build;
mod concurrency;
mod events;
mod health_check;
mod images;
mod mounts;
mod namespaces;
mod read;
mod resources;
mod security;
mod supervision;
mod teaching;
mod wait_for;

use rhai::Map;

use super::values::{self};
use crate::model::value::health_check::WORDS;
use crate::model::{Error, Kind, Result};
use crate::script::syntax::suggest::nearest;

pub use crate::script::options::concurrency::{Retry, retry};
pub use crate::script::options::wait_for::{Condition, Goal, goal};
pub use build::{build, commit, import};
pub use events::{events, on, wrong_filter};
pub use images::{check_images, images, prune_images};
pub use mounts::{new_volume, prune_volumes, volumes};
pub use read::{
    Create, Filter, Follow, create, exec, fetch, filter, force, load, logs, pull, remove, save,
    start, stats, stop,
};
pub use resources::update;
pub use teaching::{diagram, trace};

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number, not negative.
    Count,
    /// A whole number of any sign.
    Code,
    /// A number of seconds or `"500ms"`.
    Duration,
    /// A number of bytes or `"512m"`.
    Size,
    /// A number, whole or not.
    Number,
    /// A duration, or -1 for ever.
    Grace,
    /// How long ago, or a date.
    Time,
    /// A signal's name or number.
    Signal,
    /// An array of strings, or a string that is split into words.
    Command,
    /// A map, or an array of `"KEY=VALUE"`.
    Pairs,
    /// One string or an array of them.
    Texts,
    /// An array of Docker's texts for mounts, or a map of their halves.
    Mounts,
    /// A word, `"container:NAME"` or a Container.
    Sharing,
    /// A command for a shell, an array of words, a map, or false.
    Health,
    /// An array of conditions.
    Conditions,
    /// Handles or names.
    Named,
    /// A status, or a number.
    State,
    /// A map of what is wanted.
    Filter,
    /// A reference or an Image.
    Image,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl Takes {
    /// For messages and help.
    pub fn describe(self) -> String {
        match self {
            Takes::Text => "a string".to_owned(),
            Takes::Flag => "true or false".to_owned(),
            Takes::Count => "a whole number from 0 on".to_owned(),
            Takes::Code => "a whole number".to_owned(),
            Takes::Size => "bytes, or such as \"64k\", \"512m\", \"1.5g\"".to_owned(),
            Takes::Number => "a number".to_owned(),
            Takes::Duration => "seconds, or such as \"500ms\", \"10s\", \"2m\"".to_owned(),
            Takes::Grace => "seconds, or such as \"10s\"; -1 is for ever".to_owned(),
            Takes::Time => "how long ago, such as \"10m\", or a date".to_owned(),
            Takes::Signal => "a signal such as \"TERM\" or 15".to_owned(),
            Takes::Command => "an array of strings, or a string of words".to_owned(),
            Takes::Pairs => "a map, or an array of \"KEY=VALUE\"".to_owned(),
            Takes::Texts => "a string or an array of strings".to_owned(),
            Takes::Mounts => "an array such as [\"/srv:/data:ro\"], or a map".to_owned(),
            Takes::Sharing => "a string such as \"host\", or a Container".to_owned(),
            Takes::Conditions => "an array of conditions".to_owned(),
            Takes::Named => "a handle, a name or an array of them".to_owned(),
            Takes::State => "such as \"running\"; with `http` a number such as 200".to_owned(),
            Takes::Health => "a command, a map, or false".to_owned(),
            Takes::Filter => {
                "a map such as #{ container: c, event: [\"die\", \"oom\"] }".to_owned()
            }
            Takes::Image => "a reference or an Image".to_owned(),
            Takes::OneOf(words) => {
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
            }
        }
    }
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it does, in a few words.
    pub about: &'static str,
}

const fn key(name: &'static str, takes: Takes, about: &'static str) -> Key {
    Key { name, takes, about }
}

const CREATE: &[Key] = &[
    key("name", Takes::Text, "its name; a generated one where not given"),
    key("cmd", Takes::Command, "replaces the image's command"),
    key("entrypoint", Takes::Command, "replaces the image's entrypoint and drops its command"),
    key("env", Takes::Pairs, "environment variables; values may be numbers"),
    key("workdir", Takes::Text, "the working directory, absolute"),
    key("user", Takes::Text, "\"user\" or \"user:group\", names or numbers"),
    key("hostname", Takes::Text, "the host name inside; the short id where not given"),
    key("labels", Takes::Pairs, "labels"),
    key("stop_signal", Takes::Signal, "the signal that stop sends"),
    key("stop_timeout", Takes::Grace, "how long stop waits before it kills"),
    key("stdin", Takes::Flag, "keep standard input open for a client"),
    key("tty", Takes::Flag, "give it a terminal"),
    key("rm", Takes::Flag, "remove it when it ends"),
];

const ATTACH: &[Key] = &[
    key("attach", Takes::Flag, "stay with it until it ends, and write what it writes"),
    key("interactive", Takes::Flag, "the same, and give it this terminal's input"),
];

const EXEC: &[Key] = &[
    key("env", Takes::Pairs, "environment variables, beside the container's"),
    key("user", Takes::Text, "\"user\" or \"user:group\", names or numbers"),
    key("workdir", Takes::Text, "the working directory, absolute"),
    key("privileged", Takes::Flag, "all capabilities"),
    key("stdin", Takes::Text, "what it reads on standard input"),
    key("timeout", Takes::Duration, "kill it after so long"),
];

const STOP: &[Key] = &[
    key("time", Takes::Grace, "how long to wait before it is killed"),
    key("signal", Takes::Signal, "sent instead of the stop signal"),
];

const FORCE: &[Key] = &[key("force", Takes::Flag, "even where it is in use")];

const REMOVE: &[Key] = &[key("volumes", Takes::Flag, "also the volumes that nobody named")];

const VOLUME: &[Key] = &[key("labels", Takes::Pairs, "labels")];

const VOLUMES: &[Key] = &[
    key("dangling", Takes::Flag, "used by no container, or by one"),
    key("name", Takes::Texts, "a part of the name"),
    key("label", Takes::Pairs, "has these labels; \"key\" or \"key=value\""),
];

const PRUNE_VOLUMES: &[Key] = &[
    key("all", Takes::Flag, "also those that have a name"),
    key("label", Takes::Pairs, "only with these labels; \"key\" or \"key=value\""),
    key("dry_run", Takes::Flag, "only tell what would go"),
];

const IMAGE: &[Key] =
    &[key("pull", Takes::OneOf(&["missing", "always", "never"]), "when to fetch it")];

const LOAD: &[Key] =
    &[key("platform", Takes::Text, "of an image for several: os/architecture[/variant]")];

const SAVE: &[Key] = &[
    key("format", Takes::OneOf(&["docker", "oci", "oci-dir"]), "what to write"),
    key("compress", Takes::OneOf(&["gzip", "zstd"]), "the archive, or the layers for oci"),
];
const PULL: &[Key] =
    &[key("platform", Takes::Text, "such as \"linux/arm64\"; this machine's where not given")];

const TLS: &[Key] =
    &[key("tls_verify", Takes::Flag, "false: without TLS, or with any certificate")];

const LOGS: &[Key] = &[
    key("tail", Takes::Count, "only the last so many lines"),
    key("since", Takes::Time, "only lines from then on"),
    key("before", Takes::Time, "only lines before then"),
    key("until", Takes::Time, "the same; in quotes, for it is a word of Rhai"),
    key("stream", Takes::OneOf(&["stdout", "stderr"]), "only lines of this stream"),
    key("timestamps", Takes::Flag, "begin each line of the text with its time"),
    key("follow", Takes::Flag, "go on until the container ends"),
    key("across_restarts", Takes::Flag, "go on when it starts again, until it is removed"),
    key("timeout", Takes::Duration, "give up following after so long"),
];

const STATS: &[Key] = &[
    key("follow", Takes::Flag, "go on until the container ends"),
    key("interval", Takes::Duration, "how long from one sample to the next; 1 s by default"),
    key("timeout", Takes::Duration, "give up following after so long"),
];

const PS: &[Key] = &[
    key("all", Takes::Flag, "also those that do not run"),
    key("name", Takes::Text, "a part of the name"),
    key("id", Takes::Text, "the beginning of the id"),
    key("label", Takes::Pairs, "has these labels; \"key\" or \"key=value\""),
    key("status", Takes::Texts, "is in one of these; implies all"),
    key("ancestor", Takes::Image, "made from this image"),
    key("exited", Takes::Code, "ended with this exit code; implies all"),
    key("last", Takes::Count, "only the newest so many; implies all"),
    key("health", Takes::OneOf(&WORDS), "is so well"),
];

const COMMIT: &[Key] = &[
    key("author", Takes::Text, "who made it"),
    key("message", Takes::Text, "what the history says of it"),
    key("changes", Takes::Texts, "instructions of a Dockerfile, such as \"ENV A=1\""),
    key("pause", Takes::Flag, "freeze it meanwhile; true by default"),
];

const BUILD: &[Key] = &[
    key("tag", Takes::Texts, "what it is called"),
    key("file", Takes::Text, "the Dockerfile, if it is not `Dockerfile` in the directory"),
    key("args", Takes::Pairs, "arguments of the Dockerfile"),
    key("labels", Takes::Pairs, "labels"),
    key("target", Takes::Text, "the stage to build; the last by default"),
    key("no_cache", Takes::Flag, "do all steps anew"),
    key("pull", Takes::Flag, "fetch the images that stages begin with"),
];

const IMPORT: &[Key] = &[
    key("tag", Takes::Text, "what it is called"),
    key("cmd", Takes::Command, "what it runs by default"),
    key("entrypoint", Takes::Command, "the program that cmd is appended to"),
    key("env", Takes::Pairs, "variables of its environment"),
    key("workdir", Takes::Text, "the working directory"),
    key("user", Takes::Text, "user and group"),
    key("labels", Takes::Pairs, "labels"),
    key("changes", Takes::Texts, "instructions of a Dockerfile, such as \"ENV A=1\""),
    key("message", Takes::Text, "what the history says of it"),
    key("platform", Takes::Text, "such as \"linux/arm64\"; this machine's by default"),
];

const IMAGES: &[Key] = &[
    key("all", Takes::Flag, "also the steps of builds"),
    key("name", Takes::Texts, "a pattern of the reference, such as \"alpine:3*\""),
    key("label", Takes::Pairs, "has these labels; \"key\" or \"key=value\""),
    key("dangling", Takes::Flag, "without tag, or with one"),
    key("before", Takes::Image, "built before this image"),
    key("since", Takes::Image, "built after this image"),
];

const PRUNE_IMAGES: &[Key] = &[
    key("all", Takes::Flag, "all that no container uses, not only those without tag"),
    key("label", Takes::Pairs, "only with these labels; \"key\" or \"key=value\""),
    key("before", Takes::Time, "only what was built before then"),
    key("dry_run", Takes::Flag, "only tell what would go"),
];

const CHECK_IMAGES: &[Key] =
    &[key("repair", Takes::Flag, "mend what can be mended, remove the rest")];

/// What `create` takes.
const NEW: &[&[Key]] = &[
    CREATE,
    security::KEYS,
    resources::LIMITS,
    resources::KEYS,
    mounts::KEYS,
    crate::script::options::namespaces::KEYS,
    crate::script::options::supervision::KEYS,
    crate::script::options::health_check::KEYS,
];

/// What `run` takes.
const NEW_AND_ATTACH: &[&[Key]] = &[
    CREATE,
    security::KEYS,
    resources::LIMITS,
    resources::KEYS,
    mounts::KEYS,
    crate::script::options::namespaces::KEYS,
    crate::script::options::supervision::KEYS,
    crate::script::options::health_check::KEYS,
    ATTACH,
];

/// The functions that take options, each with its tables.
const FUNCTIONS: &[(&str, &[&[Key]])] = &[
    ("create", NEW),
    ("run", NEW_AND_ATTACH),
    ("ensure_running", NEW),
    ("health", &[crate::script::options::health_check::PARTS]),
    ("start", &[ATTACH]),
    ("exec", &[EXEC]),
    ("stop", &[STOP]),
    ("restart", &[STOP]),
    ("rm", &[FORCE, REMOVE]),
    ("create_volume", &[VOLUME]),
    ("rmv", &[FORCE]),
    ("volumes", &[VOLUMES]),
    ("prune_volumes", &[PRUNE_VOLUMES]),
    ("update", &[resources::LIMITS, resources::RESTART]),
    ("rmi", &[FORCE]),
    ("image", &[IMAGE]),
    ("build", &[BUILD]),
    ("commit", &[COMMIT]),
    ("import_tar", &[IMPORT]),
    ("load", &[LOAD]),
    ("save", &[SAVE]),
    ("images", &[IMAGES]),
    ("prune_images", &[PRUNE_IMAGES]),
    ("check_images", &[CHECK_IMAGES]),
    ("pull", &[PULL, TLS]),
    ("push", &[TLS]),
    ("logs", &[LOGS]),
    ("stats", &[STATS]),
    ("retry", &[crate::script::options::concurrency::KEYS]),
    ("trace", &[teaching::TRACE_KEYS]),
    ("diagram", &[teaching::DIAGRAM_KEYS]),
    ("wait_for", &[crate::script::options::wait_for::KEYS]),
    ("events", &[events::KEYS]),
    ("on", &[events::ON]),
    ("ps", &[PS]),
];

/// Options that the language knows and this version does not do yet.
const LATER: &[&str] = &["ports"];

/// The options of `function`, in the order of help.
pub fn keys(function: &str) -> Vec<Key> {
    let tables = FUNCTIONS.iter().find(|(name, _)| *name == function).map(|(_, tables)| *tables);
    tables.unwrap_or_default().iter().flat_map(|table| table.iter().copied()).collect()
}

/// A map whose keys are known.
#[derive(Debug)]
pub struct Options<'a> {
    function: &'a str,
    map: Map,
}

impl<'a> Options<'a> {
    /// Checks the keys of `map` against the table of `function`. The value `()` is as not given.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a key that is not in the table.
    pub fn new(function: &'a str, mut map: Map) -> Result<Self> {
        let known = keys(function);
        for given in map.keys() {
            if !known.iter().any(|key| key.name == given.as_str()) {
                return Err(unknown(function, given, &known));
            }
        }
        map.retain(|_, value| !value.is_unit());
        for value in map.values_mut() {
            *value = std::mem::take(value).flatten();
        }
        Ok(Options { function, map })
    }

    /// The value of an option, read by `read`; a failure names function, option and form.
    fn get<T>(
        &self,
        name: &str,
        read: impl FnOnce(&rhai::Dynamic) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.map.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.wrong(name, value))
    }

    /// As [`Self::get`], for what knows itself why it fails.
    fn try_get<T>(
        &self,
        name: &str,
        read: impl FnOnce(&rhai::Dynamic) -> Result<T>,
    ) -> Result<Option<T>> {
        self.map.get(name).map(read).transpose().map_err(|error| {
            let message = format!("{}(): option `{name}`: {}", self.function, error.message());
            let renamed = Error::new(error.kind(), message);
            match error.hint_text() {
                Some(hint) => renamed.hint(hint),
                None => renamed,
            }
        })
    }

    fn wrong(&self, name: &str, value: &rhai::Dynamic) -> Error {
        let takes = keys(self.function).into_iter().find(|key| key.name == name);
        let wanted = takes.map(|key| key.takes.describe()).unwrap_or_default();
        let given = match values::scalar(value) {
            Some(text) if value.is_string() => format!("\"{text}\""),
            Some(text) => text,
            None => values::type_of(value).to_owned(),
        };
        let message = format!("{}(): option `{name}` takes {wanted}, not {given}", self.function);
        Error::new(Kind::Invalid, message)
    }
}

/// The error for a key that is not in the table: the nearest one, and all of them.
fn unknown(function: &str, given: &str, known: &[Key]) -> Error {
    let names: Vec<&str> = known.iter().map(|key| key.name).collect();
    let all = format!("known: {}", names.join(", "));
    if LATER.contains(&given) {
        let message = format!("{function}(): option `{given}` is not supported yet");
        return Error::new(Kind::Unsupported, message).hint(all);
    }
    let hint = match nearest(given, names) {
        Some(near) => format!("did you mean `{near}`? ({all})"),
        None => all,
    };
    Error::new(Kind::Invalid, format!("{function}(): no option `{given}`")).hint(hint)
}
