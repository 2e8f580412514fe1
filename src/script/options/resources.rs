//! Options that say how much a container may use: memory, processors, processes, block devices, limits of its processes.

use rhai::{Dynamic, Map};

use super::super::values;
use super::read::{pairs, text_of};
use super::{Key, Options, Takes, key};
use crate::model::container::Changes;
use crate::model::container::resources::{Resources, Ulimit, parse_cpus, parse_limit};
use crate::model::{Error, Kind, Result};

/// The options.
pub const KEYS: &[Key] = &[
    key("ulimits", Takes::Pairs, "limits of each process, such as #{ nofile: \"1024:2048\" }"),
    key("shm_size", Takes::Size, "the size of /dev/shm"),
    key("oom_score_adj", Takes::Code, "how soon it is chosen when memory runs out"),
];

/// The limits that `update` can change.
pub const LIMITS: &[Key] = &[
    key("memory", Takes::Size, "the most memory"),
    key("memory_swap", Takes::Size, "memory and swap together; -1 is swap without limit"),
    key("memory_reservation", Takes::Size, "memory that is kept for it when memory is short"),
    key("cpus", Takes::Number, "how many processors"),
    key("cpu_shares", Takes::Code, "its share where processors are short; others have 1024"),
    key("cpu_period", Takes::Code, "microseconds in which the quota may be used"),
    key("cpu_quota", Takes::Code, "microseconds of processor time per period"),
    key("cpuset_cpus", Takes::Text, "which processors, such as \"0-2,4\""),
    key("cpuset_mems", Takes::Text, "which memory nodes"),
    key("pids", Takes::Code, "how many processes and threads; -1 is without limit"),
    key("blkio_weight", Takes::Code, "its weight on block devices, 10 to 1000"),
];

/// What only `update` takes besides.
pub const RESTART: &[Key] =
    &[key("restart", Takes::Text, "\"no\", \"always\", \"unless-stopped\" or \"on-failure:3\"")];

/// Reads them.
pub fn read(given: &Options<'_>) -> Result<Resources> {
    let ulimits = given.get("ulimits", pairs)?.unwrap_or_default();
    let ulimit = |(name, value): &(String, String)| format!("{name}={value}").parse::<Ulimit>();
    Ok(Resources {
        ulimits: ulimits.iter().map(ulimit).collect::<Result<_>>()?,
        shm_size: given.try_get("shm_size", size)?,
        oom_score_adj: whole(given, "oom_score_adj")?,
        ..limits(given)?
    })
}

fn limits(given: &Options<'_>) -> Result<Resources> {
    Ok(Resources {
        memory: given.try_get("memory", size)?,
        memory_swap: given.try_get("memory_swap", size)?,
        memory_reservation: given.try_get("memory_reservation", size)?,
        nano_cpus: given
            .try_get("cpus", |value| parse_cpus(&values::scalar(value).unwrap_or_default()))?,
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
    let given = Options::new("update", map)?;
    let restart = given.try_get("restart", |value| text_of(value)?.parse())?;
    Ok(Changes { resources: limits(&given)?, restart })
}

fn whole(given: &Options<'_>, name: &str) -> Result<Option<i64>> {
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
