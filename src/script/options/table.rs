//! The one table: which function takes which options. The reader, `help` and completion share it.

use super::{build, concurrency, events, images, stats, teaching, volumes, wait_for};
use crate::model::creation::options::{CreateOption, HEALTH, create_options};
use crate::model::value::health_check::FILTER_VALUES;
use crate::model::value::option_spec::{OptionSpec, ValueType, option_spec};

const ATTACH: &[OptionSpec] = &[
    option_spec("attach", ValueType::Flag, "Attach to the output until the container exits"),
    option_spec(
        "interactive",
        ValueType::Flag,
        "Attach to the output and to this terminal's input",
    ),
];

const EXEC: &[OptionSpec] = &[
    option_spec("env", ValueType::Pairs, "Set environment variables, beside the container's"),
    option_spec("user", ValueType::Text, "Username or UID (format: <name|uid>[:<group|gid>])"),
    option_spec("workdir", ValueType::Text, "Working directory inside the container"),
    option_spec("privileged", ValueType::Flag, "Give extended privileges to the command"),
    option_spec("stdin", ValueType::Text, "Text that the command reads on standard input"),
    option_spec("timeout", ValueType::Duration, "Kill the command after this time"),
];

const STOP: &[OptionSpec] = &[
    option_spec(
        "time",
        ValueType::StopTimeout,
        "Seconds to wait before killing the container; -1 for no limit",
    ),
    option_spec("signal", ValueType::Signal, "Signal to send to the container"),
];

const FORCE: &[OptionSpec] =
    &[option_spec("force", ValueType::Flag, "Force the removal of what is in use")];

const REMOVE: &[OptionSpec] = &[option_spec(
    "volumes",
    ValueType::Flag,
    "Remove anonymous volumes associated with the container",
)];

const IMAGE: &[OptionSpec] = &[option_spec(
    "pull",
    ValueType::OneOf(&["missing", "always", "never"]),
    "Pull image before using it",
)];

const LOAD: &[OptionSpec] = &[option_spec(
    "platform",
    ValueType::Text,
    "Load only this platform: os/architecture[/variant]",
)];

const SAVE: &[OptionSpec] = &[
    option_spec("format", ValueType::OneOf(&["docker", "oci", "oci-dir"]), "Format of the archive"),
    option_spec(
        "compress",
        ValueType::OneOf(&["gzip", "zstd"]),
        "Compression of the archive, or of the layers with oci",
    ),
];

const PULL: &[OptionSpec] = &[option_spec(
    "platform",
    ValueType::Text,
    "Set the platform, such as \"linux/arm64\"; the host's by default",
)];

const TLS: &[OptionSpec] = &[option_spec(
    "tls_verify",
    ValueType::Flag,
    "Verify TLS certificates; false also allows plain HTTP",
)];

const LOGS: &[OptionSpec] = &[
    option_spec("tail", ValueType::UInt, "Number of lines to show from the end of the logs"),
    option_spec("since", ValueType::Time, "Show logs since this time"),
    option_spec("before", ValueType::Time, "Show logs before this time"),
    option_spec("until", ValueType::Time, "As before; quote the key, it is a keyword of Rhai"),
    option_spec("stream", ValueType::OneOf(&["stdout", "stderr"]), "Only lines of this stream"),
    option_spec("timestamps", ValueType::Flag, "Show timestamps"),
    option_spec("follow", ValueType::Flag, "Follow until the container exits"),
    option_spec(
        "across_restarts",
        ValueType::Flag,
        "Follow across restarts, until the container is removed",
    ),
    option_spec("timeout", ValueType::Duration, "Stop following after this time"),
];

const PS: &[OptionSpec] = &[
    option_spec("all", ValueType::Flag, "Show all containers, not just running ones"),
    option_spec("name", ValueType::Text, "Only names that contain this text"),
    option_spec("id", ValueType::Text, "Only ids that begin with this text"),
    option_spec("label", ValueType::Pairs, "Only with these labels: \"key\" or \"key=value\""),
    option_spec("status", ValueType::StringList, "Only with one of these statuses; implies all"),
    option_spec("ancestor", ValueType::Image, "Only containers created from this image"),
    option_spec("exited", ValueType::Int, "Only containers with this exit code; implies all"),
    option_spec("last", ValueType::UInt, "Show the n last created containers; implies all"),
    option_spec("health", ValueType::OneOf(&FILTER_VALUES), "Only containers with this health"),
];

/// The functions that take options, each with its tables.
const FUNCTIONS: &[(&str, &[&[OptionSpec]])] = &[
    ("run", &[ATTACH]),
    ("health", &[HEALTH]),
    ("start", &[ATTACH]),
    ("exec", &[EXEC]),
    ("stop", &[STOP]),
    ("restart", &[STOP]),
    ("rm", &[FORCE, REMOVE]),
    ("create_volume", &[volumes::VOLUME]),
    ("remove_volume", &[FORCE]),
    ("volumes", &[volumes::VOLUMES]),
    ("prune_volumes", &[volumes::PRUNE_VOLUMES]),
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

/// Returns the options of `function`, in the order of help.
pub fn keys(function: &str) -> Vec<OptionSpec> {
    let of_containers = create_options().filter(|row| match function {
        "create" | "run" | "ensure_running" => true,
        "update" => row.live,
        _ => false,
    });
    let tables = FUNCTIONS.iter().find(|(name, _)| *name == function).map(|(_, tables)| *tables);
    let own = tables.unwrap_or_default().iter().flat_map(|table| table.iter().copied());
    of_containers.filter_map(CreateOption::spec).chain(own).collect()
}
