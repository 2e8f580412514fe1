//! How much a container may use: memory, processors, processes, block devices, limits of its
//! processes.

use super::assign::{extend, set, set_some};
use super::row::CreateOption as Row;
use super::row::Trust::{Any, Denied};
use super::{read, write};
use crate::model::Result;
use crate::model::container::block_io::{DeviceLimit, DeviceLimitKind};
use crate::model::container::resources::{Ulimit, parse_cgroup_parent, parse_cpus};
use crate::model::value::expression::Expression;
use crate::model::value::option_spec::ValueType as T;
use crate::model::value::units::format_billionths;

fn of_devices(value: &Expression, kind: DeviceLimitKind) -> Result<Vec<DeviceLimit>> {
    read::texts(value)?.iter().map(|text| kind.read(text)).collect()
}

pub(super) const OPTIONS: &[Row] = &[
    Row::new(
        "memory",
        T::Size,
        Any,
        "Memory limit, such as 512m",
        |o| o.resources.memory.map(write::size),
        |o, v| set_some(&mut o.resources.memory, read::size(v)),
    )
    .flag("memory", "BYTES")
    .building()
    .short('m')
    .live(),
    Row::new(
        "memory_swap",
        T::Size,
        Any,
        "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
        |o| o.resources.memory_swap.map(write::size),
        |o, v| set_some(&mut o.resources.memory_swap, read::size(v)),
    )
    .flag("memory-swap", "BYTES")
    .building()
    .live(),
    Row::new(
        "memory_reservation",
        T::Size,
        Any,
        "Memory soft limit",
        |o| o.resources.memory_reservation.map(write::size),
        |o, v| set_some(&mut o.resources.memory_reservation, read::size(v)),
    )
    .flag("memory-reservation", "BYTES")
    .live(),
    Row::new(
        "memory_swappiness",
        T::Int,
        Any,
        "Tune container memory swappiness (0 to 100)",
        |o| o.resources.memory_swappiness.map(Expression::Number),
        |o, v| {
            // As with Docker, -1 is the host's.
            let value = Some(read::whole(v)?).filter(|value| *value != -1);
            set(&mut o.resources.memory_swappiness, Ok(value))
        },
    )
    .flag("memory-swappiness", "N"),
    Row::new(
        "oom_kill_disable",
        T::Flag,
        Denied,
        "Disable OOM Killer",
        |o| write::flag(o.resources.oom_kill_disable),
        |o, v| set(&mut o.resources.oom_kill_disable, read::flag(v)),
    )
    .switch("oom-kill-disable"),
    Row::new(
        "cpus",
        T::Number,
        Any,
        "Number of CPUs, such as 1.5",
        |o| o.resources.nano_cpus.map(|cpus| Expression::Decimal(format_billionths(cpus))),
        |o, v| {
            o.resources.nano_cpus = Some(parse_cpus(&read::text_or_number(v)?)?);
            Ok(())
        },
    )
    .flag("cpus", "DECIMAL")
    .live(),
    Row::new(
        "cpu_shares",
        T::Int,
        Any,
        "CPU shares (relative weight), 1024 by default",
        |o| o.resources.cpu_shares.map(Expression::Number),
        |o, v| set_some(&mut o.resources.cpu_shares, read::whole(v)),
    )
    .flag("cpu-shares", "N")
    .building()
    .short('c')
    .live(),
    Row::new(
        "cpu_period",
        T::Int,
        Any,
        "Limit CPU CFS (Completely Fair Scheduler) period, in microseconds",
        |o| o.resources.cpu_period.map(Expression::Number),
        |o, v| set_some(&mut o.resources.cpu_period, read::whole(v)),
    )
    .flag("cpu-period", "N")
    .building()
    .live(),
    Row::new(
        "cpu_quota",
        T::Int,
        Any,
        "Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds",
        |o| o.resources.cpu_quota.map(Expression::Number),
        |o, v| set_some(&mut o.resources.cpu_quota, read::whole(v)),
    )
    .flag("cpu-quota", "N")
    .building()
    .live(),
    Row::new(
        "cpuset_cpus",
        T::TextOrNumber,
        Any,
        "CPUs in which to allow execution (0-3, 0,1)",
        |o| write::text(o.resources.cpuset_cpus.as_ref()),
        |o, v| set_some(&mut o.resources.cpuset_cpus, read::text_or_number(v)),
    )
    .flag("cpuset-cpus", "LIST")
    .building()
    .live(),
    Row::new(
        "cpuset_mems",
        T::TextOrNumber,
        Any,
        "MEMs in which to allow execution (0-3, 0,1)",
        |o| write::text(o.resources.cpuset_mems.as_ref()),
        |o, v| set_some(&mut o.resources.cpuset_mems, read::text_or_number(v)),
    )
    .flag("cpuset-mems", "LIST")
    .building()
    .live(),
    Row::new(
        "pids",
        T::Int,
        Any,
        "Tune container pids limit (set -1 for unlimited)",
        |o| o.resources.pids_limit.map(Expression::Number),
        |o, v| set_some(&mut o.resources.pids_limit, read::whole(v)),
    )
    .flag("pids-limit", "N")
    .live(),
    Row::new(
        "blkio_weight",
        T::Int,
        Any,
        "Block IO (relative weight), between 10 and 1000, or 0 to disable",
        |o| o.resources.blkio_weight.map(Expression::Number),
        |o, v| set_some(&mut o.resources.blkio_weight, read::whole(v)),
    )
    .flag("blkio-weight", "N")
    .live(),
    Row::new(
        "blkio_weight_device",
        T::StringList,
        Denied,
        "Block IO weight (relative device weight)",
        |o| write::texts(&o.resources.blkio_weight_device),
        |o, v| extend(&mut o.resources.blkio_weight_device, of_devices(v, DeviceLimitKind::Weight)),
    )
    .flag("blkio-weight-device", "PATH:WEIGHT"),
    Row::new(
        "device_read_bps",
        T::StringList,
        Denied,
        "Limit read rate (bytes per second) from a device",
        |o| write::texts(&o.resources.device_read_bps),
        |o, v| extend(&mut o.resources.device_read_bps, of_devices(v, DeviceLimitKind::Bytes)),
    )
    .flag("device-read-bps", "PATH:BYTES"),
    Row::new(
        "device_write_bps",
        T::StringList,
        Denied,
        "Limit write rate (bytes per second) to a device",
        |o| write::texts(&o.resources.device_write_bps),
        |o, v| extend(&mut o.resources.device_write_bps, of_devices(v, DeviceLimitKind::Bytes)),
    )
    .flag("device-write-bps", "PATH:BYTES"),
    Row::new(
        "device_read_iops",
        T::StringList,
        Denied,
        "Limit read rate (IO per second) from a device",
        |o| write::texts(&o.resources.device_read_iops),
        |o, v| {
            extend(&mut o.resources.device_read_iops, of_devices(v, DeviceLimitKind::Operations))
        },
    )
    .flag("device-read-iops", "PATH:N"),
    Row::new(
        "device_write_iops",
        T::StringList,
        Denied,
        "Limit write rate (IO per second) to a device",
        |o| write::texts(&o.resources.device_write_iops),
        |o, v| {
            extend(&mut o.resources.device_write_iops, of_devices(v, DeviceLimitKind::Operations))
        },
    )
    .flag("device-write-iops", "PATH:N"),
    Row::new(
        "ulimits",
        T::Pairs,
        Any,
        "Ulimit options, such as nofile=1024:2048",
        |o| {
            let limits = o.resources.ulimits.iter();
            let pair =
                |limit: &Ulimit| (limit.name.clone(), format!("{}:{}", limit.soft, limit.hard));
            let limits: Vec<(String, String)> = limits.map(pair).collect();
            write::pairs(limits.iter().map(|(name, value)| (name, value)))
        },
        |o, v| {
            for (name, value) in read::pairs(v)? {
                let text = value.map_or_else(|| name.clone(), |value| format!("{name}={value}"));
                o.resources.set_ulimit(text.parse()?);
            }
            Ok(())
        },
    )
    .flag("ulimit", "NAME=SOFT[:HARD]")
    .building(),
    Row::new(
        "shm_size",
        T::Size,
        Any,
        "Size of /dev/shm",
        |o| o.resources.shm_size.map(write::size),
        |o, v| set_some(&mut o.resources.shm_size, read::size(v)),
    )
    .flag("shm-size", "BYTES")
    .building(),
    Row::new(
        "oom_score_adj",
        T::Int,
        Denied,
        "Tune host's OOM preferences (-1000 to 1000)",
        |o| o.resources.oom_score_adj.map(Expression::Number),
        |o, v| set_some(&mut o.resources.oom_score_adj, read::whole(v)),
    )
    .flag("oom-score-adj", "N"),
    Row::new(
        "cgroup_parent",
        T::Text,
        Denied,
        "Optional parent cgroup for the container, from the root of the cgroups",
        |o| write::text(o.resources.cgroup_parent.as_ref()),
        |o, v| {
            // As with Docker, an empty one is none.
            let text = Some(read::text(v)?).filter(|text| !text.is_empty());
            let parent = text.map(|text| parse_cgroup_parent(&text));
            set(&mut o.resources.cgroup_parent, parent.transpose())
        },
    )
    .flag("cgroup-parent", "PATH")
    .building(),
];
