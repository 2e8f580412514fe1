//! What a container uses, and what it may use.

use std::time::Duration;

use rhai::plugin::*;
use rhai::{Dynamic, Map};

use super::super::error::OrRaise;
use super::super::handle::Container as Handle;
use super::super::stage::Stage;
use super::super::{options, subject};
use super::{ContainerOrName, Options, RhaiResultOf};
use crate::model::Result;
use crate::model::stats::Stats;

/// For so long `stats` watches the processors.
const WATCHED: Duration = Duration::from_millis(100);

/// What a container uses, and what it may use.
#[export_module]
pub mod limits {
    /// Changes limits and the restart policy: at once where it runs, and for every later start.
    ///
    /// ```rhai
    /// update("web", #{ pids: 50, memory: "64m", restart: "on-failure:3" });
    /// ```
    #[rhai_fn(name = "update", volatile, return_raw)]
    pub fn update(
        ctx: NativeCallContext,
        container: ContainerOrName,
        options: Options,
    ) -> RhaiResultOf<Handle> {
        let changes = options::update(options).or_raise(&ctx)?;
        let handle = subject::container(&ctx, &container)?;
        let stage = Stage::of(&ctx)?;
        stage.backend().update(handle.id(), &changes).or_raise(&ctx)?;
        Ok(handle)
    }

    /// What it uses now: per cent of a processor, bytes of memory, processes, and more.
    ///
    /// ```rhai
    /// let now = stats("web");
    /// print(now.memory < now.memory_limit || now.pids == 0);
    /// ```
    #[rhai_fn(name = "stats", volatile, return_raw)]
    pub fn stats(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Map> {
        let handle = subject::container(&ctx, &container)?;
        let stage = Stage::of(&ctx)?;
        let look = || -> Result<(Stats, Stats)> {
            let before = stage.backend().stats(handle.id())?;
            if before.pids > 0 {
                stage.cancel().sleep(WATCHED)?;
            }
            Ok((before, stage.backend().stats(handle.id())?))
        };
        let (before, now) = look().or_raise(&ctx)?;
        Ok(map_of(&before, &now))
    }
}

fn map_of(before: &Stats, now: &Stats) -> Map {
    let number = |value: u64| Dynamic::from(i64::try_from(value).unwrap_or(i64::MAX));
    let optional = |value: Option<u64>| value.map_or(Dynamic::UNIT, number);
    let entries = [
        ("cpu", Dynamic::from(now.cpu_percent(before))),
        ("cpu_time", Dynamic::from(now.cpu_time.as_secs_f64())),
        ("memory", number(now.memory)),
        ("memory_limit", number(now.memory_limit)),
        ("memory_percent", Dynamic::from(now.memory_percent())),
        ("net_in", number(now.network.0)),
        ("net_out", number(now.network.1)),
        ("block_in", optional(now.block.map(|block| block.0))),
        ("block_out", optional(now.block.map(|block| block.1))),
        ("pids", number(now.pids)),
    ];
    entries.into_iter().map(|(key, value)| (key.into(), value)).collect()
}
