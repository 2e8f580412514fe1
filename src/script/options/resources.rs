//! Options that say how much a container may use: memory, processors, processes, block devices, limits of its processes.

use rhai::{Dynamic, Map};

use super::convert::{pairs, text_of};
use super::key::{OptionSpec, ValueType, option_spec};
use super::parsed::ParsedOptions;
use crate::model::container::Changes;
use crate::model::container::resources::{Resources, Ulimit, parse_cpus, parse_limit};
use crate::model::{Error, Kind, Result};
use crate::script::values;

/// The options.
pub const KEYS: &[OptionSpec] = &[
    option_spec(
        "ulimits",
        ValueType::Pairs,
        "limits of each process, such as #{ nofile: \"1024:2048\" }",
    ),
    option_spec("shm_size", ValueType::Size, "the size of /dev/shm"),
    option_spec("oom_score_adj", ValueType::Int, "how soon it is chosen when memory runs out"),
];

/// The limits that `update` can change.
pub const LIMITS: &[OptionSpec] = &[
    option_spec("memory", ValueType::Size, "the most memory"),
    option_spec(
        "memory_swap",
        ValueType::Size,
        "memory and swap together; -1 is swap without limit",
    ),
    option_spec(
        "memory_reservation",
        ValueType::Size,
        "memory that is kept for it when memory is short",
    ),
    option_spec("cpus", ValueType::Number, "how many processors"),
    option_spec(
        "cpu_shares",
        ValueType::Int,
        "its share where processors are short; others have 1024",
    ),
    option_spec("cpu_period", ValueType::Int, "microseconds in which the quota may be used"),
    option_spec("cpu_quota", ValueType::Int, "microseconds of processor time per period"),
    option_spec("cpuset_cpus", ValueType::Text, "which processors, such as \"0-2,4\""),
    option_spec("cpuset_mems", ValueType::Text, "which memory nodes"),
    option_spec("pids", ValueType::Int, "how many processes and threads; -1 is without limit"),
    option_spec("blkio_weight", ValueType::Int, "its weight on block devices, 10 to 1000"),
];

/// What only `update` takes besides.
pub const RESTART: &[OptionSpec] = &[option_spec(
    "restart",
    ValueType::Text,
    "\"no\", \"always\", \"unless-stopped\" or \"on-failure:3\"",
)];

/// Reads them.
pub fn read(given: &ParsedOptions<'_>) -> Result<Resources> {
    let ulimits = given.get("ulimits", pairs)?.unwrap_or_default();
    let ulimit = |(name, value): &(String, String)| format!("{name}={value}").parse::<Ulimit>();
    Ok(Resources {
        ulimits: ulimits.iter().map(ulimit).collect::<Result<_>>()?,
        shm_size: given.get_with("shm_size", size)?,
        oom_score_adj: whole(given, "oom_score_adj")?,
        ..limits(given)?
    })
}

fn limits(given: &ParsedOptions<'_>) -> Result<Resources> {
    Ok(Resources {
        memory: given.get_with("memory", size)?,
        memory_swap: given.get_with("memory_swap", size)?,
        memory_reservation: given.get_with("memory_reservation", size)?,
        nano_cpus: given
            .get_with("cpus", |value| parse_cpus(&values::scalar(value).unwrap_or_default()))?,
        cpu_shares: whole(given, "cpu_shares")?,
        cpu_period: whole(given, "cpu_period")?,
        cpu_quota: whole(given, "cpu_quota")?,
        cpuset_cpus: given.get("cpuset_cpus", values::scalar)?,
        cpuset_mems: given.get("cpuset_mems", values::scalar)?,
        pids_limit: whole(given, "pids")?,
        blkio_weight: whole(given, "blkio_weight")?,
        ..Resources::default()
    })
}

/// The options of `update`.
pub fn update(map: Map) -> Result<Changes> {
    let given = ParsedOptions::new("update", [LIMITS, RESTART].concat(), map)?;
    let restart = given.get_with("restart", |value| text_of(value)?.parse())?;
    Ok(Changes { resources: limits(&given)?, restart })
}

fn whole(given: &ParsedOptions<'_>, name: &str) -> Result<Option<i64>> {
    given.get(name, |value| value.as_int().ok())
}

/// Bytes as a number, or a text such as `"512m"`.
fn size(value: &Dynamic) -> Result<i64> {
    match (value.as_int(), values::text(value)) {
        (Ok(bytes), _) => Ok(bytes),
        (_, Some(text)) => parse_limit(&text),
        _ => Err(Error::new(
            Kind::Invalid,
            format!("a size is wanted, not {}", values::type_of(value)),
        )
        .hint("write bytes, or such as \"512m\"")),
    }
}
