//! The one table: which function takes which options. The reader, `help` and completion share it.

use super::key::{OptionSpec, ValueType, option_spec};
use super::{
    build, concurrency, events, health_check, images, mounts, namespaces, resources, security,
    stats, supervision, teaching, wait_for,
};
use crate::model::value::health_check::FILTER_VALUES;

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

/// What `create` takes.
const NEW: &[&[OptionSpec]] = &[
    CREATE,
    security::KEYS,
    resources::LIMITS,
    resources::KEYS,
    mounts::KEYS,
    namespaces::KEYS,
    supervision::KEYS,
    health_check::KEYS,
];

/// What `run` takes.
const NEW_AND_ATTACH: &[&[OptionSpec]] = &[
    CREATE,
    security::KEYS,
    resources::LIMITS,
    resources::KEYS,
    mounts::KEYS,
    namespaces::KEYS,
    supervision::KEYS,
    health_check::KEYS,
    ATTACH,
];

/// The functions that take options, each with its tables.
const FUNCTIONS: &[(&str, &[&[OptionSpec]])] = &[
    ("create", NEW),
    ("run", NEW_AND_ATTACH),
    ("ensure_running", NEW),
    ("health", &[health_check::PARTS]),
    ("start", &[ATTACH]),
    ("exec", &[EXEC]),
    ("stop", &[STOP]),
    ("restart", &[STOP]),
    ("rm", &[FORCE, REMOVE]),
    ("create_volume", &[mounts::VOLUME]),
    ("remove_volume", &[FORCE]),
    ("volumes", &[mounts::VOLUMES]),
    ("prune_volumes", &[mounts::PRUNE_VOLUMES]),
    ("update", &[resources::LIMITS, resources::RESTART]),
    ("rmi", &[FORCE]),
    ("image", &[IMAGE]),
    ("build", &[build::BUILD]),
    ("commit", &[build::COMMIT]),
    ("import_tar", &[build::IMPORT]),
    ("load", &[LOAD]),
    ("save", &[SAVE]),
    ("images", &[images::IMAGES]),
    ("prune_images", &[images::PRUNE_IMAGES]),
    ("check_images", &[images::CHECK_IMAGES]),
    ("pull", &[PULL, TLS]),
    ("push", &[TLS]),
    ("logs", &[LOGS]),
    ("stats", &[stats::KEYS]),
    ("retry", &[concurrency::KEYS]),
    ("trace", &[teaching::TRACE_KEYS]),
    ("diagram", &[teaching::DIAGRAM_KEYS]),
    ("wait_for", &[wait_for::KEYS]),
    ("events", &[events::KEYS]),
    ("on", &[events::ON]),
    ("ps", &[PS]),
];

/// The options of `function`, in the order of help.
pub fn keys(function: &str) -> Vec<OptionSpec> {
    let tables = FUNCTIONS.iter().find(|(name, _)| *name == function).map(|(_, tables)| *tables);
    tables.unwrap_or_default().iter().flat_map(|table| table.iter().copied()).collect()
}
