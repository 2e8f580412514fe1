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
use crate::model::value::health_check::FILTER_VALUES;
use crate::model::{Error, Kind, Result};
use crate::script::syntax::suggest::suggest;

pub use crate::script::options::concurrency::{Retry, retry};
pub use crate::script::options::wait_for::{Condition, WaitCondition, wait_condition};
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
pub enum ValueType {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number, not negative.
    UInt,
    /// A whole number of any sign.
    Int,
    /// A number of seconds or `"500ms"`.
    Duration,
    /// A number of bytes or `"512m"`.
    Size,
    /// A number, whole or not.
    Number,
    /// A duration, or -1 for ever.
    StopTimeout,
    /// How long ago, or a date.
    Time,
    /// A signal's name or number.
    Signal,
    /// An array of strings, or a string that is split into words.
    Command,
    /// A map, or an array of `"KEY=VALUE"`.
    Pairs,
    /// One string or an array of them.
    StringList,
    /// An array of Docker's texts for mounts, or a map of their halves.
    Mounts,
    /// A word, `"container:NAME"` or a Container.
    NamespaceMode,
    /// A command for a shell, an array of words, a map, or false.
    Health,
    /// An array of conditions.
    Conditions,
    /// Handles or names.
    Handles,
    /// A status, or a number.
    State,
    /// A map of what is wanted.
    Filter,
    /// A reference or an Image.
    Image,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl ValueType {
    /// For messages and help.
    pub fn describe(self) -> String {
        match self {
            ValueType::Text => "a string".to_owned(),
            ValueType::Flag => "true or false".to_owned(),
            ValueType::UInt => "a whole number from 0 on".to_owned(),
            ValueType::Int => "a whole number".to_owned(),
            ValueType::Size => "bytes, or such as \"64k\", \"512m\", \"1.5g\"".to_owned(),
            ValueType::Number => "a number".to_owned(),
            ValueType::Duration => "seconds, or such as \"500ms\", \"10s\", \"2m\"".to_owned(),
            ValueType::StopTimeout => "seconds, or such as \"10s\"; -1 is for ever".to_owned(),
            ValueType::Time => "how long ago, such as \"10m\", or a date".to_owned(),
            ValueType::Signal => "a signal such as \"TERM\" or 15".to_owned(),
            ValueType::Command => "an array of strings, or a string of words".to_owned(),
            ValueType::Pairs => "a map, or an array of \"KEY=VALUE\"".to_owned(),
            ValueType::StringList => "a string or an array of strings".to_owned(),
            ValueType::Mounts => "an array such as [\"/srv:/data:ro\"], or a map".to_owned(),
            ValueType::NamespaceMode => "a string such as \"host\", or a Container".to_owned(),
            ValueType::Conditions => "an array of conditions".to_owned(),
            ValueType::Handles => "a handle, a name or an array of them".to_owned(),
            ValueType::State => "such as \"running\"; with `http` a number such as 200".to_owned(),
            ValueType::Health => "a command, a map, or false".to_owned(),
            ValueType::Filter => {
                "a map such as #{ container: c, event: [\"die\", \"oom\"] }".to_owned()
            }
            ValueType::Image => "a reference or an Image".to_owned(),
            ValueType::OneOf(words) => {
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
            }
        }
    }
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub value_type: ValueType,
    /// What it does, in a few words.
    pub about: &'static str,
}

const fn option_spec(name: &'static str, takes: ValueType, about: &'static str) -> OptionSpec {
    OptionSpec { name, value_type: takes, about }
}

const CREATE: &[OptionSpec] = &[
    option_spec("name", ValueType::Text, "its name; a generated one where not given"),
    option_spec("cmd", ValueType::Command, "replaces the image's command"),
    option_spec(
        "entrypoint",
        ValueType::Command,
        "replaces the image's entrypoint and drops its command",
    ),
    option_spec("env", ValueType::Pairs, "environment variables; values may be numbers"),
    option_spec("workdir", ValueType::Text, "the working directory, absolute"),
    option_spec("user", ValueType::Text, "\"user\" or \"user:group\", names or numbers"),
    option_spec("hostname", ValueType::Text, "the host name inside; the short id where not given"),
    option_spec("labels", ValueType::Pairs, "labels"),
    option_spec("stop_signal", ValueType::Signal, "the signal that stop sends"),
    option_spec("stop_timeout", ValueType::StopTimeout, "how long stop waits before it kills"),
    option_spec("stdin", ValueType::Flag, "keep standard input open for a client"),
    option_spec("tty", ValueType::Flag, "give it a terminal"),
    option_spec("rm", ValueType::Flag, "remove it when it ends"),
];

const ATTACH: &[OptionSpec] = &[
    option_spec("attach", ValueType::Flag, "stay with it until it ends, and write what it writes"),
    option_spec("interactive", ValueType::Flag, "the same, and give it this terminal's input"),
];

const EXEC: &[OptionSpec] = &[
    option_spec("env", ValueType::Pairs, "environment variables, beside the container's"),
    option_spec("user", ValueType::Text, "\"user\" or \"user:group\", names or numbers"),
    option_spec("workdir", ValueType::Text, "the working directory, absolute"),
    option_spec("privileged", ValueType::Flag, "all capabilities"),
    option_spec("stdin", ValueType::Text, "what it reads on standard input"),
    option_spec("timeout", ValueType::Duration, "kill it after so long"),
];

const STOP: &[OptionSpec] = &[
    option_spec("time", ValueType::StopTimeout, "how long to wait before it is killed"),
    option_spec("signal", ValueType::Signal, "sent instead of the stop signal"),
];

const FORCE: &[OptionSpec] = &[option_spec("force", ValueType::Flag, "even where it is in use")];

const REMOVE: &[OptionSpec] =
    &[option_spec("volumes", ValueType::Flag, "also the volumes that nobody named")];

const VOLUME: &[OptionSpec] = &[option_spec("labels", ValueType::Pairs, "labels")];

const VOLUMES: &[OptionSpec] = &[
    option_spec("dangling", ValueType::Flag, "used by no container, or by one"),
    option_spec("name", ValueType::StringList, "a part of the name"),
    option_spec("label", ValueType::Pairs, "has these labels; \"key\" or \"key=value\""),
];

const PRUNE_VOLUMES: &[OptionSpec] = &[
    option_spec("all", ValueType::Flag, "also those that have a name"),
    option_spec("label", ValueType::Pairs, "only with these labels; \"key\" or \"key=value\""),
    option_spec("dry_run", ValueType::Flag, "only tell what would go"),
];

const IMAGE: &[OptionSpec] =
    &[option_spec("pull", ValueType::OneOf(&["missing", "always", "never"]), "when to fetch it")];

const LOAD: &[OptionSpec] = &[option_spec(
    "platform",
    ValueType::Text,
    "of an image for several: os/architecture[/variant]",
)];

const SAVE: &[OptionSpec] = &[
    option_spec("format", ValueType::OneOf(&["docker", "oci", "oci-dir"]), "what to write"),
    option_spec(
        "compress",
        ValueType::OneOf(&["gzip", "zstd"]),
        "the archive, or the layers for oci",
    ),
];
const PULL: &[OptionSpec] = &[option_spec(
    "platform",
    ValueType::Text,
    "such as \"linux/arm64\"; this machine's where not given",
)];

const TLS: &[OptionSpec] =
    &[option_spec("tls_verify", ValueType::Flag, "false: without TLS, or with any certificate")];

const LOGS: &[OptionSpec] = &[
    option_spec("tail", ValueType::UInt, "only the last so many lines"),
    option_spec("since", ValueType::Time, "only lines from then on"),
    option_spec("before", ValueType::Time, "only lines before then"),
    option_spec("until", ValueType::Time, "the same; in quotes, for it is a word of Rhai"),
    option_spec("stream", ValueType::OneOf(&["stdout", "stderr"]), "only lines of this stream"),
    option_spec("timestamps", ValueType::Flag, "begin each line of the text with its time"),
    option_spec("follow", ValueType::Flag, "go on until the container ends"),
    option_spec(
        "across_restarts",
        ValueType::Flag,
        "go on when it starts again, until it is removed",
    ),
    option_spec("timeout", ValueType::Duration, "give up following after so long"),
];

const STATS: &[OptionSpec] = &[
    option_spec("follow", ValueType::Flag, "go on until the container ends"),
    option_spec(
        "interval",
        ValueType::Duration,
        "how long from one sample to the next; 1 s by default",
    ),
    option_spec("timeout", ValueType::Duration, "give up following after so long"),
];

const PS: &[OptionSpec] = &[
    option_spec("all", ValueType::Flag, "also those that do not run"),
    option_spec("name", ValueType::Text, "a part of the name"),
    option_spec("id", ValueType::Text, "the beginning of the id"),
    option_spec("label", ValueType::Pairs, "has these labels; \"key\" or \"key=value\""),
    option_spec("status", ValueType::StringList, "is in one of these; implies all"),
    option_spec("ancestor", ValueType::Image, "made from this image"),
    option_spec("exited", ValueType::Int, "ended with this exit code; implies all"),
    option_spec("last", ValueType::UInt, "only the newest so many; implies all"),
    option_spec("health", ValueType::OneOf(&FILTER_VALUES), "is so well"),
];

const COMMIT: &[OptionSpec] = &[
    option_spec("author", ValueType::Text, "who made it"),
    option_spec("message", ValueType::Text, "what the history says of it"),
    option_spec(
        "changes",
        ValueType::StringList,
        "instructions of a Dockerfile, such as \"ENV A=1\"",
    ),
    option_spec("pause", ValueType::Flag, "freeze it meanwhile; true by default"),
];

const BUILD: &[OptionSpec] = &[
    option_spec("tag", ValueType::StringList, "what it is called"),
    option_spec(
        "file",
        ValueType::Text,
        "the Dockerfile, if it is not `Dockerfile` in the directory",
    ),
    option_spec("args", ValueType::Pairs, "arguments of the Dockerfile"),
    option_spec("labels", ValueType::Pairs, "labels"),
    option_spec("target", ValueType::Text, "the stage to build; the last by default"),
    option_spec("no_cache", ValueType::Flag, "do all steps anew"),
    option_spec("pull", ValueType::Flag, "fetch the images that stages begin with"),
];

const IMPORT: &[OptionSpec] = &[
    option_spec("tag", ValueType::Text, "what it is called"),
    option_spec("cmd", ValueType::Command, "what it runs by default"),
    option_spec("entrypoint", ValueType::Command, "the program that cmd is appended to"),
    option_spec("env", ValueType::Pairs, "variables of its environment"),
    option_spec("workdir", ValueType::Text, "the working directory"),
    option_spec("user", ValueType::Text, "user and group"),
    option_spec("labels", ValueType::Pairs, "labels"),
    option_spec(
        "changes",
        ValueType::StringList,
        "instructions of a Dockerfile, such as \"ENV A=1\"",
    ),
    option_spec("message", ValueType::Text, "what the history says of it"),
    option_spec("platform", ValueType::Text, "such as \"linux/arm64\"; this machine's by default"),
];

const IMAGES: &[OptionSpec] = &[
    option_spec("all", ValueType::Flag, "also the steps of builds"),
    option_spec("name", ValueType::StringList, "a pattern of the reference, such as \"alpine:3*\""),
    option_spec("label", ValueType::Pairs, "has these labels; \"key\" or \"key=value\""),
    option_spec("dangling", ValueType::Flag, "without tag, or with one"),
    option_spec("before", ValueType::Image, "built before this image"),
    option_spec("since", ValueType::Image, "built after this image"),
];

const PRUNE_IMAGES: &[OptionSpec] = &[
    option_spec("all", ValueType::Flag, "all that no container uses, not only those without tag"),
    option_spec("label", ValueType::Pairs, "only with these labels; \"key\" or \"key=value\""),
    option_spec("before", ValueType::Time, "only what was built before then"),
    option_spec("dry_run", ValueType::Flag, "only tell what would go"),
];

const CHECK_IMAGES: &[OptionSpec] =
    &[option_spec("repair", ValueType::Flag, "mend what can be mended, remove the rest")];

/// What `create` takes.
const NEW: &[&[OptionSpec]] = &[
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
const NEW_AND_ATTACH: &[&[OptionSpec]] = &[
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
const FUNCTIONS: &[(&str, &[&[OptionSpec]])] = &[
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
const NOT_YET: &[&str] = &["ports"];

/// The options of `function`, in the order of help.
pub fn keys(function: &str) -> Vec<OptionSpec> {
    let tables = FUNCTIONS.iter().find(|(name, _)| *name == function).map(|(_, tables)| *tables);
    tables.unwrap_or_default().iter().flat_map(|table| table.iter().copied()).collect()
}

/// A map whose keys are known.
#[derive(Debug)]
pub struct ParsedOptions<'a> {
    function: &'a str,
    map: Map,
}

impl<'a> ParsedOptions<'a> {
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
        Ok(ParsedOptions { function, map })
    }

    /// The value of an option, read by `read`; a failure names function, option and form.
    fn get<T>(
        &self,
        name: &str,
        read: impl FnOnce(&rhai::Dynamic) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.map.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.type_error(name, value))
    }

    /// As [`Self::get`], for what knows itself why it fails.
    fn get_with<T>(
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

    fn type_error(&self, name: &str, value: &rhai::Dynamic) -> Error {
        let takes = keys(self.function).into_iter().find(|key| key.name == name);
        let wanted = takes.map(|key| key.value_type.describe()).unwrap_or_default();
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
fn unknown(function: &str, given: &str, known: &[OptionSpec]) -> Error {
    let names: Vec<&str> = known.iter().map(|key| key.name).collect();
    let all = format!("known: {}", names.join(", "));
    if NOT_YET.contains(&given) {
        let message = format!("{function}(): option `{given}` is not supported yet");
        return Error::new(Kind::Unsupported, message).hint(all);
    }
    let hint = match suggest(given, names) {
        Some(near) => format!("did you mean `{near}`? ({all})"),
        None => all,
    };
    Error::new(Kind::Invalid, format!("{function}(): no option `{given}`")).hint(hint)
}
